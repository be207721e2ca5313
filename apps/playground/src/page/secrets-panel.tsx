import { createRedactor, HARMLESS_KEYS } from "@eoc/core";
import { computed, signal } from "@preact/signals";
import { pretty } from "../engine/play-texts.js";
import { Scrollable } from "./scrollable.js";

const EXAMPLE = pretty({
  customer: { author: "Ada", password: "hunter2-but-longer" },
  note: "call with Bearer 0123456789abcdef0123456789abcdef",
  dsn: "postgres://app:s3cr3t-pw@db.example/app",
  max_tokens: 400,
});

const strict = createRedactor();
const lenient = createRedactor({ allowKeys: HARMLESS_KEYS });
const keepsHarmless = signal(true);
const pasted = signal(EXAMPLE);

const redacted = computed(() => {
  const value = readValue(pasted.value);
  const redactor = keepsHarmless.value ? lenient : strict;
  const { value: copy, manifest } = redactor.redactWithManifest(value);
  return { copy: typeof copy === "string" ? copy : pretty(copy), manifest };
});

/** What the redactor makes of whatever is pasted. */
export function Secrets() {
  const { copy, manifest } = redacted.value;
  return (
    <section id="secrets" class="panel" aria-labelledby="secrets-title">
      <header>
        <h2 id="secrets-title">Paste a secret</h2>
        <p>What would reach a journal, a packet or a log of it. Text or JSON; nothing leaves this page.</p>
      </header>
      <label class="visually-hidden" for="secrets-text">
        Text or JSON with secrets in it
      </label>
      <textarea
        id="secrets-text"
        rows={7}
        spellcheck={false}
        autocomplete="off"
        value={pasted.value}
        onInput={(event) => {
          pasted.value = event.currentTarget.value;
        }}
      />
      <label class="knob">
        <input
          type="checkbox"
          checked={keepsHarmless.value}
          onChange={(event) => {
            keepsHarmless.value = event.currentTarget.checked;
          }}
        />
        leave names alone that only look secret, such as author and max_tokens
      </label>
      <Scrollable class="redacted" label="Redacted copy" testId="redacted">
        {copy}
      </Scrollable>
      <h3>Manifest</h3>
      {manifest.length === 0 ? (
        <p class="hint">Nothing was masked.</p>
      ) : (
        <table class="findings" aria-label="What was masked" data-testid="manifest">
          <tbody>
            {manifest.map(({ pointer, by, rule }) => (
              <tr key={pointer + rule}>
                <th scope="row">{pointer === "" ? "(whole)" : pointer}</th>
                <td>by {by}</td>
                <td class="problem">{rule}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

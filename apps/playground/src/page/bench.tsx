import type { TextIssue } from "../engine/play-texts.js";
import { base, edit, issues, show, texts, unmet } from "./state.js";

const LABELS = {
  policy: "Policy",
  script: "What the requests meet",
  decision: "Decision",
} as const;

type Field = keyof typeof LABELS;

/** The editors: whatever stands in them is run at once, as soon as it is valid. */
export function Bench() {
  const { seed, reconcile, honoursKey, haltAtMs } = texts.value;
  return (
    <section id="bench" class="panel" aria-labelledby="bench-title">
      <header>
        <h2 id="bench-title">Try your policy before you trust it</h2>
        <p>Every change is run on both sides at once. The worst case it allows stays on screen below.</p>
      </header>
      <div class="bench">
        <Editor field="policy" rows={9} hint="An ExecutionPolicyInput as JSON; what is left out has its default." />
        <Editor
          field="script"
          rows={9}
          hint="A line per action, a step per request, then all goes well: ok · drop · lost · slow 600ms · hang · prepare 200ms · crash · 429 retry 1s · 422 · 503 · 500 applied. * is any other action. Nothing here is run as code."
        />
        <Editor field="decision" rows={9} hint="What was approved, in the wire form." />
      </div>
      <div class="knobs">
        <label class="knob">
          Seed
          <input
            type="text"
            size={8}
            value={seed}
            maxLength={40}
            onInput={(event) => edit({ seed: event.currentTarget.value || "0" })}
          />
        </label>
        <button type="button" onClick={() => edit({ seed: String(1 + Math.floor(Math.random() * 9999)) })}>
          Another seed
        </button>
        <label class="knob check">
          <input
            type="checkbox"
            checked={reconcile}
            onChange={(event) => edit({ reconcile: event.currentTarget.checked })}
          />
          EOC may ask the world afterwards (reconcile)
        </label>
        <label class="knob check">
          <input
            type="checkbox"
            checked={honoursKey}
            onChange={(event) => edit({ honoursKey: event.currentTarget.checked })}
          />
          the world honours idempotency keys
        </label>
        {haltAtMs !== undefined && (
          <button
            type="button"
            onClick={() => {
              const { haltAtMs: _, ...rest } = texts.value;
              show(rest);
            }}
          >
            Take back the halt at {haltAtMs} ms
          </button>
        )}
        <button type="button" onClick={() => show(base.value.texts)}>
          Back to the scenario
        </button>
      </div>
    </section>
  );
}

function Editor({ field, rows, hint }: { field: Field; rows: number; hint: string }) {
  const mine = issues.value.filter((issue) => issue.field === field);
  const hintId = `${field}-hint`;
  return (
    <div class={`editor ${mine.length > 0 ? "wrong" : ""}`}>
      <label for={`${field}-text`}>{LABELS[field]}</label>
      <textarea
        id={`${field}-text`}
        rows={rows}
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        aria-describedby={`${hintId} ${field}-issues`}
        aria-invalid={mine.length > 0}
        value={texts.value[field]}
        onInput={(event) => edit({ [field]: event.currentTarget.value })}
      />
      <Issues id={`${field}-issues`} issues={mine} notes={unmet.value.filter((note) => note.field === field)} />
      <p class="hint" id={hintId}>
        {hint}
      </p>
    </div>
  );
}

function Issues({
  id,
  issues: mine,
  notes,
}: {
  id: string;
  issues: readonly TextIssue[];
  notes: readonly TextIssue[];
}) {
  return (
    <div id={id} class="issues" role="status">
      {mine.length === 0 ? (
        <p class="fine">✓ valid</p>
      ) : (
        <ul>
          {mine.slice(0, 5).map(({ where, message }) => (
            <li key={where + message}>
              ✗ <code>{where}</code> {message}
            </li>
          ))}
        </ul>
      )}
      {notes.slice(0, 5).map(({ where, message }) => (
        <p class="note" key={where}>
          ! <code>{where}</code> {message}
        </p>
      ))}
    </div>
  );
}

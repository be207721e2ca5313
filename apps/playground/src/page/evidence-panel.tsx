import { computed, effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { examine, type Finding, flippedRecord, type Tampering, tamper } from "../engine/evidence.js";
import { Findings } from "./findings.js";
import { shown } from "./live-state.js";

const tampering = signal<Tampering>("none");
const isPinned = signal(false);
const findings = signal<readonly Finding[]>([]);
const lines = computed(() => tamper(shown.value?.journal.lines ?? [], tampering.value));

const headline = computed(() => {
  const failed = findings.value.find(({ verdict }) => verdict === "FAIL");
  if (failed !== undefined) return `Caught. ${failed.name}: ${failed.problem}`;
  const completeness = findings.value.find(({ name }) => name === "completeness");
  if (completeness?.verdict === "PASS") return "Whole, and proven to be: the journal ends where its head was pinned.";
  return "Completeness not proven: without a pinned head nobody can tell a whole journal from one that was cut off.";
});

let examinations = 0;

/** The journal of what is on the stage, and three ways to cheat with it. */
export function Evidence() {
  useEffect(
    () =>
      effect(() => {
        const run = ++examinations;
        const head = isPinned.value ? shown.value?.journal.head : undefined;
        void examine(lines.value, head).then(({ findings: found }) => {
          if (run === examinations) findings.value = found;
        });
      }),
    [],
  );
  const all = shown.value?.journal.lines ?? [];
  const flipped = flippedRecord(all);
  return (
    <section id="evidence" class="panel" aria-labelledby="evidence-title">
      <header>
        <h2 id="evidence-title">Evidence, and how to cheat with it</h2>
        <p>
          EOC wrote this journal ahead of every dispatch, each record chained to the one before. Tamper with it, and see
          what the verifier says.
        </p>
      </header>
      <fieldset class="actions">
        <legend class="visually-hidden">Tampering</legend>
        <Toggle what="flip_byte">Flip a byte in #{flipped}</Toggle>
        <Toggle what="delete_last">Delete the last line</Toggle>
        <button
          type="button"
          aria-pressed={isPinned.value}
          onClick={() => {
            isPinned.value = !isPinned.value;
          }}
        >
          Pin the head
        </button>
        <button type="button" onClick={save}>
          Save it as it is now
        </button>
      </fieldset>
      <p class="headline" role="status" data-testid="evidence-headline">
        {headline.value}
      </p>
      <div class="evidence">
        <Findings findings={findings.value} label="The verifier’s verdicts" />
        <section class="records" tabIndex={0} aria-label="Records of the journal">
          <ol>
            {all.map((line, index) => (
              <Record key={index} original={line} line={lines.value[index]} seq={index} />
            ))}
          </ol>
        </section>
      </div>
    </section>
  );
}

/** For `eoc verify`, or to be dropped below. */
function save(): void {
  const url = URL.createObjectURL(
    new Blob(
      lines.value.map((line) => `${line}\n`),
      { type: "application/jsonl" },
    ),
  );
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = `${shown.value?.setup.name ?? "run"}.journal.jsonl`;
  anchor.click();
  URL.revokeObjectURL(url);
}

function Toggle({ what, children }: { what: Tampering; children: unknown }) {
  return (
    <button
      type="button"
      aria-pressed={tampering.value === what}
      onClick={() => {
        tampering.value = tampering.value === what ? "none" : what;
      }}
    >
      {children as string}
    </button>
  );
}

function Record({ original, line, seq }: { original: string; line: string | undefined; seq: number }) {
  const { event, hash } = JSON.parse(original) as { event: { type: string; atMs?: number }; hash: string };
  const state = line === undefined ? "deleted" : line === original ? "" : "edited";
  return (
    <li class={state}>
      <span class="seq">#{seq}</span> <b>{event.type}</b>
      {state !== "" && <strong> {state}</strong>}
      <code>{hash.slice(0, 10)}…</code>
    </li>
  );
}

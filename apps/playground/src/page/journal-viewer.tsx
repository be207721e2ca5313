import type { ExecutionEvent } from "@eoc/core";
import { renderTimeline, verifyJournal } from "@eoc/trace";
import { signal } from "@preact/signals";
import { type Finding, findingsOf } from "../engine/evidence.js";
import { Findings } from "./findings.js";
import { shown } from "./live-state.js";
import { Scrollable } from "./scrollable.js";

interface Viewed {
  readonly name: string;
  readonly records: number;
  readonly findings: readonly Finding[];
  readonly timeline: string;
}

const MAX_BYTES = 20_000_000;
/** A picture of more would be longer than anybody reads. */
const MAX_EVENTS = 2000;

const viewed = signal<Viewed | undefined>(undefined);
const problem = signal("");
const isOver = signal(false);

/** Drop a journal here and see what it says, and whether it can be trusted. */
export function JournalViewer() {
  const seen = viewed.value;
  return (
    <section id="journal" class="panel" aria-labelledby="journal-title">
      <header>
        <h2 id="journal-title">Drop a journal</h2>
        <p>A .jsonl file written by @eoc/trace. It is verified and drawn here; nothing leaves this page.</p>
      </header>
      <fieldset
        class={`drop ${isOver.value ? "over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          isOver.value = true;
        }}
        onDragLeave={() => {
          isOver.value = false;
        }}
        onDrop={(event) => {
          event.preventDefault();
          isOver.value = false;
          void openFile(event.dataTransfer?.files[0]);
        }}
      >
        <legend class="visually-hidden">A journal file</legend>
        <label>
          <span>Drop it here, or choose a file</span>
          <input
            type="file"
            accept=".jsonl,.json,.txt"
            onChange={(event) => void openFile(event.currentTarget.files?.[0])}
          />
        </label>
        <button type="button" onClick={() => void view("what is on the stage", shown.value?.journal.lines ?? [])}>
          Use the one on the stage
        </button>
      </fieldset>
      <p class="issues" role="status">
        {problem.value}
      </p>
      {seen !== undefined && (
        <div data-testid="journal">
          <p>
            <b>{seen.name}</b>: {seen.records} records
          </p>
          <Findings findings={seen.findings} label="The verifier’s verdicts on the dropped journal" />
          <Scrollable class="text-timeline" label="Timeline of the journal">
            {seen.timeline}
          </Scrollable>
        </div>
      )}
    </section>
  );
}

async function openFile(file: File | undefined): Promise<void> {
  if (file === undefined) return;
  if (file.size > MAX_BYTES) {
    problem.value = `${file.name} is longer than ${MAX_BYTES / 1e6} MB: eoc verify reads any length`;
    return;
  }
  const text = await file.text();
  await view(
    file.name,
    text.split("\n").filter((line) => line !== ""),
  );
}

async function view(name: string, lines: readonly string[]): Promise<void> {
  problem.value = "";
  const verdict = await verifyJournal(lines);
  const events = lines.flatMap(eventOf);
  if (events.length === 0) problem.value = `${name} has no record of an execution in it`;
  viewed.value = {
    name,
    records: verdict.recordCount,
    findings: findingsOf(verdict),
    timeline: drawn(events.slice(0, MAX_EVENTS)),
  };
}

/** Whatever it says, it must not break the page. */
function drawn(events: readonly ExecutionEvent[]): string {
  try {
    return renderTimeline(events, { format: "text" });
  } catch {
    return "These events do not make a timeline.";
  }
}

function eventOf(line: string): ExecutionEvent[] {
  try {
    const { event } = JSON.parse(line) as { event?: ExecutionEvent };
    return typeof event?.executionId === "string" && typeof event.atMs === "number" ? [event] : [];
  } catch {
    return [];
  }
}

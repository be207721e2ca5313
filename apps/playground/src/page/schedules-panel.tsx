import { signal, useComputed } from "@preact/signals";
import { textsOf } from "../engine/play-texts.js";
import { runSchedule, type Schedule } from "../engine/schedules.js";
import { recording, show } from "./state.js";

const COUNT = 1000;
const TOGETHER = 20;
const SHOWN = 60;

const done = signal<readonly Schedule[]>([]);
const tookMs = signal<number | undefined>(undefined);
const progress = signal(0);
const filter = signal<keyof typeof FILTERS>("doubled");

const FILTERS = {
  doubled: "naive did it twice",
  eocDoubled: "EOC did it twice",
  unknown: "EOC says unknown",
  halted: "halted",
  all: "all",
} as const;

/** A thousand random schedules of what is on the stage, any of which can be played. */
export function Schedules() {
  const isRunning = progress.value > 0 && progress.value < COUNT;
  return (
    <section id="schedules" class="panel" aria-labelledby="schedules-title">
      <header>
        <h2 id="schedules-title">1,000 random schedules</h2>
        <p>
          Lost replies, late answers, 429s, hangs, refusals and halts at random, for the decision and policy above. Each
          is checked against every promise EOC makes.
        </p>
      </header>
      <p class="actions">
        <button type="button" class="primary" disabled={isRunning} onClick={() => void runAll()}>
          {isRunning ? `${progress.value} of ${COUNT} …` : "Run 1,000 schedules"}
        </button>
        <span role="status" data-testid="schedules-time">
          {tookMs.value !== undefined &&
            `${COUNT.toLocaleString("en")} schedules in ${(tookMs.value / 1000).toFixed(2)} s`}
        </span>
      </p>
      {done.value.length > 0 && <Results />}
    </section>
  );
}

function Results() {
  const totals = useComputed(() => totalsOf(done.value));
  const shown = useComputed(() => done.value.filter(matches).slice(0, SHOWN));
  const { doubled, eocDoubled, violations } = totals.value;
  return (
    <>
      <dl class="totals">
        <div class={doubled > 0 ? "bad" : "good"}>
          <dt>schedules in which naive retry did something twice</dt>
          <dd data-testid="naive-doubled">{doubled}</dd>
        </div>
        <div class={eocDoubled > 0 ? "bad" : "good"}>
          <dt>schedules in which EOC did something twice</dt>
          <dd data-testid="eoc-doubled">{eocDoubled}</dd>
        </div>
        <div class={violations > 0 ? "bad" : "good"}>
          <dt>schedules in which EOC broke a promise</dt>
          <dd data-testid="violations">{violations}</dd>
        </div>
      </dl>
      {eocDoubled > 0 && (
        <p class="hint">
          What EOC did twice, the decision or the policy calls safe to repeat (<code>idempotent</code>,{" "}
          <code>none</code>, <code>onUnknown: "retry"</code>): it was dispatched again, and this world honoured no key
          of it.
        </p>
      )}
      <fieldset class="filters">
        <legend class="visually-hidden">Which to show</legend>
        {Object.entries(FILTERS).map(([name, words]) => (
          <label key={name}>
            <input
              type="radio"
              name="filter"
              checked={filter.value === name}
              onChange={() => {
                filter.value = name as keyof typeof FILTERS;
              }}
            />
            {words}
          </label>
        ))}
      </fieldset>
      <ul class="schedules">
        {shown.value.map((schedule) => (
          <li key={schedule.number}>
            <button type="button" onClick={() => replay(schedule)}>
              <b>#{schedule.number}</b>
              <span class={`status ${schedule.status}`}>{schedule.status}</span>
              {schedule.doubled.naive > 0 && <span class="twice">▲ +{schedule.doubled.naive} naive</span>}
              {schedule.doubled.eoc > 0 && <span class="twice">▲ +{schedule.doubled.eoc} EOC</span>}
              {schedule.isHalted && <span>halted</span>}
            </button>
          </li>
        ))}
      </ul>
      <p class="hint">Press one to play it above: its replies land in the editor, its halt and seed come with it.</p>
    </>
  );
}

async function runAll(): Promise<void> {
  const base = recording.value?.setup;
  if (base === undefined) return;
  const results: Schedule[] = [];
  tookMs.value = undefined;
  progress.value = 1;
  const started = performance.now();
  for (let number = 1; number <= COUNT; number += TOGETHER) {
    // Each has a clock of its own; together they wait less for the browser's next turn.
    const numbers = Array.from({ length: TOGETHER }, (_, index) => number + index);
    results.push(...(await Promise.all(numbers.map((each) => runSchedule(base, each)))));
    progress.value = results.length;
  }
  tookMs.value = performance.now() - started;
  done.value = results;
  progress.value = COUNT;
}

function replay({ setup }: Schedule): void {
  show(textsOf(setup));
  document.getElementById("stage")?.scrollIntoView({ block: "start" });
  document.getElementById("stage")?.focus({ preventScroll: true });
}

function matches({ doubled, status, isHalted }: Schedule): boolean {
  if (filter.value === "doubled") return doubled.naive > 0;
  if (filter.value === "eocDoubled") return doubled.eoc > 0;
  if (filter.value === "unknown") return status === "unknown";
  return filter.value === "all" || isHalted;
}

function totalsOf(schedules: readonly Schedule[]) {
  const count = (test: (schedule: Schedule) => boolean) => schedules.filter(test).length;
  return {
    doubled: count(({ doubled }) => doubled.naive > 0),
    eocDoubled: count(({ doubled }) => doubled.eoc > 0),
    violations: count(({ violations }) => violations > 0),
  };
}

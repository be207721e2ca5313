import {
  checkOptionNames,
  type ExecuteOptions,
  type ExecutionContext,
  type ExecutionPolicyInput,
  type Executor,
  type FinalDecisionInput,
} from "@eoc/core";
import { aDecision } from "../builders.js";
import { draw } from "../draw.js";
import { checkExploreOptions } from "./check-explore-options.js";
import { type Choice, type Chooser, followed, replayed } from "./choices.js";
import { type ExploreFailure, failureOf } from "./failure.js";
import type { Lab, Moments } from "./lab.js";
import { shrink } from "./shrink.js";
import { differenceOf, type ExploredRun, isFailure, type Subject, type Trial, tryOnce } from "./trial.js";

/** Options of {@link explore}. */
export interface ExploreOptions {
  /** Makes the executor of a run. Everything that may turn out one way or another comes from `lab.choose`. */
  executor: (lab: Lab) => Executor;
  /** @defaultValue `aDecision()` */
  decision?: FinalDecisionInput;
  /** @defaultValue `{}` */
  context?: ExecutionContext;
  /** @defaultValue the default policy */
  policy?: ExecutionPolicyInput;
  /** Makes the ports of a run. The executions of a run share them. */
  options?: (lab: Lab) => ExecuteOptions;
  /** What happens in a run. @defaultValue one execution */
  scenario?: (lab: Lab) => unknown;
  /** When the switch may be thrown, in virtual milliseconds since the start of the run. @defaultValue never */
  haltAt?: Moments;
  /** When the caller may cancel. @defaultValue never */
  cancelAt?: Moments;
  /** Timers that are due at the same time fire in any order. @defaultValue false: in the order of arming */
  ties?: boolean;
  /** A check of your own; fails a run by throwing. Every run is checked by `checkInvariants` anyway. */
  check?: (run: ExploredRun) => unknown;
  /** Strings that must appear nowhere in events and reports. */
  secrets?: readonly string[];
  /** `exhaustive` tries every combination of choices, one after the other. @defaultValue "seeded" */
  mode?: "seeded" | "exhaustive";
  /** @defaultValue "eoc" */
  seed?: string | number;
  /** How many runs are tried at most. @defaultValue 200, or 10_000 when exhaustive */
  runs?: number;
  /** Runs these choices alone, as an {@link ExploreFailure} names them. Fails when the run has no such choices any more. */
  replay?: readonly number[];
  /** Is given the message of a failure. @defaultValue `console.error` */
  print?: (message: string) => void;
}

const OPTIONS = {
  executor: true,
  decision: true,
  context: true,
  policy: true,
  options: true,
  scenario: true,
  haltAt: true,
  cancelAt: true,
  ties: true,
  check: true,
  secrets: true,
  mode: true,
  seed: true,
  runs: true,
  replay: true,
  print: true,
} as const satisfies Record<keyof ExploreOptions, true>;

/** What {@link explore} found. */
export interface ExploreResult {
  /** How many runs were tried, without those that made a failure smaller. */
  readonly runs: number;
  /** True when there is no other combination of choices. */
  readonly complete: boolean;
  /** The smallest failing run, if any run failed. */
  readonly failure?: ExploreFailure;
}

/**
 * Runs a scenario again and again, each time with other choices, and checks everything that happens. Stops at the first
 * run that goes wrong, makes it as small as it can, prints it, and says how to run it again. Never rejects for a run
 * that fails.
 * @throws EocError `invalid_option` (rejects with it)
 */
export async function explore(options: ExploreOptions): Promise<ExploreResult> {
  checkOptionNames(options, OPTIONS);
  checkExploreOptions(options);
  const subject = subjectOf(options);
  const { print = (message) => console.error(message), replay, mode = "seeded" } = options;
  const seed = replay === undefined && mode === "seeded" ? String(options.seed ?? "eoc") : undefined;
  const search =
    replay !== undefined
      ? replaying(replay)
      : mode === "seeded"
        ? seeded(seed!, options.runs ?? 200)
        : exhaustive(options.runs ?? 10_000);
  let runs = 0;
  let last: Trial | undefined;
  for (;;) {
    const chooser = search.next(last?.choices);
    if (chooser === undefined) return { runs, complete: search.isComplete() };
    const run = runs++;
    last = notStale(await tryChecked(subject, chooser, run === 0), replay);
    if (!isFailure(last)) continue;
    const smallest = replay === undefined ? await shrink(subject, last) : last;
    const failure = failureOf(smallest, { run, seed, choicesBefore: last.choices.length, replay });
    print(failure.message);
    return { runs, complete: false, failure };
  }
}

/** One run; `twice` to see whether it goes the same way again (S8.4). */
async function tryChecked(subject: Subject, chooser: Chooser, twice: boolean): Promise<Trial> {
  const trial = await tryOnce(subject, chooser);
  if (!twice && !isFailure(trial)) return trial;
  const again = await tryOnce({ ...subject, check: () => {} }, replayed(trial.choices.map(({ index }) => index)));
  return { ...trial, violations: [...trial.violations, ...differenceOf(trial, again)] };
}

/** A replay that the run has not followed to its end shows nothing of what it is to show. */
function notStale(trial: Trial, replay: readonly number[] = []): Trial {
  const made = trial.choices.length;
  if ("error" in trial || !replay.slice(made).some((index) => index > 0)) return trial;
  const message = `the replay is stale: it names ${replay.length} choices, but the run made only ${made}`;
  return { ...trial, error: new RangeError(message) };
}

function subjectOf(options: ExploreOptions): Subject {
  const {
    executor,
    decision = aDecision(),
    context = {},
    policy = {},
    haltAt = [],
    cancelAt = [],
    ties = false,
  } = options;
  return {
    setup: { executor, decision, context, policy, options: options.options ?? (() => ({})), haltAt, cancelAt, ties },
    scenario: options.scenario ?? ((lab) => lab.execute()),
    check: options.check ?? (() => {}),
    secrets: options.secrets ?? [],
  };
}

/** Gives the choices of the next run, having seen those of the last; undefined when there is none. */
interface Search {
  next(last: readonly Choice[] | undefined): Chooser | undefined;
  isComplete(): boolean;
}

function replaying(indexes: readonly number[]): Search {
  let done = false;
  return {
    next: () => {
      if (done) return undefined;
      done = true;
      return replayed(indexes);
    },
    isComplete: () => false,
  };
}

/** The first run is the one in which nothing is chosen. */
function seeded(seed: string, runs: number): Search {
  let run = -1;
  return {
    next: () => {
      if (++run >= runs) return undefined;
      const number = run;
      if (number === 0) return () => 0;
      return (position, name, count, usual = 1 / count) => {
        const drawn = draw(`${seed}\n${number}\n${position}\n${name}`);
        return drawn < usual ? 0 : 1 + Math.trunc(((drawn - usual) / (1 - usual)) * (count - 1));
      };
    },
    isComplete: () => false,
  };
}

/** Depth first: what was chosen last is chosen otherwise first. */
function exhaustive(runs: number): Search {
  let tried = 0;
  let complete = false;
  return {
    next: (last) => {
      const place = last === undefined ? -1 : last.findLastIndex(({ index, of }) => index + 1 < of);
      complete = last !== undefined && place < 0;
      if (complete || tried++ >= runs) return undefined;
      if (last === undefined) return followed([]);
      return followed([...last.slice(0, place).map(({ index }) => index), last[place]!.index + 1]);
    },
    isComplete: () => complete,
  };
}

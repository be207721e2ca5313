import type { ExecutionReport } from "@eoc/core";
import { finder, type Violation } from "../invariants/violation.js";
import type { VirtualClock } from "../virtual-clock.js";
import type { World } from "../world.js";
import { type Choice, Choices, type Chooser } from "./choices.js";
import { judge } from "./judge.js";
import { Bench, type ExploredExecution, type Lab, type LabSetup, type Transcript } from "./lab.js";

/** What came of one run, for checks of your own. */
export interface ExploredRun {
  readonly choices: readonly Choice[];
  /** Of the first execution that came to an end. */
  readonly report: ExecutionReport;
  /** In the order in which they came to an end. */
  readonly executions: readonly ExploredExecution[];
  readonly world: World;
  readonly clock: VirtualClock;
}

/** What is tried again and again. */
export interface Subject {
  readonly setup: LabSetup;
  readonly scenario: (lab: Lab) => unknown;
  readonly check: (run: ExploredRun) => unknown;
  readonly secrets: readonly string[];
}

/** One run and what is wrong with it. */
export interface Trial {
  readonly choices: readonly Choice[];
  readonly violations: readonly Violation[];
  /** What the scenario, the check, or the run itself threw. */
  readonly error?: unknown;
  readonly transcripts: readonly Transcript[];
  /** Everything that has to be the same when the choices are. */
  readonly trace: string;
}

/** Virtual time for what comes after the last report: late answers, timers that somebody left behind. */
const AFTERMATH_MS = 3_600_000;

/** Runs the subject once. */
export async function tryOnce({ setup, scenario, check, secrets }: Subject, chooser: Chooser): Promise<Trial> {
  const choices = new Choices(chooser);
  const bench = new Bench(setup, choices);
  const errors: unknown[] = [];
  try {
    await bench.clock.run(() => scenario(bench));
    await bench.clock.advance(AFTERMATH_MS);
  } catch (error) {
    errors.push(error);
  }
  if (choices.misuse !== undefined && !errors.includes(choices.misuse)) errors.push(choices.misuse);
  const violations = judge(bench, secrets);
  const { world, executions, clock, transcripts } = bench;
  if (violations.length === 0 && errors.length === 0) {
    const report = executions[0]?.report;
    try {
      if (report === undefined) throw new TypeError("the scenario has executed nothing: call `lab.execute()`");
      await check({ choices: choices.taken, report, executions, world, clock });
    } catch (error) {
      errors.push(error);
    }
  }
  return {
    choices: choices.taken,
    violations,
    ...(errors.length > 0 ? { error: errors[0] } : undefined),
    transcripts,
    trace: JSON.stringify([transcripts, world.effects]),
  };
}

export function isFailure({ violations, ...trial }: Trial): boolean {
  return violations.length > 0 || "error" in trial;
}

/** S8.4: what two runs with the same choices differ in, where they do. */
export function differenceOf(first: Trial, second: Trial): Violation[] {
  const violations: Violation[] = [];
  if (first.trace === second.trace) return violations;
  const { seq, executionId } = firstDifference(first, second);
  const where = executionId === undefined ? "in the world" : `from event ${seq} of ${executionId} on`;
  const message = `the same choices led to something else, ${where}: chance, real time or earlier runs have a say`;
  finder(violations, "INV-EXE-1")("S8.4", message, { seq });
  return violations;
}

function firstDifference(first: Trial, second: Trial): { executionId?: string; seq?: number } {
  for (const [place, { executionId, events }] of first.transcripts.entries()) {
    const others = second.transcripts[place]?.events ?? [];
    const length = Math.max(events.length, others.length);
    for (let seq = 0; seq < length; seq++) {
      if (JSON.stringify(events[seq]) !== JSON.stringify(others[seq])) return { executionId, seq };
    }
  }
  return {};
}

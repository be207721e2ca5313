import { isDeepStrictEqual } from "node:util";
import {
  type AbortCause,
  type Command,
  type Input,
  type KeyOutcome,
  type Machine,
  restore,
  snapshot,
  step,
} from "../../src/machine/index.js";
import type { ExecutionReport } from "../../src/report/execution-report.js";
import { checkCommand, checkFinish, checkStep } from "./invariants.js";
import { noteCommand, noteInput } from "./ledger.js";
import { machineOf, type Scenario } from "./scenario.js";
import { type Trail, Violation } from "./trail.js";

/** What has really been done for one action, noted from inputs and commands alone: the machine's own word is not taken. */
export interface Account {
  dispatches: number;
  /** The answers that allowed the next dispatch, in order, since the last dispatch or wait. */
  approach: string[];
  /** What is known of the effect of each dispatch. */
  effects: ("applied" | "not_applied" | "unknown")[];
  /** How the executor answered the last dispatch: what may follow depends on it (S3.1). */
  answer: "none" | "applied" | "retryable" | "final" | "threw" | "invalid";
  /** Reconcile said, after the executor had settled, that the last dispatch was not applied (S3.3). */
  provedNotApplied: boolean;
  /** Its key was found in doubt, was claimed all the same, and reconcile has proved since that nothing was applied (S7.2). */
  doubt: "none" | "found" | "held" | "cleared";
  abortedFor?: AbortCause;
  permit: boolean;
  /** Its place in the line for permits: it has one, and may be told that its turn has come. */
  line: "none" | "place" | "waits";
  /** How often it may still find somebody before it: on arrival, and when it comes a little early. */
  behindLeft: number;
  bulkhead: boolean;
  claimed: boolean;
  writes: KeyOutcome[];
  /** A late settlement has made the stored outcome better known. */
  settledLate: boolean;
  /** Its row is written. */
  hasRow: boolean;
}

/** A question to a port that has not been answered. */
export interface Question {
  readonly command: Command & { action: number };
  /** Its answer is due. */
  readonly limitAt: number;
  /** It was asked while the executor ran. */
  readonly whileRunning: boolean;
}

/** An executor that has been called and has not settled. */
export interface Running {
  readonly action: number;
  readonly attempt: number;
}

/** A machine and everything around it that has yet to answer: all that a driver would have to know. */
export interface Model {
  readonly scenario: Scenario;
  machine: Machine;
  now: number;
  questions: (Question | undefined)[];
  running: Running[];
  /** Armed timers by action; the execution's own is the last. */
  timers: (number | undefined)[];
  resumeDue: boolean;
  accounts: Account[];
  halted: boolean;
  haltsLeft: number;
  lagsLeft: number;
  /** How much later than due something has happened. */
  laggedMs: number;
  earlyTimersLeft: number;
  listenerMayFail: boolean;
  /** An input was fed that fits nowhere. */
  misled: boolean;
  nextSeq: number;
  /** Starts in the transcript that have no end yet. */
  openStarts: string[];
  firstDispatches: number[];
  /** The report as it was handed out. */
  reported: ExecutionReport | undefined;
  trail: Trail | undefined;
}

export function modelOf(scenario: Scenario): Model {
  const machine = machineOf(scenario);
  return {
    scenario,
    machine,
    now: 0,
    questions: machine.actions.map(() => undefined),
    running: [],
    timers: [...machine.actions.map(() => undefined), undefined],
    resumeDue: false,
    accounts: machine.actions.map(() => ({
      dispatches: 0,
      approach: [],
      effects: [],
      answer: "none",
      provedNotApplied: false,
      doubt: "none",
      permit: false,
      line: "none",
      behindLeft: 2,
      bulkhead: false,
      claimed: false,
      writes: [],
      settledLate: false,
      hasRow: false,
    })),
    halted: false,
    haltsLeft: scenario.halts === undefined ? 0 : 1,
    lagsLeft: scenario.lags ?? 0,
    laggedMs: 0,
    earlyTimersLeft: scenario.earlyTimers ?? 0,
    listenerMayFail: scenario.listenerFails ?? false,
    misled: false,
    nextSeq: 0,
    openStarts: [],
    firstDispatches: [],
    reported: undefined,
    trail: undefined,
  };
}

/** A copy that goes its own way. */
export function fork(model: Model): Model {
  return {
    ...model,
    machine: forkMachine(model.machine),
    questions: [...model.questions],
    running: [...model.running],
    timers: [...model.timers],
    accounts: model.accounts.map((account) => ({
      ...account,
      approach: [...account.approach],
      effects: [...account.effects],
      writes: [...account.writes],
    })),
    openStarts: [...model.openStarts],
    firstDispatches: [...model.firstDispatches],
  };
}

function forkMachine(machine: Machine): Machine {
  return {
    ...machine,
    actions: machine.actions.map((action) => ({
      ...action,
      attempts: action.attempts.map((attempt) => ({ ...attempt })),
      ...(action.row === undefined ? undefined : { row: { ...action.row } }),
    })),
    slotQueue: [...machine.slotQueue],
    ...(machine.halt === undefined ? undefined : { halt: { ...machine.halt } }),
    out: [],
  };
}

/** Feeds an input that fits and checks everything that comes of it. With `twice`, a machine restored from a snapshot must agree. */
export function feed(model: Model, input: Input, twice = false): void {
  noteInput(model, input);
  take(model, input, twice);
}

/** Feeds an input that fits nowhere. After the report it is not even heard. */
export function mislead(model: Model, input: Input): void {
  if (model.machine.status === "finished") {
    const before = textOf(model.machine);
    const commands = step(model.machine, input);
    if (commands.length > 0 || textOf(model.machine) !== before) {
      throw new Violation(`S4.5 nothing follows the report: ${JSON.stringify([input, commands])}`, model.trail);
    }
    return;
  }
  model.misled = true;
  take(model, input, false);
}

function take(model: Model, input: Input, twice: boolean): void {
  const { machine } = model;
  const twin = twice ? restore(JSON.parse(JSON.stringify(snapshot(machine)))) : undefined;
  const wasFinished = machine.status === "finished";
  const commands = step(machine, input);
  model.trail = { input, commands, before: model.trail };
  for (const command of commands) {
    checkCommand(model, input, command, wasFinished);
    noteCommand(model, command);
  }
  checkStep(model, input, commands);
  if (!wasFinished && machine.status === "finished") {
    model.reported = checkFinish(model);
  }
  if (twin !== undefined && !isSame([step(twin, input), snapshot(twin)], [commands, snapshot(machine)])) {
    throw new Violation("a restored machine takes the same steps", model.trail);
  }
}

/** A machine's state but for the time, which is all that a finished machine may still learn. */
function textOf({ plan: _plan, policy: _policy, facts: _facts, at: _at, wallMs: _wallMs, ...state }: Machine): string {
  return JSON.stringify(state);
}

/** As JSON, in whatever order members stand. */
function isSame(one: unknown, other: unknown): boolean {
  const [text, otherText] = [JSON.stringify(one), JSON.stringify(other)];
  return text === otherText || isDeepStrictEqual(JSON.parse(text), JSON.parse(otherText));
}

import { isDeepStrictEqual } from "node:util";
import { type Command, type Input, reportOf } from "../../src/machine/index.js";
import { reportFromEvents } from "../../src/report/report-from-events.js";
import { type Facts, hold } from "./hold.js";
import type { Account, Model } from "./model.js";
import { checkReport, checkRow, FAILING } from "./report-invariants.js";
import { eventsOf, Violation } from "./trail.js";

type Sent<T extends Command["type"]> = Extract<Command, { type: T }>;

/** What has to be so when an executor is called. */
const AT_DISPATCH: Facts<[Model, Account, Sent<"dispatch">, Input]> = {
  "S1.5 HOLD is never dispatched": ({ scenario }, _, { action }) => scenario.plan[action] !== "hold",
  "S1.7 the first dispatch waits for the throttle": ({ machine }, _, __, { at }) =>
    at >= (machine.facts.throttleMs ?? 0),
  "S1.8 the approval is that of this decision, and holds": ({ machine }, _, __, { at }) => {
    const { approval, startedAtMs } = machine.facts;
    return approval === undefined || (approval.matches && startedAtMs + at < (approval.expiresAtMs ?? Infinity));
  },
  "S2.2 nothing is dispatched after a halt": ({ halted }) => !halted,
  "S3.1 what the executor said allows another attempt": ({ scenario }, account, { action }) =>
    mayFollow(account, scenario.plan[action] !== "once"),
  "S3.4 an action is dispatched at most 1 + maxRetries times": ({ machine }, { dispatches }) =>
    dispatches <= machine.policy.retry.maxRetries,
  "S3.6 nothing is dispatched at or after the deadline": ({ machine }, _, __, { at }) =>
    at < machine.policy.timeout.maxTotalTimeMs,
  "S4.2 an attempt is limited by its time and by what remains": ({ machine }, _, { limitAt }, { at }) => {
    const { attemptTimeoutMs, maxTotalTimeMs } = machine.policy.timeout;
    return limitAt === Math.min(at + attemptTimeoutMs, maxTotalTimeMs);
  },
  "S4.3 no two attempts of one action overlap": ({ running }, _, { action }) =>
    running.every((other) => other.action !== action),
  "S4.4 no more than maxConcurrency are in flight, unsettled ones included": ({ machine, running }) =>
    running.length < machine.policy.maxConcurrency,
  "S5.1 actions start in plan order": ({ machine, firstDispatches }, { dispatches }, { action }) =>
    dispatches > 0 || machine.policy.maxConcurrency > 1 || firstDispatches.every((other) => other < action),
  "S5.2 nothing is dispatched after a failure, under onFailure stop": ({ machine }) =>
    machine.policy.onFailure !== "stop" || !machine.actions.some(({ row }) => row && FAILING.has(row.status)),
  "S5.5 every gate in front has let it pass in this approach, in order": (model, account) =>
    account.approach.filter((passed) => passed !== "claim").join() === approachOf(model, account).join(),
  "S5.5 the claim is held, and was asked for after the shared slot and before the rest": (model, account) =>
    !model.machine.policy.idempotency.enabled || claimedInTurn(account),
  "S5.5 the switch is read last of all": ({ machine }, _, { action }, input) =>
    !machine.facts.hasKillSwitch || (input.type === "switch" && input.action === action),
  "attempts are numbered from 0": (_, { dispatches }, { attempt }) => attempt === dispatches,
  "nothing is dispatched after a protocol error": ({ misled }) => !misled,
};

/** Whether another attempt may follow the last (S3.1, S3.3): never without proof for what may be applied only once. */
function mayFollow({ dispatches, answer, provedNotApplied }: Account, repeatable: boolean): boolean {
  if (dispatches === 0 || answer === "retryable") return true;
  return (provedNotApplied && answer !== "none") || (repeatable && answer === "threw");
}

/** The questions that stand between an action and its next dispatch, in order. */
function approachOf({ machine }: Model, { dispatches }: Account): string[] {
  const { facts, policy } = machine;
  const { global, perAction } = policy.rateLimit;
  return [
    ...(facts.hasBulkhead ? ["bulkhead"] : []),
    ...(facts.hasGates ? ["gates"] : []),
    ...((global ?? perAction) ? ["permit"] : []),
    ...(facts.observed ? ["intent"] : []),
    ...(facts.startsKeys && policy.idempotency.enabled && dispatches === 0 ? ["key start"] : []),
    ...(facts.hasKillSwitch ? ["switch"] : []),
  ];
}

function claimedInTurn({ claimed, approach }: Account): boolean {
  const at = approach.indexOf("claim");
  return claimed && (at <= 0 || approach[at - 1] === "bulkhead");
}

/** What has to be so when something is handed back, asked for, armed or put on record. */
const AT_COMMAND: { readonly [T in Command["type"]]?: Facts<[Model, Sent<T>, Input]> } = {
  abort: {
    "S4.2 only what runs is aborted, once": ({ running, accounts }, { action, attempt }) =>
      running.some((one) => one.action === action && one.attempt === attempt) &&
      accounts[action]!.abortedFor === undefined,
    "S4.2 the cause of an abort is what happened": ({ machine, halted, misled }, { cause }, { at }) => {
      if (cause === "halt" || cause === "cancelled") return halted || misled;
      return (cause === "deadline") === at >= machine.policy.timeout.maxTotalTimeMs;
    },
  },
  cancel_permit: {
    "S6.2 only a permit that is held is handed back": ({ accounts }, { action }) => accounts[action]!.permit,
  },
  leave_bulkhead: {
    "S5.4 only a shared slot that is held is left": ({ accounts }, { action }) => accounts[action]!.bulkhead,
    "S4.4 an unsettled dispatch keeps its shared slot": ({ running }, { action }) =>
      running.every((other) => other.action !== action),
  },
  abandon_bulkhead: {
    "S5.4 only a place in the queue is abandoned": ({ questions }, { action }) =>
      questions[action]?.limitAt === Infinity,
  },
  record_key: {
    "S7.3 only a key that is claimed is written": ({ accounts }, { action }) => accounts[action]!.claimed,
    "S7.2 each claim is written once, and corrected only by a late settlement": ({ accounts }, { action, outcome }) => {
      const { writes, settledLate } = accounts[action]!;
      return writes.length === 0 || (settledLate && writes.join() === "unknown" && outcome !== "unknown");
    },
    "S7.4 what is written is what is known": ({ machine, accounts, scenario, running }, { action, outcome }) => {
      const { status } = machine.actions[action]!.row!;
      if (accounts[action]!.writes.length > 0) return true;
      if (status === "success") return outcome === "complete";
      const isRunning = running.some((other) => other.action === action);
      const readAgain = scenario.plan[action] === "none" && status === "failed" && !isRunning;
      const isUnknown = accounts[action]!.effects.includes("unknown") && !readAgain;
      return outcome === (isUnknown ? "unknown" : "release");
    },
  },
  set_timer: {
    "S4.1 no timer goes beyond the deadline and the grace": ({ machine }, command, { at }) => {
      const { maxTotalTimeMs, abortGraceMs } = machine.policy.timeout;
      return command.at >= at && command.at <= Math.max(maxTotalTimeMs, at) + abortGraceMs;
    },
  },
  emit: {
    "S8.1 seq is dense and the time is that of the input": ({ machine, nextSeq }, { event }, { at }) =>
      event.seq === nextSeq && (event.atMs === machine.facts.startedAtMs + at || !(at <= machine.at)),
    "S8.3 events are frozen": (_, { event }) => Object.isFrozen(event),
  },
  intend: {
    "S8.1 seq is dense": ({ nextSeq }, { event }) => event.seq === nextSeq,
  },
  finish: {
    "S4.1 the report is handed out in time": ({ laggedMs, machine }, { limitAt }) =>
      limitAt <= timeBound(machine) + laggedMs,
  },
};

/** S4.1 */
function timeBound({ policy }: Model["machine"]): number {
  const { maxTotalTimeMs, abortGraceMs, portTimeoutMs } = policy.timeout;
  return maxTotalTimeMs + abortGraceMs + portTimeoutMs;
}

/** What has to be so when a port is asked. */
const AT_QUESTION: Facts<[Model, Command & { action: number }, Input]> = {
  "one question at a time is asked for an action": ({ questions }, { action }) => questions[action] === undefined,
  "S4.1 each port call is limited": ({ machine }, command, { at }) => {
    if (!("limitAt" in command) || command.type === "reconcile") return true;
    return command.limitAt >= at && command.limitAt <= at + machine.policy.timeout.portTimeoutMs;
  },
  "S3.3 reconcile is limited by what remains": ({ machine }, command) =>
    command.type !== "reconcile" || command.limitAt <= machine.policy.timeout.maxTotalTimeMs,
};

const NO_QUESTIONS: ReadonlySet<Command["type"]> = new Set([
  "dispatch",
  "abort",
  "cancel_permit",
  "leave_bulkhead",
  "abandon_bulkhead",
  "set_timer",
  "clear_timer",
] as const);

/** What may follow the report (S4.5). */
function followsFinish(command: Command): boolean {
  if (command.type === "leave_bulkhead" || command.type === "record_key") return true;
  return command.type === "emit" && /^(attempt\.settled_late|key\.|listener\.failed)/.test(command.event.type);
}

export function checkCommand(model: Model, input: Input, command: Command, wasFinished: boolean): void {
  if (wasFinished && !followsFinish(command)) {
    throw new Violation(`S4.5 nothing follows the report: ${command.type}`, model.trail);
  }
  if (command.type === "dispatch") {
    return hold(model.trail, AT_DISPATCH, model, model.accounts[command.action]!, command, input);
  }
  const facts = AT_COMMAND[command.type] as Facts<[Model, Command, Input]> | undefined;
  if (facts !== undefined) hold(model.trail, facts, model, command, input);
  if ("action" in command && !NO_QUESTIONS.has(command.type)) hold(model.trail, AT_QUESTION, model, command, input);
}

/** What has to be so after every input. */
const AT_STEP: Facts<[Model, readonly Command[]]> = {
  "no order of fitting inputs is a protocol error": ({ machine, misled }) => machine.broken === misled,
  "an input that does not fit ends the execution": ({ machine, misled }) => !misled || machine.status === "finished",
  "S2.4 a halt ends every wait at once": ({ halted, openStarts }) =>
    !halted || openStarts.every((start) => !start.startsWith("wait.")),
  "S5.2 a failure ends every wait for a dispatch, under onFailure stop": ({ machine, openStarts }) =>
    machine.policy.onFailure !== "stop" ||
    !machine.actions.some(({ row }) => row && FAILING.has(row.status)) ||
    openStarts.every((start) => !start.startsWith("wait.") || start.endsWith("/settlement")),
  "S4.1 every path finishes in time": ({ machine, laggedMs }) =>
    machine.status === "finished" || machine.at <= timeBound(machine) + laggedMs,
  "S4.6 no timer is left after the report": ({ machine, timers }) =>
    machine.status !== "finished" || timers.every((due) => due === undefined),
  "the report is finished exactly once": ({ machine, reported }, commands) =>
    commands.filter(({ type }) => type === "finish").length ===
    Number(machine.status === "finished" && reported === undefined),
  "S4.5 a late settlement never changes the report": ({ machine, reported }) =>
    reported === undefined || reported === JSON.stringify(reportOf(machine, () => undefined)),
};

export function checkStep(model: Model, commands: readonly Command[]): void {
  hold(model.trail, AT_STEP, model, commands);
  for (const { row, index } of model.machine.actions) {
    const account = model.accounts[index]!;
    if (row === undefined || account.hasRow) continue;
    account.hasRow = true;
    checkRow(model, account, row);
  }
}

/** What has to be so when the report is handed out. */
const AT_FINISH: Facts<[Model]> = {
  "S5.3 every action has exactly one row": ({ machine, accounts }) =>
    machine.rows === machine.actions.length && accounts.every(({ hasRow }) => hasRow),
  "S5.5 no permit is kept": ({ accounts, misled }) => misled || accounts.every(({ permit }) => !permit),
  "S5.4 no shared slot is kept, but by what has not settled": ({ accounts, running }) =>
    accounts.every(({ bulkhead }, index) => !bulkhead || running.some(({ action }) => action === index)),
  "S7.2 every claim is written": ({ accounts }) =>
    accounts.every(({ claimed, writes }) => writes.length > 0 || !claimed),
  "no question is left": ({ questions, misled }) => misled || questions.every((question) => question === undefined),
  "S8.1 every start has its end": ({ openStarts }) => openStarts.length === 0,
  "S8.1 the events rebuild the report": ({ machine, trail }) => {
    if (!machine.facts.observed) return true;
    const { planHash, ...report } = reportOf(machine, () => undefined);
    return isDeepStrictEqual(reportFromEvents(eventsOf(trail)), { ...report, planHash });
  },
};

export function checkFinish(model: Model): void {
  hold(model.trail, AT_FINISH, model);
  checkReport(model, reportOf(model.machine, () => undefined));
}

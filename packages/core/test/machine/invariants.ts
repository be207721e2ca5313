import { isDeepStrictEqual } from "node:util";
import { type AttemptState, type Command, type Input, type Machine, reportOf } from "../../src/machine/index.js";
import type { ActionState } from "../../src/machine/state.js";
import type { WaitCause } from "../../src/report/events.js";
import type { ExecutionReport } from "../../src/report/execution-report.js";
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
  "S1.8 the approval is that of this decision, and holds": ({ machine }, _, __, { at, wallMs }) => {
    const { approval, startedAtMs } = machine.facts;
    if (approval === undefined) return true;
    return approval.matches && (wallMs ?? startedAtMs + at) < (approval.expiresAtMs ?? Number.POSITIVE_INFINITY);
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
    account.approach.filter((passed) => passed !== "claim").join() === approachOf(model).join(),
  "S5.5 the claim is held, and was asked for after the shared slot and before the rest": (model, account) =>
    !model.machine.policy.idempotency.enabled || claimedInTurn(account),
  "S7.2 a key in doubt is dispatched with a proof that was given while it was held, or where that does no harm": (
    { machine, scenario },
    account,
    { action },
  ) => !isDoubtful(account) || scenario.plan[action] !== "once" || machine.policy.idempotency.onUnknown === "retry",
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

/** What was before this execution may have been applied, as far as it knows. */
function isDoubtful({ doubt }: Account): boolean {
  return doubt === "found" || doubt === "held";
}

/** The questions that stand between an action and its next dispatch, in order. */
function approachOf({ machine }: Model): string[] {
  const { facts, policy } = machine;
  const { global, perAction } = policy.rateLimit;
  return [
    ...(facts.hasBulkhead ? ["bulkhead"] : []),
    ...(facts.hasGates ? ["gates"] : []),
    ...((global ?? perAction) ? ["permit"] : []),
    ...(facts.observed ? ["intent"] : []),
    ...(policy.idempotency.enabled ? ["key start"] : []),
    ...(facts.hasKillSwitch ? ["switch"] : []),
  ];
}

function claimedInTurn({ claimed, approach }: Account): boolean {
  const at = approach.indexOf("claim");
  return claimed && (at <= 0 || approach[at - 1] === "bulkhead");
}

/** What has to be so when something is handed back, asked for, armed or put on record. */
const AT_COMMAND: { readonly [T in Command["type"]]?: Facts<[Model, Sent<T>]> } = {
  abort: {
    "S4.2 only what runs is aborted, once": ({ running, accounts }, { action, attempt }) =>
      running.some((one) => one.action === action && one.attempt === attempt) &&
      accounts[action]!.abortedFor === undefined,
    "S4.2 the cause of an abort is what happened": ({ machine, halted, misled }, { cause }) => {
      if (cause === "halt" || cause === "cancelled") return halted || misled;
      return (cause === "deadline") === machine.at >= machine.policy.timeout.maxTotalTimeMs;
    },
  },
  join_line: {
    "S6.3 nobody waits in line for what does not fit the deadline": ({ machine }, { at }) =>
      at < machine.policy.timeout.maxTotalTimeMs,
    "S6.3 who asked the limiter and was refused, or may not ask yet, joins the line": ({ accounts }, { action }) =>
      !accounts[action]!.permit && accounts[action]!.line !== "waits",
  },
  leave_line: {
    "S6.3 only a place in line is left": ({ accounts }, { action }) => accounts[action]!.line !== "none",
    "S6.3 who says that he was granted a permit when he leaves holds one, and nobody else": ({ accounts }, command) =>
      command.granted === accounts[command.action]!.permit,
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
    "S3.9 a late refusal releases no key of which an earlier dispatch is in doubt": (
      { accounts, scenario },
      { action, outcome },
    ) => {
      const { writes, effects } = accounts[action]!;
      if (writes.length === 0 || outcome !== "release" || scenario.plan[action] === "none") return true;
      return !effects.slice(0, -1).includes("unknown");
    },
    "S7.2 what was taken over without a proof is never released": ({ accounts, scenario }, { action, outcome }) =>
      outcome !== "release" || scenario.plan[action] === "none" || !isDoubtful(accounts[action]!),
    "S7.4 what is written is what is known": ({ machine, accounts, scenario, running }, { action, outcome }) => {
      const { status } = machine.actions[action]!.row!;
      if (accounts[action]!.writes.length > 0) return true;
      if (status === "success") return outcome === "complete";
      const isRunning = running.some((other) => other.action === action);
      const readAgain = scenario.plan[action] === "none" && status === "failed" && !isRunning;
      const isUnknown = accounts[action]!.effects.includes("unknown") && !readAgain;
      const isLeftInDoubt = scenario.plan[action] !== "none" && isDoubtful(accounts[action]!);
      return outcome === (isUnknown || isLeftInDoubt ? "unknown" : "release");
    },
  },
  set_timer: {
    "S4.1 no timer goes beyond the deadline and the grace": ({ machine }, { at }) => {
      const { maxTotalTimeMs, abortGraceMs } = machine.policy.timeout;
      return at <= Math.max(maxTotalTimeMs, machine.at) + abortGraceMs;
    },
  },
  emit: {
    "S8.1 seq is dense and the time is that of the input, or of the start": ({ machine, nextSeq }, { event }) =>
      event.seq === nextSeq &&
      event.atMs - machine.facts.startedAtMs === (event.type === "execution.started" ? 0 : machine.at),
    "S5.1 nothing that may be dispatched is begun before what comes before it": ({ machine }, { event }) =>
      event.type !== "action.started" ||
      machine.actions[event.actionIndex]!.phase === "done" ||
      machine.actions.slice(0, event.actionIndex).every(isBegun),
    "S8.3 events are frozen": (_, { event }) => Object.isFrozen(event),
    "S3.6 no wait is begun whose end is past the deadline": ({ machine }, { event }) => {
      if (event.type !== "wait.started" || UNTIL_DEADLINE.has(event.cause)) return true;
      if (event.untilMs === undefined) return event.cause === "rate_limit";
      return event.untilMs - machine.facts.startedAtMs < machine.policy.timeout.maxTotalTimeMs;
    },
  },
  intend: {
    "S8.1 seq is dense": ({ nextSeq }, { event }) => event.seq === nextSeq,
  },
  take_retry: {
    "S3.7 no token is taken for a retry that the deadline leaves no time for": ({ machine }, { action }) =>
      machine.at + machine.actions[action]!.retryWaitMs! < machine.policy.timeout.maxTotalTimeMs,
  },
  finish: {
    "S4.1 the report is handed out in time": ({ laggedMs, machine }, { limitAt }) =>
      limitAt <= timeBound(machine) + laggedMs,
  },
};

function isBegun({ phase }: ActionState): boolean {
  return phase !== "pending" && phase !== "key";
}

/** Waits that only something else can end before the deadline does. */
const UNTIL_DEADLINE: ReadonlySet<WaitCause> = new Set(["slot", "bulkhead", "settlement"]);

/** S4.1 */
function timeBound({ policy }: Model["machine"]): number {
  const { maxTotalTimeMs, abortGraceMs, portTimeoutMs } = policy.timeout;
  return maxTotalTimeMs + abortGraceMs + portTimeoutMs;
}

/** What has to be so when a port is asked. */
const AT_QUESTION: Facts<[Model, Command & { action: number }]> = {
  "one question at a time is asked for an action": ({ questions, misled }, { action }) =>
    misled || questions[action] === undefined,
  "S4.1 each port call is limited": ({ machine }, command) => {
    if (!("limitAt" in command) || command.type === "reconcile") return true;
    return command.limitAt >= machine.at && command.limitAt <= machine.at + machine.policy.timeout.portTimeoutMs;
  },
  "S3.3 reconcile is limited by what remains": ({ machine }, command) =>
    command.type !== "reconcile" || command.limitAt <= machine.policy.timeout.maxTotalTimeMs,
};

const NO_QUESTIONS: ReadonlySet<Command["type"]> = new Set([
  "dispatch",
  "abort",
  "join_line",
  "leave_line",
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
  const facts = AT_COMMAND[command.type] as Facts<[Model, Command]> | undefined;
  if (facts !== undefined) hold(model.trail, facts, model, command);
  if ("action" in command && !NO_QUESTIONS.has(command.type)) hold(model.trail, AT_QUESTION, model, command);
}

/** What has to be so after every input. */
const AT_STEP: Facts<[Model, readonly Command[]]> = {
  "no order of fitting inputs is a protocol error": ({ machine, misled }) => (machine.broken === true) === misled,
  "an input that does not fit ends the execution": ({ machine, misled }) => !misled || machine.status === "finished",
  "S2.4 a halt ends every wait at once": ({ halted, openStarts }) =>
    !halted || openStarts.every((start) => !start.startsWith("wait.")),
  "S5.2 a failure ends every wait for a dispatch, under onFailure stop": ({ machine, openStarts }) =>
    machine.policy.onFailure !== "stop" ||
    !machine.actions.some(({ row }) => row && FAILING.has(row.status)) ||
    openStarts.every((start) => !start.startsWith("wait.") || start.endsWith("/settlement")),
  "S2.4 a halt aborts what is in flight, unless the policy lets it finish": ({ machine, halted, running, accounts }) =>
    !halted ||
    machine.policy.onHalt === "finish" ||
    running.every(({ action }) => accounts[action]!.abortedFor !== undefined),
  "S4.4 what is in flight holds a slot": ({ machine, running }) => {
    const holders = machine.actions.filter(({ hasSlot }) => hasSlot).length;
    return machine.slotsUsed === holders && running.every(({ action }) => machine.actions[action]!.hasSlot);
  },
  "S5.1 no slot stays free while an action could begin": ({ machine, resumeDue, halted }) => {
    const { policy, open, slotsUsed, throttled } = machine;
    if (machine.status === "finished" || resumeDue || halted || machine.next === machine.actions.length) return true;
    if (machine.actions[machine.next - 1]?.phase === "key") return true; // It goes first.
    return slotsUsed === policy.maxConcurrency || throttled === true || (policy.onFailure === "stop" && open > 0);
  },
  "S5.5 no shared slot is held through a wait": ({ openStarts, accounts }) =>
    openStarts.every((start) => {
      const [, action, cause] = /^wait\.started (\d+)\/\d+\/(.*)$/.exec(start) ?? [];
      return cause === undefined || cause === "settlement" || !accounts[Number(action)]!.bulkhead;
    }),
  "S4.1 every path finishes in time": ({ machine, laggedMs }) =>
    machine.status === "finished" || machine.at <= timeBound(machine) + laggedMs,
  "S4.6 no timer is left after the report": ({ machine, timers }) =>
    machine.status !== "finished" || timers.every((due) => due === undefined),
  "the report is finished once": ({ machine, reported }, commands) =>
    commands.filter(({ type }) => type === "finish").length ===
    Number(machine.status === "finished" && reported === undefined),
  "S4.5 a late settlement never changes the report": ({ machine, reported }) =>
    reported === undefined || isDeepStrictEqual(reported, reportedBy(machine)),
};

/** What has to be so once an executor has settled, in time or not. */
const AT_SETTLEMENT: Facts<[Model, Input & { type: "settled" }, AttemptState, Account]> = {
  "S3.1 what the executor said is what the attempt says": ({ machine }, { settlement, action }, attempt, account) => {
    const { row } = machine.actions[action]!;
    if (account.hasRow || row?.reason === "reconciled") return true;
    const { kind } = settlement;
    return attempt.status === (kind === "applied" ? "success" : kind === "not_applied" ? "failed" : "unknown");
  },
  "S4.3 an answer after the limit is used, and marked late": (_, { settlement }, { late, status }, account) => {
    const timedOut = account.abortedFor === "attempt_timeout" || account.abortedFor === "deadline";
    // One that says nothing, after the attempt was given up, changes nothing.
    const saysNothing = status === "unknown" && settlement.kind !== "applied" && settlement.kind !== "not_applied";
    return account.hasRow || !timedOut || late === true || saysNothing;
  },
};

export function checkStep(model: Model, input: Input, commands: readonly Command[]): void {
  hold(model.trail, AT_STEP, model, commands);
  if (input.type === "settled" && !model.misled) {
    const attempt = model.machine.actions[input.action]!.attempts[input.attempt]!;
    hold(model.trail, AT_SETTLEMENT, model, input, attempt, model.accounts[input.action]!);
  }
  for (const { row, index } of model.machine.actions) {
    const account = model.accounts[index]!;
    if (row === undefined || account.hasRow) continue;
    account.hasRow = true;
    checkRow(model, account, row);
  }
}

/** What has to be so when the report is handed out. */
const AT_FINISH: Facts<[Model, ExecutionReport]> = {
  "S5.3 every action has exactly one row": ({ machine, accounts }) =>
    machine.rows === machine.actions.length && accounts.every(({ hasRow }) => hasRow),
  "S5.5 no permit is kept": ({ accounts, misled }) => misled || accounts.every(({ permit }) => !permit),
  "S6.3 no place in line is kept": ({ accounts }) => accounts.every(({ line }) => line === "none"),
  "S5.4 no shared slot is kept, but by what has not settled": ({ accounts, running }) =>
    accounts.every(({ bulkhead }, index) => !bulkhead || running.some(({ action }) => action === index)),
  "S7.2 every claim is written": ({ accounts }) =>
    accounts.every(({ claimed, writes }) => writes.length > 0 || !claimed),
  "no question is left but the correction of a key": ({ questions, accounts, misled }) =>
    misled || questions.every((question, index) => question === undefined || accounts[index]!.writes.length === 2),
  "S8.1 every start has its end": ({ openStarts }) => openStarts.length === 0,
  "S8.1 the events rebuild the report": ({ machine, trail }, report) =>
    !machine.facts.observed || isDeepStrictEqual(reportFromEvents(eventsOf(trail)), report),
};

/** Checks the report and gives it back. */
export function checkFinish(model: Model): ExecutionReport {
  const report = reportedBy(model.machine);
  hold(model.trail, AT_FINISH, model, report);
  checkReport(model, report);
  return report;
}

/** The machine's report as plain data: without the executor's values, with the hash computed. */
function reportedBy(machine: Machine): ExecutionReport {
  return { ...reportOf(machine, () => undefined) };
}

import type { TerminalReason } from "../report/terminal-reason.js";
import { askReconcile, onDoubtReconciled } from "./approach.js";
import type { AbortCause, KeyOutcome } from "./commands.js";
import { conclude, keyRecorded, leaveBulkhead, leaveSlot, stopReason, writeKey } from "./conclude.js";
import type { Input } from "./inputs.js";
import type { Settlement } from "./outcome.js";
import { retry } from "./retry.js";
import { type ActionState, type AttemptState, deadlineOf, type Machine } from "./state.js";
import { clearTimer, emit, endWait, setTimer, startWait, tell, timeOf } from "./transcript.js";

const ABORT_REASONS: Record<AbortCause, TerminalReason> = {
  attempt_timeout: "attempt_timeout",
  deadline: "deadline_exceeded",
  halt: "kill_switch",
  cancelled: "cancelled",
};

/** The executor has answered. */
export function onSettled(machine: Machine, action: ActionState, settlement: Settlement): void {
  if (action.unsettled) return settledLate(machine, action, settlement);
  const attempt = lastAttempt(action);
  const overdue = machine.at > attempt.startedAt + attemptLimit(machine, attempt);
  if (overdue || attempt.abortedFor === "attempt_timeout" || attempt.abortedFor === "deadline") attempt.late = true;
  endWait(machine, action);
  clearTimer(machine, action);
  judge(action, attempt, settlement);
  finishAttempt(machine, action, attempt);
  if (settlement.kind === "applied") conclude(machine, action, "completed");
  else if (settlement.kind === "not_applied") afterRejection(machine, action, settlement);
  else askOrGoOn(machine, action);
}

/** What had been the limit of the attempt, from its start. */
function attemptLimit(machine: Machine, attempt: AttemptState): number {
  return Math.min(machine.policy.timeout.attemptTimeoutMs, deadlineOf(machine) - attempt.startedAt);
}

/** Writes what the settlement says into the attempt. */
function judge(action: ActionState, attempt: AttemptState, settlement: Settlement): void {
  switch (settlement.kind) {
    case "applied":
      attempt.status = "success";
      attempt.basis = "result";
      return;
    case "not_applied":
      attempt.status = "failed";
      attempt.basis = "result";
      attempt.errorCode = settlement.code;
      if (settlement.errorType !== undefined) attempt.errorType = settlement.errorType;
      return;
    case "threw":
      attempt.status = "unknown";
      attempt.errorType = settlement.errorType;
      if (settlement.retryAfterMs !== undefined) attempt.retryAfterMs = settlement.retryAfterMs;
      blame(action, attempt, "exception", settlement.code ?? "execution_exception");
      return;
    default:
      attempt.status = "unknown";
      attempt.invalid = true;
      blame(action, attempt, "result", "invalid_result");
  }
}

/** Names the cause of an unknown outcome: an abort explains it better than what the abort made the executor throw. */
function blame(
  action: ActionState,
  attempt: AttemptState,
  basis: "exception" | "result" | "timeout",
  code: string,
): void {
  const { abortedFor } = attempt;
  if (abortedFor === "halt" || abortedFor === "cancelled") {
    attempt.basis = "abort";
    attempt.errorCode = "aborted";
    return;
  }
  action.abnormal = true;
  const timedOut = abortedFor !== undefined || basis === "timeout";
  attempt.basis = timedOut ? "timeout" : basis;
  attempt.errorCode = timedOut ? "timeout" : code;
}

function finishAttempt(machine: Machine, action: ActionState, attempt: AttemptState): void {
  attempt.latencyMs = machine.at - attempt.startedAt;
  if (!machine.facts.observed) return;
  const { status, errorCode, errorType, late } = attempt;
  emit(machine, {
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: "attempt.finished",
    actionIndex: action.index,
    attemptNumber: action.attempts.length - 1,
    action: machine.plan.actions[action.index]!.action,
    status: status as "success" | "failed" | "unknown",
    startedAtMs: machine.facts.startedAtMs + attempt.startedAt,
    latencyMs: attempt.latencyMs,
    ...(errorCode === undefined ? undefined : { errorCode }),
    ...(errorType === undefined ? undefined : { errorType }),
    ...(action.key === undefined ? undefined : { idempotencyKey: action.key }),
    ...(late ? { late } : undefined),
  });
}

/** The executor's word is that nothing was applied. */
function afterRejection(
  machine: Machine,
  action: ActionState,
  { retryable, retryAfterMs }: Settlement & { kind: "not_applied" },
): void {
  const attempt = lastAttempt(action);
  if (attempt.late && machine.plan.actions[action.index]!.effect === "once") {
    return conclude(machine, action, abortReason(attempt));
  }
  if (retryable) retry(machine, action, retryAfterMs);
  else conclude(machine, action, "rejected");
}

/** The outcome is unknown: the outside world is asked if it can be, else the effect class decides (S3.1, S3.3). */
function askOrGoOn(machine: Machine, action: ActionState): void {
  if (!machine.facts.canReconcile || machine.at >= deadlineOf(machine)) return staysUnknown(machine, action);
  action.askedWhileRunning = action.unsettled;
  askReconcile(machine, action);
}

function staysUnknown(machine: Machine, action: ActionState): void {
  action.unknown = true;
  const attempt = lastAttempt(action);
  const { invalid } = attempt;
  // A failure elsewhere has not stopped what was with its executor.
  if (action.unsettled && (machine.broken || machine.halt)) return conclude(machine, action, stopReason(machine)!);
  const final = machine.plan.actions[action.index]!.effect === "once" || invalid || action.unsettled;
  if (final || (attempt.abortedFor !== undefined && attempt.abortedFor !== "attempt_timeout")) {
    return conclude(machine, action, invalid ? "invalid_result" : abortReason(attempt));
  }
  retry(machine, action, attempt.retryAfterMs);
}

/** Why an attempt without a usable answer ends its action. */
function abortReason(attempt: AttemptState): TerminalReason {
  if (attempt.abortedFor !== undefined) return ABORT_REASONS[attempt.abortedFor];
  return attempt.late ? "attempt_timeout" : "execution_exception";
}

export function onReconciled(machine: Machine, action: ActionState, input: Input & { type: "reconciled" }): void {
  const { verdict, errorType } = input;
  emit(machine, {
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: "reconcile.finished",
    actionIndex: action.index,
    attemptNumber: Math.max(0, action.attempts.length - 1),
    verdict,
    ...(action.askedWhileRunning ? { whileRunning: true } : undefined),
    ...(errorType === undefined ? undefined : { errorType }),
  });
  if (action.inDoubt === "unasked") return onDoubtReconciled(machine, action, verdict);
  const attempt = lastAttempt(action);
  if (verdict === "applied") {
    attempt.status = "success";
    return conclude(machine, action, "reconciled");
  }
  // What the executor itself said in the meantime is better than an answer given while it still ran (S4.3).
  if (attempt.status === "success") return conclude(machine, action, "completed");
  if (attempt.status === "failed") return conclude(machine, action, abortReason(attempt));
  if (verdict === "unknown" || action.askedWhileRunning) {
    return staysUnknown(machine, action);
  }
  attempt.status = "failed";
  retry(machine, action, attempt.retryAfterMs);
}

/** The limit of an attempt has come: it is aborted and has the grace to settle (S4.3). */
export function onLimit(machine: Machine, action: ActionState): void {
  abort(machine, action, machine.at >= deadlineOf(machine) ? "deadline" : "attempt_timeout");
}

export function abort(machine: Machine, action: ActionState, cause: AbortCause): void {
  const attempt = lastAttempt(action);
  attempt.abortedFor = cause;
  action.phase = "grace";
  tell(machine, { type: "abort", action: action.index, attempt: action.attempts.length - 1, cause });
  setTimer(machine, action, machine.at + machine.policy.timeout.abortGraceMs);
}

/** The grace is over and the executor has not settled. */
export function onGraceOver(machine: Machine, action: ActionState): void {
  const { effect } = machine.plan.actions[action.index]!;
  const mayGoOn = effect !== "once" && lastAttempt(action).abortedFor === "attempt_timeout";
  if (mayGoOn && stopReason(machine) === undefined && machine.at < deadlineOf(machine)) {
    action.phase = "settlement";
    return startWait(machine, action, "settlement", deadlineOf(machine));
  }
  giveUp(machine, action);
}

/** Nobody waits for the executor any longer: the attempt's outcome is unknown, and it keeps its slot (S4.4). */
export function giveUp(machine: Machine, action: ActionState): void {
  const attempt = lastAttempt(action);
  endWait(machine, action);
  attempt.status = "unknown";
  action.unsettled = true;
  blame(action, attempt, "timeout", "timeout");
  finishAttempt(machine, action, attempt);
  askOrGoOn(machine, action);
}

/** Ends an attempt whose driver cannot be trusted: aborted, unknown, and nobody is asked. */
export function giveUpUnasked(machine: Machine, action: ActionState): void {
  const attempt = lastAttempt(action);
  const attemptNumber = action.attempts.length - 1;
  if (attempt.abortedFor === undefined) {
    attempt.abortedFor = "halt";
    tell(machine, { type: "abort", action: action.index, attempt: attemptNumber, cause: "halt" });
  }
  endWait(machine, action);
  attempt.status = "unknown";
  action.unsettled = true;
  blame(action, attempt, "timeout", "timeout");
  finishAttempt(machine, action, attempt);
  action.unknown = true;
  conclude(machine, action, "protocol_error");
}

/** The executor settles after its attempt was given up (S4.5). */
function settledLate(machine: Machine, action: ActionState, settlement: Settlement): void {
  action.unsettled = undefined;
  const status = settlement.kind === "applied" ? "success" : settlement.kind === "not_applied" ? "failed" : "unknown";
  emit(machine, {
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: "attempt.settled_late",
    actionIndex: action.index,
    attemptNumber: action.attempts.length - 1,
    status,
    ...("code" in settlement && settlement.code !== undefined ? { errorCode: settlement.code } : undefined),
    ...("errorType" in settlement ? { errorType: settlement.errorType } : undefined),
  });
  const attempt = lastAttempt(action);
  leaveBulkhead(machine, action);
  leaveSlot(machine, action);
  if (action.row === undefined) {
    if (status === "unknown") return;
    attempt.late = true;
    judge(action, attempt, settlement);
    if (status === "success") attempt.errorCode = undefined;
    return;
  }
  // The report stands; what is stored for the next execution of this key may now be better known.
  if (action.keyOutcome !== "unknown") return;
  if (status === "success") updateKey(machine, action, "complete");
  else if (status === "failed" && isProvenNotApplied(machine, action)) updateKey(machine, action, "release");
}

/** Its last attempt was not applied: was nothing that came before it either? */
function isProvenNotApplied(machine: Machine, action: ActionState): boolean {
  if (machine.plan.actions[action.index]!.effect === "none") return true;
  const before = action.attempts.slice(0, -1);
  return action.inDoubt !== "unproven" && before.every(({ status }) => status !== "unknown");
}

/** Corrects the stored outcome of a key, after the write that is under way. */
function updateKey(machine: Machine, action: ActionState, outcome: KeyOutcome): void {
  if (action.writing) action.correction = outcome;
  else writeKey(machine, action, outcome);
}

/** The key's outcome is written, or could not be. */
export function onRecorded(machine: Machine, action: ActionState, ok: boolean): void {
  keyRecorded(machine, action, ok);
  const { correction } = action;
  if (correction === undefined) return;
  action.correction = undefined;
  updateKey(machine, action, correction);
}

function lastAttempt(action: ActionState): AttemptState {
  return action.attempts[action.attempts.length - 1]!;
}

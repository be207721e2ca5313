import type { ActionReport, ActionStatus, OutcomeBasis } from "../report/execution-report.js";
import { TERMINAL_REASONS, type TerminalReason } from "../report/terminal-reason.js";
import type { KeyOutcome } from "./commands.js";
import { type ActionState, deadlineOf, type Machine } from "./state.js";
import { clearTimer, emit, endWait, tell, timeOf } from "./transcript.js";

/** Reasons of the decision or the plan: an action that they keep from being dispatched is skipped (S3.10). */
const SKIPS: ReadonlySet<TerminalReason> = new Set(["not_allowed", "hold", "no_actions", "prior_action_failed"]);

/** Ends of actions whose effect is known to be applied. */
const APPLIED: ReadonlySet<TerminalReason> = new Set(["completed", "reconciled", "replayed"]);

const KEY_EVENTS = { complete: "key.completed", release: "key.released", unknown: "key.unknown" } as const;

/** What keeps this execution from dispatching anything more. A person's word goes before the plan's (S2.4). */
export function stopReason(machine: Machine): TerminalReason | undefined {
  if (machine.broken) return "protocol_error";
  if (machine.halt !== undefined) return machine.halt.cause;
  return machine.failStopped ? "prior_action_failed" : undefined;
}

/** A port did not answer as it must: the deadline's doing when that had come, else the port's. */
export function unavailable(machine: Machine, reason: TerminalReason): TerminalReason {
  return machine.at >= machine.policy.timeout.maxTotalTimeMs ? "deadline_exceeded" : reason;
}

/** Gives back what the next dispatch of the action would have used, last taken first (S5.5). */
function handBack(machine: Machine, action: ActionState, reason: TerminalReason): void {
  if (action.phase === "queued") tell(machine, { type: "abandon_bulkhead", action: action.index });
  endWait(machine, action);
  if (action.intended) {
    action.intended = undefined;
    emit(machine, {
      seq: machine.seq++,
      atMs: timeOf(machine),
      executionId: machine.facts.executionId,
      type: "attempt.withdrawn",
      actionIndex: action.index,
      attemptNumber: action.attempts.length,
      reason,
    });
  }
  if (action.hasPermit) {
    action.hasPermit = undefined;
    tell(machine, { type: "cancel_permit", action: action.index });
  }
  leaveLine(machine, action);
  leaveBulkhead(machine, action);
  leaveSlot(machine, action);
}

export function leaveBulkhead(machine: Machine, action: ActionState): void {
  if (!action.inBulkhead) return;
  action.inBulkhead = undefined;
  tell(machine, { type: "leave_bulkhead", action: action.index });
}

export function leaveLine(machine: Machine, action: ActionState, granted = false): void {
  if (!action.inLine) return;
  action.inLine = undefined;
  tell(machine, { type: "leave_line", action: action.index, granted });
}

export function leaveSlot(machine: Machine, action: ActionState): void {
  if (!action.hasSlot) return;
  action.hasSlot = false;
  machine.slotsUsed--;
}

/** Ends an action that is not to be dispatched (again). */
export function refuse(
  machine: Machine,
  action: ActionState,
  reason: TerminalReason,
  errorCode?: string,
  retryAfterMs?: number,
): void {
  handBack(machine, action, reason);
  conclude(machine, action, reason, errorCode, retryAfterMs);
}

/** Writes the action's row and settles its key. What it may still hold is an unsettled attempt's slot (S4.4). */
export function conclude(
  machine: Machine,
  action: ActionState,
  reason: TerminalReason,
  errorCode?: string,
  retryAfterMs?: number,
): void {
  clearTimer(machine, action);
  const status = statusOf(machine, action, reason);
  const row = rowOf(machine, action, status, reason, errorCode);
  if (retryAfterMs !== undefined && retryAfterMs < Number.MAX_SAFE_INTEGER) row.retryAfterMs = Math.ceil(retryAfterMs);
  action.row = row;
  machine.rows++;
  machine.lastRowAt = machine.at;
  machine.open--;
  if (!action.unsettled) {
    leaveBulkhead(machine, action);
    leaveSlot(machine, action);
  }
  if (status === "success") {
    if (machine.facts.hasRetryBudget && !row.replayed) tell(machine, { type: "refill_retries" });
  } else if (status !== "skipped" && machine.policy.onFailure === "stop" && !machine.failStopped) {
    machine.failStopped = true;
    machine.stopping = true;
  }
  const outcome = keyOutcome(action, status);
  if (outcome === undefined) finishRow(machine, action);
  else recordKey(machine, action, outcome);
}

/** Asks for the write of the key's outcome; the row waits for the answer. */
function recordKey(machine: Machine, action: ActionState, outcome: KeyOutcome): void {
  action.phase = "recording";
  machine.recording++;
  writeKey(machine, action, outcome);
  // No answer of this driver can be trusted: nobody waits for it.
  if (machine.broken) keyRecorded(machine, action, false);
}

export function writeKey(machine: Machine, action: ActionState, outcome: KeyOutcome): void {
  action.keyOutcome = outcome;
  action.writing = true;
  const limitAt = machine.at + machine.policy.timeout.portTimeoutMs;
  tell(machine, { type: "record_key", action: action.index, outcome, limitAt });
}

/** What has to be written when the action ends. A key is released with proof only, also of what was before this execution. */
function keyOutcome(action: ActionState, status: ActionStatus): KeyOutcome | undefined {
  if (!action.claimed) return undefined;
  if (status === "success") return "complete";
  const isInDoubt = action.inDoubt === "unasked" || action.inDoubt === "unproven";
  return status === "unknown" || action.unsettled || isInDoubt ? "unknown" : "release";
}

/** The key's outcome is written, or could not be. */
export function keyRecorded(machine: Machine, action: ActionState, ok: boolean): void {
  action.writing = undefined;
  emit(machine, {
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: KEY_EVENTS[action.keyOutcome!],
    actionIndex: action.index,
    idempotencyKey: action.key!,
    recorded: ok,
  });
  if (action.phase !== "recording") return; // A late settlement's write: the row stands.
  if (!ok && !action.claimLost) action.row!.recordError = "idempotency_store_unavailable";
  machine.recording--;
  finishRow(machine, action);
}

function finishRow(machine: Machine, action: ActionState): void {
  action.phase = "done";
  if (!machine.facts.observed) return;
  const { id, index, action: name, status, reason, attemptCount, latencyMs, waitedMs, basis, replayed } = action.row!;
  const { errorCode, errorType, retryAfterMs, idempotencyKey, valueOmitted, recordError } = action.row!;
  emit(machine, {
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: "action.finished",
    actionIndex: index,
    id,
    action: name,
    status,
    reason,
    attemptCount,
    latencyMs,
    waitedMs,
    basis,
    replayed,
    ...(errorCode === undefined ? undefined : { errorCode }),
    ...(errorType === undefined ? undefined : { errorType }),
    ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
    ...(idempotencyKey === undefined ? undefined : { idempotencyKey }),
    ...(valueOmitted === undefined ? undefined : { valueOmitted }),
    ...(recordError === undefined ? undefined : { recordError }),
  });
}

function statusOf(machine: Machine, action: ActionState, reason: TerminalReason): ActionStatus {
  if (APPLIED.has(reason)) return "success";
  if (action.unknown || reason === "in_doubt") {
    return machine.plan.actions[action.index]!.effect === "none" ? "failed" : "unknown";
  }
  if (action.attempts.length > 0) return "failed";
  return SKIPS.has(reason) ? "skipped" : "denied";
}

function rowOf(
  machine: Machine,
  action: ActionState,
  status: ActionStatus,
  reason: TerminalReason,
  errorCode: string | undefined,
): ActionReport {
  const { id, action: name } = machine.plan.actions[action.index]!;
  const last = action.attempts[action.attempts.length - 1];
  const row: ActionReport = {
    id,
    index: action.index,
    action: name,
    status,
    reason,
    attemptCount: action.attempts.length,
    latencyMs: machine.at - action.startedAt,
    waitedMs: action.waitedMs,
    basis: basisOf(action, reason),
    replayed: reason === "replayed",
  };
  const code = errorCode ?? (status === "success" ? undefined : last?.errorCode);
  if (code !== undefined) row.errorCode = code;
  if (status !== "success" && last?.errorType !== undefined) row.errorType = last.errorType;
  if (action.key !== undefined) row.idempotencyKey = action.key;
  if (action.valueOmitted) row.valueOmitted = true;
  return row;
}

function basisOf(action: ActionState, reason: TerminalReason): OutcomeBasis {
  if (reason === "replayed") return "replay";
  if (reason === "reconciled") return "reconcile";
  const last = action.attempts[action.attempts.length - 1];
  return last?.basis ?? "none";
}

/** True when something abnormal stopped or denied the action (S10). */
export function isAbnormal(action: ActionState): boolean {
  const { status, reason } = action.row!;
  return status !== "success" && status !== "skipped" && (action.abnormal === true || TERMINAL_REASONS[reason]);
}

/** Ends the action if the execution was stopped while a port was being asked. */
export function stopped(machine: Machine, action: ActionState): boolean {
  const reason = stopReason(machine);
  if (reason !== undefined) refuse(machine, action, reason);
  return reason !== undefined;
}

/** A port that is asked before a dispatch is not waited for beyond the deadline. */
export function portLimit(machine: Machine): number {
  return Math.min(machine.at + machine.policy.timeout.portTimeoutMs, Math.max(machine.at, deadlineOf(machine)));
}

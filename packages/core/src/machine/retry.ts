import { backoffMs } from "../policy/backoff.js";
import { jitteredMs } from "../policy/jitter.js";
import type { TerminalReason } from "../report/terminal-reason.js";
import { conclude, leaveBulkhead, leaveSlot, stopReason } from "./conclude.js";
import { type ActionState, deadlineOf, type Machine } from "./state.js";
import { startWait, tell } from "./transcript.js";

/** Prepares the next attempt, or ends the action. */
export function retry(machine: Machine, action: ActionState, retryAfterMs = 0): void {
  const stop = stopReason(machine);
  if (stop !== undefined) return conclude(machine, action, stop);
  const decision = decideRetry(machine, action, retryAfterMs);
  if ("reason" in decision) {
    return conclude(machine, action, decision.reason, undefined, retryAfterMs > 0 ? retryAfterMs : undefined);
  }
  action.retryWaitMs = decision.waitMs;
  if (!machine.facts.hasRetryBudget) return backOff(machine, action);
  action.phase = "retry_budget";
  tell(machine, { type: "take_retry", action: action.index });
}

export function onRetryBudget(
  machine: Machine,
  action: ActionState,
  verdict: "granted" | "exhausted" | "unavailable",
): void {
  const stop = stopReason(machine);
  if (stop !== undefined) conclude(machine, action, stop);
  else if (verdict === "granted") backOff(machine, action);
  else conclude(machine, action, verdict === "exhausted" ? "retry_budget_exhausted" : "retry_budget_unavailable");
}

/** No slot is held through a backoff (S5.5); none is waited for where there is none to wait for. */
function backOff(machine: Machine, action: ActionState): void {
  const waitMs = action.retryWaitMs!;
  const until = machine.at + waitMs;
  // The retry budget may have taken its time.
  if (until >= deadlineOf(machine)) return conclude(machine, action, "deadline_exceeded");
  leaveBulkhead(machine, action);
  leaveSlot(machine, action);
  if (waitMs === 0) return queueForSlot(machine, action);
  action.phase = "backoff";
  startWait(machine, action, "backoff", until);
}

/** The action is ready for its next dispatch; the scheduler gives it a slot, in order of arrival. */
export function queueForSlot(machine: Machine, action: ActionState): void {
  action.phase = "slot";
  if (machine.slotQueue.length === 0) machine.slotQueue = [action.index];
  else machine.slotQueue.push(action.index);
}

/**
 * Whether an action whose last attempt did not succeed may be tried again: how long to wait, or why not (S3.4–S3.6).
 * `retryAfterMs` is the executor's lower bound on the wait.
 */
function decideRetry(
  machine: Machine,
  action: ActionState,
  retryAfterMs: number,
): { waitMs: number } | { reason: TerminalReason } {
  const { retry } = machine.policy;
  const retryNumber = action.attempts.length;
  if (retryNumber > retry.maxRetries) return { reason: "retries_exhausted" };
  if (retryAfterMs > retry.maxRetryAfterMs) return { reason: "retry_after_too_long" };
  const { seed, executionId } = machine.facts;
  const key = { seed, executionId, actionIndex: action.index, attempt: retryNumber };
  const waitMs = Math.ceil(Math.max(jitteredMs(retry.jitter, backoffMs(retry, retryNumber), key), retryAfterMs));
  return machine.at + waitMs < deadlineOf(machine) ? { waitMs } : { reason: "deadline_exceeded" };
}

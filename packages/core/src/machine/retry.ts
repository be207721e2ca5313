import { backoffMs } from "../policy/backoff.js";
import { jitteredMs } from "../policy/jitter.js";
import type { TerminalReason } from "../report/terminal-reason.js";
import { type ActionState, deadlineOf, type Machine } from "./state.js";

/**
 * Whether an action whose last attempt did not succeed may be tried again: how long to wait, or why not (S3.4–S3.6).
 * `retryAfterMs` is the executor's lower bound on the wait.
 */
export function decideRetry(
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
  const waitMs = Math.max(jitteredMs(retry.jitter, backoffMs(retry, retryNumber), key), retryAfterMs);
  return machine.at + waitMs < deadlineOf(machine) ? { waitMs } : { reason: "deadline_exceeded" };
}

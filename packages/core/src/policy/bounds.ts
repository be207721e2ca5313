import type { ExecutionPlan } from "../plan.js";
import { backoffMs } from "./backoff.js";
import type { ExecutionPolicy } from "./execution-policy.js";

/** The worst that a policy allows: no run goes beyond any of these. */
export interface PolicyBounds {
  /** Dispatches of one action: the first and its retries. */
  readonly maxDispatchesPerAction: number;
  /** Dispatches of the whole plan. */
  readonly maxDispatches: number;
  /** Backoff of one action over all its retries, without what an executor's `retryAfterMs` adds. */
  readonly maxBackoffMs: number;
  /** From the call to the report, even if every executor and every port hangs (S4.1). */
  readonly maxWallMs: number;
}

/** The bounds of a plan under a policy; without a plan, of a plan with one action. Pure. */
export function explainPolicy(policy: ExecutionPolicy, plan?: ExecutionPlan): PolicyBounds {
  const { retry, timeout } = policy;
  const maxDispatchesPerAction = 1 + retry.maxRetries;
  const dispatchable = plan === undefined ? 1 : plan.actions.filter(({ action }) => action !== "HOLD").length;
  let backoff = 0;
  for (let n = 1; n <= retry.maxRetries && backoff < timeout.maxTotalTimeMs; n++) backoff += backoffMs(retry, n);
  return Object.freeze({
    maxDispatchesPerAction,
    maxDispatches: maxDispatchesPerAction * dispatchable,
    maxBackoffMs: Math.min(backoff, timeout.maxTotalTimeMs),
    maxWallMs: timeout.maxTotalTimeMs + timeout.abortGraceMs + timeout.portTimeoutMs,
  });
}

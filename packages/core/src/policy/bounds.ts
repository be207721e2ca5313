import type { ExecutionPlan } from "../plan.js";
import { backoffMs } from "./backoff.js";
import { definePolicy, type ExecutionPolicy, type ExecutionPolicyInput, type RetryPolicy } from "./execution-policy.js";

/** The worst that a policy allows: no run goes beyond any of these, and for each there is a run that reaches it. */
export interface PolicyBounds {
  /** Dispatches of one action: the first and its retries, as far as their backoff leaves time for them. */
  readonly maxDispatchesPerAction: number;
  /** Dispatches of the whole plan, under its rate limits. */
  readonly maxDispatches: number;
  /** Backoff of one action over all its retries, without what an executor's `retryAfterMs` adds. */
  readonly maxBackoffMs: number;
  /** The longest single wait between two attempts: the backoff's cap, or what an executor may ask for. */
  readonly maxRetryWaitMs: number;
  /** From the call to the report, even if every executor and every port hangs (S4.1). */
  readonly maxWallMs: number;
}

/** The bounds of a plan under a policy; without a plan, of a plan with one ACT. Pure. Throws as {@link definePolicy} does. */
export function explainPolicy(input: ExecutionPolicy | ExecutionPolicyInput, plan?: ExecutionPlan): PolicyBounds {
  const policy = definePolicy(input);
  const { retry, timeout } = policy;
  const deadlineMs = timeout.maxTotalTimeMs;
  const names = plan?.actions.flatMap(({ action }) => (action === "HOLD" ? [] : [action])) ?? ["ACT"];
  const { retries, backoff } = retriesThatFit(retry, deadlineMs);
  const maxDispatchesPerAction = deadlineMs > 0 ? 1 + retries : 0;
  return Object.freeze({
    maxDispatchesPerAction,
    maxDispatches: underRateLimits(policy, names, maxDispatchesPerAction),
    maxBackoffMs: backoff,
    maxRetryWaitMs: retry.maxRetries === 0 ? 0 : longestWait(retry, deadlineMs),
    maxWallMs: deadlineMs + timeout.abortGraceMs + timeout.portTimeoutMs,
  });
}

/** How many retries the deadline leaves time for, and the longest that they may wait in all. */
function retriesThatFit(retry: RetryPolicy, deadlineMs: number): { retries: number; backoff: number } {
  let retries = 0;
  let soonest = 0;
  let latest = 0;
  while (retries < retry.maxRetries) {
    const [least, most] = jitterRange(retry, backoffMs(retry, retries + 1));
    if (!(soonest + least < deadlineMs)) break;
    soonest += least;
    latest += most;
    retries++;
  }
  // Jittered waits are whole milliseconds, and of those that would end too late there is a shorter one that does not.
  return { retries, backoff: Math.min(latest, Math.max(0, Math.ceil(deadlineMs) - 1)) };
}

/** The shortest and the longest that jitter makes of a backoff. */
function jitterRange({ jitter }: RetryPolicy, backoff: number): [least: number, most: number] {
  if (jitter === "none" || backoff === 0) return [backoff, backoff];
  return [jitter === "full" ? 0 : Math.trunc(backoff / 2), Math.ceil(backoff) - 1];
}

/** A wait always ends before the deadline. */
function longestWait(retry: RetryPolicy, deadlineMs: number): number {
  let longest = retry.maxRetryAfterMs;
  for (let n = 1; n <= retry.maxRetries; n++) longest = Math.max(longest, backoffMs(retry, n));
  return Math.min(longest, deadlineMs);
}

/** No more starts fit into the time than the limits allow, wherever their windows are laid (S6.1). */
function underRateLimits(policy: ExecutionPolicy, names: readonly string[], perAction: number): number {
  const { global, perAction: limits } = policy.rateLimit;
  const inTime = ({ limit, windowMs }: { limit: number; windowMs: number }) =>
    limit * Math.ceil(policy.timeout.maxTotalTimeMs / windowMs);
  let total = 0;
  for (const name of new Set(names)) {
    const dispatches = perAction * names.filter((other) => other === name).length;
    const limit = limits !== undefined && Object.hasOwn(limits, name) ? limits[name] : undefined;
    total += limit === undefined ? dispatches : Math.min(dispatches, inTime(limit));
  }
  return global === undefined ? total : Math.min(total, inTime(global));
}

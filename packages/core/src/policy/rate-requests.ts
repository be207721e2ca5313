import type { RateRequest } from "../ports/rate-limiter.js";
import type { ExecutionPolicy } from "./execution-policy.js";

export type { RateRequest };

const NONE: readonly RateRequest[] = Object.freeze([]);

/** The limits that a dispatch of `action` has to keep, taken together (S6.2). */
export function rateRequests(policy: ExecutionPolicy, action: string): readonly RateRequest[] {
  const { global, perAction } = policy.rateLimit;
  const own = perAction !== undefined && Object.hasOwn(perAction, action) ? perAction[action] : undefined;
  if (global === undefined && own === undefined) return NONE;
  const requests: RateRequest[] = [];
  if (global !== undefined) requests.push({ key: "global", ...global });
  if (own !== undefined) requests.push({ key: `action:${action}`, ...own });
  return requests;
}

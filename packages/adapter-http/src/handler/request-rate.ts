import type { RateVerdict } from "@eoc/core";
import { type Answer, ask } from "./ask.js";
import type { HandlerSettings } from "./check-options.js";
import type { HandlerFault } from "./options.js";
import { problem } from "./problem.js";

export interface RequestRate {
  readonly settings: HandlerSettings;
  readonly fail: (fault: HandlerFault, error: unknown) => void;
}

/** Makes what lets as many requests through as the rate limit allows, and tells all of them what it is. */
export function createRequestRate({ settings, fail }: RequestRate) {
  const { rateLimit, clock, policy } = settings;

  return async (request: Request, serve: () => Promise<Response>): Promise<Response> => {
    if (rateLimit === undefined) return serve();
    const { limit, windowMs, limiter, key = () => "" } = rateLimit;
    const nowMs = clock.monotonic();
    const answer: Answer<RateVerdict> = await ask(clock, policy.timeout.portTimeoutMs, () =>
      limiter.acquire([{ key: `execute:${key(request)}`, limit, windowMs }], nowMs),
    );
    const verdict = answer.ok ? verdictOf(answer.value) : undefined;
    if (verdict === undefined) {
      fail("rate_limit", answer.ok ? new Error("not a verdict") : answer.error);
      return problem("rate_limiter_unavailable");
    }
    // draft-ietf-httpapi-ratelimit-headers: the window is in whole seconds.
    const seconds = windowMs % 1000 === 0 ? `;w=${windowMs / 1000}` : "";
    const policyField = { "ratelimit-policy": `"execute";q=${limit}${seconds}` };
    if (!verdict.granted) {
      const wait = Math.max(1, Math.ceil(verdict.retryAfterMs / 1000));
      const fields = { ...policyField, ratelimit: `"execute";r=0;t=${wait}`, "retry-after": `${wait}` };
      return problem("rate_limited", fields);
    }
    verdict.dispatched?.(nowMs);
    const response = await serve();
    for (const [name, value] of Object.entries(policyField)) response.headers.set(name, value);
    return response;
  };
}

function verdictOf(value: unknown): RateVerdict | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const verdict = value as RateVerdict;
  if (verdict.granted === true) return verdict;
  return verdict.granted === false && Number.isFinite(verdict.retryAfterMs) ? verdict : undefined;
}

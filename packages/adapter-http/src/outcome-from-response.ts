import type { HttpHead, HttpOutcome } from "./options.js";
import { rateLimitWaitMs } from "./rate-limit-fields.js";
import { retryAfterMs } from "./retry-after.js";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

// 425: not processed for fear of a replay (RFC 8470 §5.2). 429: not let in (RFC 6585 §4).
const REFUSED_FOR_NOW = new Set([425, 429]);

/** Whether a request of this method asks for no change of state (RFC 9110 §9.2.1). */
export function isSafe(method: string): boolean {
  return SAFE_METHODS.has(method);
}

/** What a response says of the effect of its request: the table in the README. Pure. */
export function outcomeFromResponse(
  request: { method: string; keyed: boolean },
  response: HttpHead & { readonly redirected?: boolean },
  nowMs: () => number,
): HttpOutcome {
  const { headers, redirected } = response;
  // Where a redirect led says as little of the request as one that a browser hides.
  const status = redirected ? 0 : response.status;
  if (status >= 200 && status <= 299) return { ok: true };
  const code = status === 0 ? "http_redirect" : `http_${status}`;
  const asked = status === 429 || status === 503;
  const retryAfter = asked ? (retryAfterMs(headers, nowMs) ?? rateLimitWaitMs(headers)) : undefined;
  const wait = retryAfter === undefined ? undefined : { retryAfterMs: retryAfter };
  const refused = (retryable: boolean): HttpOutcome => ({ ok: false, code, retryable, ...wait });

  if (isSafe(request.method)) return refused(REFUSED_FOR_NOW.has(status) || status === 408 || status >= 500);
  if (REFUSED_FOR_NOW.has(status)) return refused(true);
  // draft-ietf-httpapi-idempotency-key-header §2.7: a request with this key is still being processed.
  const isRunning = status === 409 && request.keyed;
  // 408 and 503, also with Retry-After, are what proxies and time limits answer of a request that was handed on and goes on.
  if (status >= 400 && status <= 499 && status !== 408 && !isRunning) return refused(false);
  return { ok: "unknown", code, ...wait };
}

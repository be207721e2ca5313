import type { HttpHead, HttpOutcome } from "./options.js";
import { rateLimitWaitMs } from "./rate-limit-fields.js";
import { retryAfterMs } from "./retry-after.js";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

// 408: the request did not arrive in full. 425: not processed for fear of a replay. 429: not let in.
const REFUSED_FOR_NOW = new Set([408, 425, 429]);

// The request is to be repeated elsewhere with method and body, so it was not carried out here (RFC 9110 §15.4.8, §15.4.9).
const MOVED_UNCHANGED = new Set([307, 308]);

/** Whether a request of this method asks for no change of state (RFC 9110 §9.2.1). */
export function isSafe(method: string): boolean {
  return SAFE_METHODS.has(method);
}

/** What a response says of the effect of its request: the table in the README. Pure. */
export function outcomeFromResponse(
  request: { method: string; keyed: boolean },
  { status, headers }: HttpHead,
  nowMs: () => number,
): HttpOutcome {
  if (status >= 200 && status <= 299) return { ok: true };
  const code = status === 0 ? "http_redirect" : `http_${status}`;
  const asked = status === 429 || status === 503;
  const retryAfter = asked ? retryAfterMs(headers, nowMs) : undefined;
  const wait = retryAfter ?? (asked ? rateLimitWaitMs(headers) : undefined);
  const refused = (retryable: boolean): HttpOutcome => ({
    ok: false,
    code,
    retryable,
    ...(wait === undefined ? undefined : { retryAfterMs: wait }),
  });

  if (isSafe(request.method)) return refused(REFUSED_FOR_NOW.has(status) || status >= 500);
  // Only Retry-After says that the service did not serve; RateLimit fields are on every answer of a service that sends them.
  if (REFUSED_FOR_NOW.has(status) || (status === 503 && retryAfter !== undefined)) return refused(true);
  if (MOVED_UNCHANGED.has(status)) return refused(false);
  // draft-ietf-httpapi-idempotency-key-header §2.7: a request with this key is still being processed.
  if (status === 409 && request.keyed) return { ok: "unknown", code };
  if (status >= 400 && status <= 499) return refused(false);
  return { ok: "unknown", code };
}

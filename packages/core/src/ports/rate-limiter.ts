/** At most `limit` dispatches start in any window of `windowMs` (S6.1), counted under `key`. */
export interface RateRequest {
  key: string;
  limit: number;
  windowMs: number;
}

/** A limiter's answer: a permit for all that was asked for, or how many milliseconds to wait (S6.2). */
export type RateVerdict =
  | {
      granted: true;
      /** Stamps the permit with the time at which the dispatch started. */
      dispatched?(nowMs: number): void;
      /** Hands the permit back: nothing was dispatched. */
      cancel?(): void;
    }
  | { granted: false /** When it is worth asking again. */; retryAfterMs: number };

/** Grants all of `requests` or none; a refusal consumes nothing (S6.2). `nowMs` is the caller's monotonic time. */
export interface RateLimiter {
  acquire(requests: readonly RateRequest[], nowMs: number): RateVerdict | Promise<RateVerdict>;
}

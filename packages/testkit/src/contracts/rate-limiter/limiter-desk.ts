import type { RateLimiter, RateRequest, RateVerdict } from "@eoc/core";
import type { Desk, UnderTest } from "../contract-case.js";
import { must } from "../expectations.js";

/** A rate limiter under test. */
export interface RateLimiterUnderTest extends UnderTest {
  readonly rateLimiter: RateLimiter;
  /** Opens a second connection to the same counts, as another process would. Needed by `shared`. */
  another?(): RateLimiter | Promise<RateLimiter>;
}

export type LimiterDesk = Desk<RateLimiterUnderTest>;
export type Granted = RateVerdict & { granted: true };
export type Refused = RateVerdict & { granted: false };

/** A request within the window of the case. */
export function request({ spans }: LimiterDesk, limit: number, key = "global"): RateRequest {
  return { key, limit, windowMs: spans.windowMs };
}

/** Asks for a permit. A refusal has to say when to ask again. */
export async function acquire(
  { subject, clock }: LimiterDesk,
  requests: readonly RateRequest[],
  rateLimiter: RateLimiter = subject.rateLimiter,
  nowMs = clock.monotonic(),
): Promise<RateVerdict> {
  const verdict = await rateLimiter.acquire(requests, nowMs);
  if (!verdict.granted) {
    const { retryAfterMs } = verdict;
    must(
      Number.isFinite(retryAfterMs) && retryAfterMs > 0,
      `a refusal must say when to ask again, and said ${retryAfterMs}`,
    );
  }
  return verdict;
}

/** Asks for a permit and dispatches at once where it is granted. */
export async function dispatches(
  desk: LimiterDesk,
  requests: readonly RateRequest[],
  rateLimiter?: RateLimiter,
): Promise<boolean> {
  const verdict = await acquire(desk, requests, rateLimiter);
  if (verdict.granted) await stamp(desk, verdict);
  return verdict.granted;
}

/** Stamps a permit. Limiters that are asynchronous answer nothing: what they do is waited for by other means. */
export async function stamp(desk: LimiterDesk, permit: Granted, nowMs = desk.clock.monotonic()): Promise<void> {
  await permit.dispatched?.(nowMs);
  await desk.settle();
}

/** Hands a permit back. */
export async function handBack(desk: LimiterDesk, permit: Granted): Promise<void> {
  await permit.cancel?.();
  await desk.settle();
}

export async function mustDispatch(desk: LimiterDesk, requests: readonly RateRequest[], when: string): Promise<void> {
  must(await dispatches(desk, requests), `${when}: a permit must be granted`);
}

export async function mustRefuse(desk: LimiterDesk, requests: readonly RateRequest[], when: string): Promise<Refused> {
  const verdict = await acquire(desk, requests);
  must(!verdict.granted, `${when}: a permit must be refused`);
  return verdict;
}

export async function granted(desk: LimiterDesk, requests: readonly RateRequest[]): Promise<Granted> {
  const verdict = await acquire(desk, requests);
  must(verdict.granted, "the first permit must be granted");
  return verdict;
}

import { describe, expect, it } from "vitest";
import { createMemoryRateLimiter } from "../../src/local/memory-rate-limiter.js";
import type { RateVerdict } from "../../src/ports/rate-limiter.js";

describe("S6.1 a key that two policies count over windows of their own", () => {
  it("keeps the limit of each", () => {
    const limiter = createMemoryRateLimiter();
    const starts = (limit: number, windowMs: number, nowMs: number) => {
      const verdict = limiter.acquire([{ key: "a", limit, windowMs }], nowMs) as RateVerdict;
      if (verdict.granted) verdict.dispatched?.(nowMs);
      return verdict.granted || verdict.retryAfterMs;
    };

    expect(starts(1, 1000, 0)).toBe(true);
    expect(starts(1, 10, 50)).toBe(true);
    expect(starts(1, 10, 55)).toBe(5);
    expect(starts(2, 1000, 60)).toBe(940);
    expect(starts(1, 10, 60)).toBe(true);
    expect(starts(2, 1000, 1000)).toBe(50);
    expect(starts(2, 1000, 1050)).toBe(true);
  });
});

function createLimiter(maxKeys: number) {
  const limiter = createMemoryRateLimiter({ maxKeys });
  /** Whether one more of `key` may start, which it then does. */
  function starts(key: string, nowMs: number, limit = 1): boolean {
    const verdict = limiter.acquire([{ key, limit, windowMs: 10 }], nowMs) as RateVerdict;
    if (verdict.granted) verdict.dispatched?.(nowMs);
    return verdict.granted;
  }
  return { limiter, starts };
}

describe("S6.1 a memory limiter with more keys than it may remember", () => {
  it("keeps the limit of a key that is new", () => {
    const { starts } = createLimiter(1);

    expect(starts("a", 0)).toBe(true);
    expect(starts("b", 5)).toBe(true);
    expect(starts("b", 6)).toBe(false);
    expect(starts("b", 15)).toBe(true);
  });

  it("keeps the limit of a key that was idle until now", () => {
    const { starts } = createLimiter(1);
    starts("a", 0);
    starts("b", 5);

    expect(starts("a", 12)).toBe(true);
    expect(starts("a", 13)).toBe(false);
  });

  it("keeps the limit of a key whose permit is not stamped yet", () => {
    const { limiter, starts } = createLimiter(1);
    const open = limiter.acquire([{ key: "a", limit: 1, windowMs: 10 }], 0) as RateVerdict & { granted: true };
    for (let key = 0; key < 20; key++) starts(`other-${key}`, 100 * key);

    expect(starts("a", 2000)).toBe(false);
    open.cancel?.();
    expect(starts("a", 2000)).toBe(true);
  });

  it("keeps the limits of all keys, however many are busy at once", () => {
    const { starts } = createLimiter(10);
    const keys = Array.from({ length: 100 }, (_, key) => `k-${key}`);

    expect(keys.map((key) => starts(key, 0))).toEqual(keys.map(() => true));
    expect(keys.map((key) => starts(key, 9))).toEqual(keys.map(() => false));
    expect(keys.map((key) => starts(key, 10))).toEqual(keys.map(() => true));
    expect(keys.map((key) => starts(key, 19))).toEqual(keys.map(() => false));
  });
});

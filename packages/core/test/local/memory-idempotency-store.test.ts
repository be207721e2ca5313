import { describe, expect, it } from "vitest";
import { createMemoryIdempotencyStore } from "../../src/local/memory-idempotency-store.js";

function createStore(maxEntries: number) {
  let nowMs = 0;
  const clock = { now: () => nowMs, monotonic: () => nowMs, setTimer: () => () => {} };
  const store = createMemoryIdempotencyStore({ maxEntries, clock });
  function claim(key: string) {
    const verdict = store.claim(key, { fingerprint: "f", leaseMs: 1000, nowMs });
    if (verdict.state !== "claimed") throw new Error(verdict.state);
    return verdict.token;
  }
  return {
    store,
    complete: (key: string, ttlMs = 1e9) => store.complete(key, claim(key), { value: key, ttlMs }),
    completed: () => store.list({ state: "completed" }).map(({ key }) => key),
    passTime: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe("S7.2 a memory store with more records than it may keep", () => {
  it("keeps the newest, however many come", () => {
    const { complete, completed } = createStore(3);
    const keys = Array.from({ length: 5000 }, (_, index) => `k-${index}`);

    for (const [index, key] of keys.entries()) {
      complete(key);
      expect(completed()).toEqual(keys.slice(Math.max(0, index - 2), index + 1));
    }
  });

  it("counts the age of a key that ran out from its newer record", () => {
    const { complete, completed, passTime } = createStore(2);
    complete("a", 10);
    complete("b");
    passTime(10);
    complete("a");
    complete("c");

    expect(completed().sort()).toEqual(["a", "c"]);
    complete("d");
    expect(completed().sort()).toEqual(["c", "d"]);
  });

  it("forgets the oldest that is left, not one that ran out before", () => {
    const { complete, completed, passTime, store } = createStore(2);
    complete("a", 10);
    complete("b", 10);
    passTime(10);
    expect(store.list()).toEqual([]);
    for (const key of ["c", "d", "e"]) complete(key);

    expect(completed()).toEqual(["d", "e"]);
  });
});

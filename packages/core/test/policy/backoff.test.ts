import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs } from "../../src/policy/backoff.js";
import { definePolicy } from "../../src/policy/execution-policy.js";
import { jitteredMs } from "../../src/policy/jitter.js";
import { readVectors, type VectorCase } from "../support.js";

const vectors = readVectors(new URL("../vectors/backoff.json", import.meta.url));

interface Input {
  policy: { initial_backoff_ms: number; max_backoff_ms: number; backoff_multiplier: number };
  attempt_numbers: number[];
}

function ours({ input }: VectorCase): number[] {
  const { policy, attempt_numbers } = input as unknown as Input;
  const retry = {
    ...definePolicy().retry,
    initialBackoffMs: policy.initial_backoff_ms,
    maxBackoffMs: policy.max_backoff_ms,
    backoffMultiplier: policy.backoff_multiplier,
  };
  return attempt_numbers.map((n) => backoffMs(retry, n) + 0); // −0 is 0.
}

describe("backoffMs (S3.5)", () => {
  for (const vector of vectors.section("cases")) {
    it(`agrees with the reference: ${vector.name}`, () => {
      expect(ours(vector)).toEqual((vector.expected["values"] as number[]).map((ms) => ms + 0));
    });
  }

  for (const vector of vectors.section("upstream_gaps")) {
    it(`is capped where the reference raises: ${vector.name}`, () => {
      expect(ours(vector)).toEqual((vector as never as { suggested_port_values: number[] }).suggested_port_values);
    });
  }

  for (const vector of vectors.section("pow_sensitive")) {
    it(`is within 1 ms where engines' powers differ: ${vector.name}`, () => {
      const values = vector.expected["values"] as number[];
      for (const [i, ms] of ours(vector).entries()) expect(Math.abs(ms - values[i]!)).toBeLessThanOrEqual(1);
    });
  }

  for (const vector of vectors.section("off_contract")) {
    const { policy, attempt_numbers } = vector.input as unknown as Input;
    const values = Object.values(policy);
    // Nobody asks for retry −1 or 0.5.
    if (!attempt_numbers.every((n) => Number.isInteger(n) && n >= 0)) continue;
    if (values.every((value) => typeof value === "number" && value >= 0)) {
      it(`agrees off the contract too: ${vector.name}`, () => {
        expect(ours(vector)).toEqual(vector.expected["values"]);
      });
    } else {
      it(`is not asked for such a policy: ${vector.name}`, () => {
        const retry = {
          initialBackoffMs: policy.initial_backoff_ms,
          maxBackoffMs: policy.max_backoff_ms,
          backoffMultiplier: policy.backoff_multiplier,
        };
        expect(() => definePolicy({ retry })).toThrow("invalid policy: retry.");
      });
    }
  }

  it("never exceeds the cap, is never negative and never NaN", () => {
    const ms = fc.double({ min: 0, max: 1e300, noNaN: true });
    fc.assert(
      fc.property(ms, ms, ms, fc.integer({ min: -5, max: 2000 }), (initialBackoffMs, maxBackoffMs, multiplier, n) => {
        const retry = { ...definePolicy().retry, initialBackoffMs, maxBackoffMs, backoffMultiplier: multiplier };
        const value = backoffMs(retry, n);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(maxBackoffMs);
      }),
    );
  });
});

describe("jitteredMs (S3.5)", () => {
  const key = { seed: "s", executionId: "e", actionIndex: 0, attempt: 1 };

  it("is the backoff itself without jitter", () => {
    expect(jitteredMs("none", 1234, key)).toBe(1234);
  });

  it("stays within its range and depends on nothing but its key", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e9 }),
        fc.string(),
        fc.nat(1000),
        fc.nat(50),
        (ms, seed, actionIndex, attempt) => {
          const drawn = { ...key, seed, actionIndex, attempt };
          const full = jitteredMs("full", ms, drawn);
          const equal = jitteredMs("equal", ms, drawn);
          expect(full).toBeGreaterThanOrEqual(0);
          expect(full).toBeLessThanOrEqual(ms);
          expect(equal).toBeGreaterThanOrEqual(Math.trunc(ms / 2));
          expect(equal).toBeLessThanOrEqual(ms);
          expect(jitteredMs("full", ms, { ...drawn })).toBe(full);
        },
      ),
    );
  });

  it("S8.4 is the same for the same key in every release", () => {
    const draws = [0, 1, 2].map((attempt) =>
      jitteredMs("full", 100_000, { seed: "seed", executionId: "exec-1", actionIndex: 0, attempt }),
    );
    expect(draws).toEqual([26361, 76115, 93862]);
  });

  it("spreads evenly over executions", () => {
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const bucket = Math.floor(jitteredMs("full", 1000, { ...key, executionId: `e${i}` }) / 100);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

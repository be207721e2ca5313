import { describe, expect, it } from "vitest";
import { definePolicy, type EocError, isEocError } from "../../src/index.js";

function issuesOf(input: unknown): string[] {
  try {
    definePolicy(input as never);
  } catch (error) {
    expect(isEocError(error)).toBe(true);
    const { code, issues, message } = error as EocError;
    expect(code).toBe("invalid_policy");
    for (const { path } of issues!) expect(message).toContain(path);
    return issues!.map(({ path, expected, received }) => `${path}: ${expected}, not ${received}`);
  }
  return [];
}

describe("definePolicy", () => {
  it("fills in every default", () => {
    expect(definePolicy()).toEqual({
      retry: {
        maxRetries: 3,
        initialBackoffMs: 100,
        maxBackoffMs: 5000,
        backoffMultiplier: 2,
        jitter: "none",
        maxRetryAfterMs: 60_000,
      },
      timeout: { attemptTimeoutMs: 5000, maxTotalTimeMs: 30_000, abortGraceMs: 100, portTimeoutMs: 1000 },
      idempotency: {
        enabled: false,
        keyGenerator: "action+context_hash",
        ttlMs: 86_400_000,
        leaseMs: 30_000,
        onInProgress: "deny",
        onUnknown: "stop",
      },
      rateLimit: { onExceeded: "wait" },
      maxConcurrency: 1,
      onFailure: "stop",
      onHalt: "abort",
      defaultEffect: "once",
    });
  });

  it("freezes what it returns, all the way down, and takes it back as it is", () => {
    const policy = definePolicy({
      rateLimit: { global: { limit: 1, windowMs: 5 }, perAction: { ACT: { limit: 1, windowMs: 5 } } },
    });
    const frozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    for (const each of [policy, definePolicy(), definePolicy({ retry: {}, timeout: {}, rateLimit: {} })])
      expect(frozen(each)).toBe(true);
    expect(definePolicy(policy)).toBe(policy);
    expect(definePolicy({ ...policy })).toEqual(policy);
  });

  it("does not read its input again", () => {
    const input = { retry: { maxRetries: 1 } };
    const policy = definePolicy(input);
    input.retry.maxRetries = 9;
    expect(policy.retry.maxRetries).toBe(1);
  });

  it("reads every field once: what was checked is what counts", () => {
    let reads = 0;
    const retry = {
      get maxRetries() {
        return reads++ === 0 ? 1 : 99_999;
      },
    };
    expect(definePolicy({ retry }).retry.maxRetries).toBe(1);
  });

  it("takes nothing for defined that only looks like it", () => {
    const lookalike = { ...definePolicy(), maxConcurrency: 0 };
    expect(issuesOf(lookalike)).toEqual(["maxConcurrency: an integer >= 1, not 0"]);
    expect(issuesOf(Object.create(definePolicy(), { maxConcurrency: { value: 0, enumerable: true } }))).toHaveLength(1);
  });

  it("names every field that is wrong, with what was expected", () => {
    expect(issuesOf({ retry: { maxRetries: 1.5, jitter: "some" }, timeout: { portTimeoutMs: 0 }, onHalt: 7 })).toEqual([
      "retry.maxRetries: an integer from 0 to 10000, not 1.5",
      'retry.jitter: one of "none", "full", "equal", not string',
      "timeout.portTimeoutMs: a finite number >= 1, not 0",
      'onHalt: one of "abort", "finish", not 7',
    ]);
  });

  const wrong: [string, unknown, string][] = [
    ["NaN", { timeout: { maxTotalTimeMs: Number.NaN } }, "timeout.maxTotalTimeMs: a finite number >= 0, not NaN"],
    [
      "an endless time",
      { timeout: { maxTotalTimeMs: Number.POSITIVE_INFINITY } },
      "timeout.maxTotalTimeMs: a finite number >= 0, not Infinity",
    ],
    ["null", { retry: { maxBackoffMs: null } }, "retry.maxBackoffMs: a finite number >= 0, not null"],
    ["a section of another kind", { retry: [] }, "retry: a plain object, not array"],
    ["a policy of another kind", "fast", ": a plain object, not string"],
    ["a section that is null", { timeout: null }, "timeout: a plain object, not null"],
    ["rate limits of another kind", { rateLimit: 5 }, "rateLimit: a plain object, not 5"],
    [
      "limits of actions that are none",
      { rateLimit: { perAction: [] } },
      "rateLimit.perAction: a plain object, not array",
    ],
    ["a truth in place of a number", { maxConcurrency: true }, "maxConcurrency: an integer >= 1, not true"],
    ["a number in words", { retry: { maxRetries: "3" } }, "retry.maxRetries: an integer from 0 to 10000, not string"],
    [
      "more retries than can be counted on",
      { retry: { maxRetries: 10_001 } },
      "retry.maxRetries: an integer from 0 to 10000, not 10001",
    ],
    ["concurrency 0", { maxConcurrency: 0 }, "maxConcurrency: an integer >= 1, not 0"],
    [
      "a limit without window",
      { rateLimit: { global: { limit: 1 } } },
      "rateLimit.global.windowMs: a finite number >= 1, not undefined",
    ],
    [
      "a key generator that is none",
      { idempotency: { keyGenerator: "hash" } },
      'idempotency.keyGenerator: "action+context_hash" or a function, not string',
    ],
  ];
  for (const [what, input, issue] of wrong) {
    it(`refuses ${what}`, () => {
      expect(issuesOf(input)).toEqual([issue]);
    });
  }

  it("says all that is wrong in one message, and calls the whole of it the policy", () => {
    expect(() => definePolicy("fast" as never)).toThrow("invalid policy: policy must be a plain object");
    expect(() => definePolicy({ maxConcurrency: 0, onHalt: "go" as never })).toThrow(
      'invalid policy: maxConcurrency must be an integer >= 1; onHalt must be one of "abort", "finish"',
    );
  });

  it("refuses fields that it does not know: a misspelt bound is no bound", () => {
    expect(
      issuesOf({
        retries: 3,
        retry: { maxretries: 1 },
        rateLimit: { perSecond: 1, perAction: { ACT: { limit: 1, windowMs: 1, burst: 2 } } },
      }),
    ).toEqual([
      "retry.maxretries: one of maxRetries, initialBackoffMs, maxBackoffMs, backoffMultiplier, jitter, maxRetryAfterMs, not an unknown field",
      "rateLimit.perSecond: one of global, perAction, onExceeded, not an unknown field",
      "rateLimit.perAction.ACT.burst: one of limit, windowMs, not an unknown field",
      "retries: one of retry, timeout, idempotency, rateLimit, maxConcurrency, onFailure, onHalt, defaultEffect, not an unknown field",
    ]);
  });

  it("never shows a string that it was given", () => {
    expect(
      JSON.stringify(issuesOf({ retry: "hunter2", onHalt: "hunter2", timeout: { portTimeoutMs: "hunter2" } })),
    ).not.toContain("hunter2");
  });
});

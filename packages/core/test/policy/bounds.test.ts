import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  definePolicy,
  type ExecutionPolicyInput,
  explainPolicy,
  planExecution,
} from "../../src/index.js";
import { aDecision, createVirtualClock, hangs, plan, rejects, runScript, succeeds, throws } from "../support.js";

const planOf = (actions: number, policy: ExecutionPolicyInput) =>
  planExecution(aDecision({ actions: plan(actions).actions as never }), definePolicy(policy));
const boundsOf = (policy: ExecutionPolicyInput, actions = 1) =>
  explainPolicy(definePolicy(policy), planOf(actions, policy));

describe("explainPolicy", () => {
  it("is never exceeded, by any policy, plan and executor", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          retry: fc.record({
            maxRetries: fc.nat(6),
            initialBackoffMs: fc.nat(200),
            backoffMultiplier: fc.constantFrom(0, 0.5, 1, 2, 3),
            maxBackoffMs: fc.nat(1000),
            maxRetryAfterMs: fc.nat(500),
            jitter: fc.constantFrom("none" as const, "full" as const, "equal" as const),
          }),
          timeout: fc.record({ attemptTimeoutMs: fc.nat(300), maxTotalTimeMs: fc.nat(2000), abortGraceMs: fc.nat(50) }),
          rateLimit: fc.record({
            global: fc.record({ limit: fc.integer({ min: 1, max: 5 }), windowMs: fc.integer({ min: 1, max: 400 }) }),
          }),
          maxConcurrency: fc.integer({ min: 1, max: 3 }),
          onFailure: fc.constantFrom("stop" as const, "continue" as const),
          defaultEffect: fc.constantFrom("once" as const, "idempotent" as const),
        }),
        fc.nat(4),
        fc.array(
          fc.oneof(
            fc.constant(rejects("x")),
            fc.constant(rejects("x", { retryAfterMs: 300 })),
            fc.constant(throws()),
            fc.constant(hangs({ ignoresAbort: true })),
            fc.nat(100).map((afterMs) => succeeds(1, { afterMs })),
          ),
          { minLength: 1, maxLength: 4 },
        ),
        async (policy, actions, steps) => {
          const bounds = boundsOf(policy, actions);
          const { report, events, calls } = await runScript(steps, {
            decision: plan(actions),
            policy,
            options: { rateLimiter: createMemoryRateLimiter() },
          });
          expect(calls.length).toBeLessThanOrEqual(bounds.maxDispatches);
          for (const row of report.actions) expect(row.attemptCount).toBeLessThanOrEqual(bounds.maxDispatchesPerAction);
          expect(report.totalLatencyMs).toBeLessThanOrEqual(bounds.maxWallMs);
          const waits = events.flatMap((event) =>
            event.type === "wait.finished" && event.cause === "backoff" ? [event] : [],
          );
          for (const { waitedMs } of waits) expect(waitedMs).toBeLessThanOrEqual(bounds.maxRetryWaitMs);
          if (steps.some(({ text }) => text.includes("retryAfterMs"))) return;
          for (const { index } of report.actions) {
            const own = waits.filter(({ actionIndex }) => actionIndex === index);
            expect(own.reduce((sum, { waitedMs }) => sum + waitedMs, 0)).toBeLessThanOrEqual(bounds.maxBackoffMs);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  for (const [what, policy, actions] of [
    ["the defaults", {}, 1],
    ["several actions", { retry: { maxRetries: 2 } }, 3],
    ["no retries", { retry: { maxRetries: 0 } }, 2],
    ["a deadline that cuts the retries short", { retry: { maxRetries: 10 }, timeout: { maxTotalTimeMs: 1500 } }, 1],
    ["no time at all", { timeout: { maxTotalTimeMs: 0 } }, 2],
    ["thousands of retries without backoff", { retry: { maxRetries: 10_000, initialBackoffMs: 0 } }, 1],
  ] as [string, ExecutionPolicyInput, number][]) {
    it(`dispatches and backoff are reached: ${what}`, async () => {
      const bounds = boundsOf(policy, actions);
      const { report, calls, events } = await runScript([rejects("busy")], {
        decision: plan(actions),
        policy: { ...policy, onFailure: "continue" },
      });
      expect(calls).toHaveLength(bounds.maxDispatches);
      expect(Math.max(...report.actions.map(({ attemptCount }) => attemptCount))).toBe(bounds.maxDispatchesPerAction);
      const waited = events.flatMap((event) =>
        event.type === "wait.finished" && event.cause === "backoff" && event.actionIndex === 0 ? [event.waitedMs] : [],
      );
      expect(waited.reduce((sum, ms) => sum + ms, 0)).toBe(bounds.maxBackoffMs);
    });
  }

  for (const [what, jitter, maxTotalTimeMs, longest] of [
    ["full, cut short by the deadline", "full", 10, 9],
    ["full, with time to spare", "full", 100, 14],
    ["equal, cut short by the deadline", "equal", 10, 9],
    ["equal, with time to spare", "equal", 100, 14],
    ["equal, with time for one retry alone", "equal", 8, 7],
  ] as const) {
    it(`backoff with jitter is reached, by some seed, and never exceeded: ${what}`, async () => {
      const retry = { jitter, initialBackoffMs: 8, backoffMultiplier: 1, maxRetries: 2 } as const;
      const policy = { retry, timeout: { maxTotalTimeMs } };
      const waited = new Set<number>();
      for (let seed = 0; seed < 400; seed++) {
        const { report } = await runScript([rejects("busy")], { policy, options: { seed: `${seed}` } });
        waited.add(report.actions[0]!.waitedMs);
      }
      expect(Math.max(...waited)).toBe(longest);
      expect(boundsOf(policy).maxBackoffMs).toBe(longest);
    });
  }

  it("dispatches under a rate limit are reached", async () => {
    const policy = {
      retry: { maxRetries: 9, initialBackoffMs: 0 },
      timeout: { maxTotalTimeMs: 1000 },
      rateLimit: { global: { limit: 2, windowMs: 300 } },
    };
    const { calls } = await runScript([rejects("busy")], {
      policy,
      options: { rateLimiter: createMemoryRateLimiter() },
    });
    expect(calls).toHaveLength(8);
    expect(boundsOf(policy).maxDispatches).toBe(8);
  });

  it("a limit of one action bounds that action alone", () => {
    const policy = definePolicy({ rateLimit: { perAction: { EXIT: { limit: 1, windowMs: 60_000 } } } });
    const mixed = planExecution(
      aDecision({ actions: [{ action: "ACT" }, { action: "EXIT" }, { action: "HOLD" }] }),
      policy,
    );
    expect(explainPolicy(policy, mixed).maxDispatches).toBe(5);
  });

  it("the longest wait between attempts is reached", async () => {
    const policy = { retry: { maxRetryAfterMs: 700 }, timeout: { maxTotalTimeMs: 5000 } };
    const { events } = await runScript([rejects("busy", { retryAfterMs: 700 })], { policy });
    const waits = events.flatMap((event) => (event.type === "wait.finished" ? [event.waitedMs] : []));
    expect(Math.max(...waits)).toBe(boundsOf(policy).maxRetryWaitMs);
    expect(boundsOf({ retry: { maxRetries: 0 } }).maxRetryWaitMs).toBe(0);
  });

  it("the wall time is reached when executor and store hang", async () => {
    const clock = createVirtualClock();
    const policy = {
      timeout: { attemptTimeoutMs: 10_000, maxTotalTimeMs: 2000, abortGraceMs: 70, portTimeoutMs: 300 },
      idempotency: { enabled: true },
    };
    const store = { ...createMemoryIdempotencyStore({ clock }), markUnknown: () => new Promise<never>(() => {}) };
    const { report } = await runScript([hangs({ ignoresAbort: true })], {
      clock,
      policy,
      options: { idempotencyStore: store },
    });
    expect(report.totalLatencyMs).toBe(boundsOf(policy).maxWallMs);
  });
});

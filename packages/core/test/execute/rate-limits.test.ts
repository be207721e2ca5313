import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryRateLimiter, execute, type RateLimiter } from "../../src/index.js";
import { createFakeKillSwitch, createVirtualClock, plan, rejects, runScript, succeeds } from "../support.js";

/** The most starts that any half-open window of that length holds. */
function mostInAnyWindow(starts: readonly number[], windowMs: number): number {
  return Math.max(
    0,
    ...starts.map((from) => starts.filter((start) => start >= from && start < from + windowMs).length),
  );
}

describe("S6.1 at most `limit` starts in every window", () => {
  it("wherever the window is laid, for any traffic, retries included", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 10, max: 200 }),
        fc.array(fc.tuple(fc.nat(300), fc.nat(60), fc.boolean()), { minLength: 1, maxLength: 12 }),
        async (limit, windowMs, traffic) => {
          const clock = createVirtualClock();
          const rateLimiter = createMemoryRateLimiter();
          const starts: number[] = [];
          await clock.run(() =>
            Promise.all(
              traffic.map(async ([startsAt, takesMs, fails]) => {
                await clock.sleep(startsAt);
                return execute(
                  plan(2),
                  {},
                  {
                    maxConcurrency: 2,
                    onFailure: "continue",
                    retry: { maxRetries: 1, initialBackoffMs: 7 },
                    rateLimit: { global: { limit, windowMs } },
                  },
                  async () => {
                    starts.push(clock.monotonic());
                    await clock.sleep(takesMs);
                    return fails ? { ok: false, code: "busy" } : { ok: true };
                  },
                  { clock, rateLimiter },
                );
              }),
            ),
          );
          expect(mostInAnyWindow(starts, windowMs)).toBeLessThanOrEqual(limit);
          expect(starts.length).toBeGreaterThanOrEqual(Math.min(limit, traffic.length * 2));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("exactly a window apart is fine", async () => {
    const { calls, report } = await runScript([succeeds()], {
      decision: plan(3),
      policy: { rateLimit: { global: { limit: 1, windowMs: 250 } } },
      options: { rateLimiter: createMemoryRateLimiter() },
    });
    expect(calls.map(({ startedAtMs }) => startedAtMs - report.startedAtMs)).toEqual([0, 250, 500]);
  });

  it("a permit is stamped at the dispatch, however long the kill switch took in between", async () => {
    const clock = createVirtualClock();
    const killSwitch = { read: () => clock.sleep(90).then(() => ({ halted: false })) };
    const { calls, report } = await runScript([succeeds()], {
      clock,
      decision: plan(2),
      policy: { maxConcurrency: 2, rateLimit: { global: { limit: 1, windowMs: 100 } } },
      options: { rateLimiter: createMemoryRateLimiter(), killSwitch },
    });
    expect(calls[0]!.startedAtMs - report.startedAtMs).toBe(90);
    expect(calls[1]!.startedAtMs - calls[0]!.startedAtMs).toBeGreaterThanOrEqual(100);
  });

  it("a wall-clock step neither stalls nor opens it", async () => {
    const { calls, report } = await runScript([succeeds()], {
      decision: plan(3),
      policy: { rateLimit: { global: { limit: 1, windowMs: 1000 } } },
      options: { rateLimiter: createMemoryRateLimiter() },
      at: { 500: ({ clock }) => clock.stepWall(-3_600_000), 1500: ({ clock }) => clock.stepWall(9_000_000) },
    });
    expect(report.totalLatencyMs).toBe(2000);
    expect(calls).toHaveLength(3);
  });
});

describe("S6.2 several limits", () => {
  it("are asked for by the same names in every execution: limiters are shared", async () => {
    const asked: unknown[] = [];
    const inner = createMemoryRateLimiter();
    const rateLimiter: RateLimiter = {
      acquire: (requests, nowMs) => {
        asked.push(requests);
        return inner.acquire(requests, nowMs);
      },
    };
    await runScript([succeeds()], {
      decision: plan([{ action: "ACT" }, { action: "EXIT" }]),
      policy: {
        rateLimit: { global: { limit: 9, windowMs: 50 }, perAction: { EXIT: { limit: 3, windowMs: 20 } } },
      },
      options: { rateLimiter },
    });
    expect(asked).toEqual([
      [{ key: "global", limit: 9, windowMs: 50 }],
      [
        { key: "global", limit: 9, windowMs: 50 },
        { key: "action:EXIT", limit: 3, windowMs: 20 },
      ],
    ]);
  });

  it("are taken all together or not at all: a refusal consumes nothing", async () => {
    const rateLimiter = createMemoryRateLimiter();
    const both = {
      global: { limit: 3, windowMs: 60_000 },
      perAction: { ACT: { limit: 1, windowMs: 60_000 } },
      onExceeded: "deny" as const,
    };
    const first = await runScript([succeeds()], {
      decision: plan(3),
      policy: { rateLimit: both, onFailure: "continue" },
      options: { rateLimiter },
    });
    expect(first.calls).toHaveLength(1);
    const other = await runScript([succeeds()], {
      decision: plan([{ action: "EXIT" }, { action: "EXIT" }, { action: "EXIT" }]),
      policy: { rateLimit: both, onFailure: "continue" },
      options: { rateLimiter },
    });
    expect(other.calls).toHaveLength(2);
  });
});

describe("S6.3 onExceeded", () => {
  const policy = (onExceeded: "wait" | "deny", maxTotalTimeMs = 30_000) => ({
    timeout: { maxTotalTimeMs },
    rateLimit: { global: { limit: 1, windowMs: 1000 }, onExceeded },
  });

  it("wait: in order of arrival, if it fits the deadline", async () => {
    const clock = createVirtualClock();
    const rateLimiter = createMemoryRateLimiter();
    const order: number[] = [];
    await clock.run(() =>
      Promise.all(
        [0, 1, 2, 3, 4].map(async (i) => {
          await clock.sleep(i * 300);
          await execute(
            { action: "ACT" },
            {},
            policy("wait"),
            () => {
              order.push(i);
              return { ok: true };
            },
            { clock, rateLimiter },
          );
        }),
      ),
    );
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  it("wait: nobody overtakes one who waits, whatever time the steps in between take", async () => {
    const clock = createVirtualClock();
    const rateLimiter = createMemoryRateLimiter();
    const order: number[] = [];
    // Permits of the first are stamped late, so that the others are told different times to come back.
    const killSwitch = { read: () => clock.sleep(order.length === 0 ? 40 : 0).then(() => ({ halted: false })) };
    const reports = await clock.run(() =>
      Promise.all(
        [0, 10, 60, 139, 140, 141].map(async (startsAt, i) => {
          await clock.sleep(startsAt);
          return execute(
            { action: "ACT" },
            {},
            { rateLimit: { global: { limit: 1, windowMs: 100 } } },
            () => {
              order.push(i);
              return { ok: true };
            },
            { clock, rateLimiter, killSwitch },
          );
        }),
      ),
    );
    expect(reports.map(({ status }) => status)).toEqual(new Array(6).fill("success"));
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    expect(clock.monotonic()).toBe(540);
  });

  it("wait: one who stops waiting holds up nobody", async () => {
    const clock = createVirtualClock();
    const rateLimiter = createMemoryRateLimiter();
    const setup = { clock, policy: policy("wait"), options: { rateLimiter } };
    await runScript([succeeds()], setup);
    const controller = new AbortController();
    const first = runScript([succeeds()], { ...setup, options: { rateLimiter, signal: controller.signal } });
    await clock.advance(10);
    const second = runScript([succeeds()], setup);
    await clock.advance(10);
    controller.abort();
    await first;
    expect((await second).report).toMatchObject({ status: "success", totalLatencyMs: 990 });
  });

  it("wait: else refuses at once", async () => {
    const { report } = await runScript([succeeds()], {
      decision: plan(2),
      policy: policy("wait", 900),
      options: { rateLimiter: createMemoryRateLimiter() },
    });
    expect(report.actions[1]).toMatchObject({ status: "denied", reason: "rate_limited" });
    expect(report).toMatchObject({ totalLatencyMs: 0, failClosed: false });
  });

  it("deny: refuses at once", async () => {
    const { report } = await runScript([succeeds()], {
      decision: plan(2),
      policy: policy("deny"),
      options: { rateLimiter: createMemoryRateLimiter() },
    });
    expect(report.actions[1]).toMatchObject({ status: "denied", reason: "rate_limited" });
  });

  it("an aborted wait gives everything back", async () => {
    const rateLimiter = createMemoryRateLimiter();
    const clock = createVirtualClock();
    const setup = { clock, policy: policy("wait"), options: { rateLimiter } };
    await runScript([succeeds()], setup);
    const controller = new AbortController();
    const waiting = runScript([succeeds()], { ...setup, options: { rateLimiter, signal: controller.signal } });
    await clock.advance(500);
    controller.abort();
    expect((await waiting).report.reason).toBe("cancelled");
    const { report } = await runScript([succeeds()], setup);
    expect(report).toMatchObject({ status: "success", totalLatencyMs: 500 });
  });
});

describe("S6.4 a shared limiter", () => {
  it("holds across executions", async () => {
    const clock = createVirtualClock();
    const rateLimiter = createMemoryRateLimiter();
    const starts: number[] = [];
    await clock.run(() =>
      Promise.all(
        Array.from({ length: 10 }, () =>
          execute(
            { action: "ACT" },
            {},
            { rateLimit: { global: { limit: 2, windowMs: 100 } } },
            () => {
              starts.push(clock.monotonic());
              return { ok: true };
            },
            { clock, rateLimiter },
          ),
        ),
      ),
    );
    expect(starts).toEqual([0, 0, 100, 100, 200, 200, 300, 300, 400, 400]);
  });

  const broken: [string, () => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("x");
      },
    ],
    ["hangs", () => new Promise(() => {})],
    ["answers nonsense", () => ({ granted: "yes" })],
    ["refuses without a time", () => ({ granted: false })],
  ];
  for (const [what, acquire] of broken) {
    it(`that ${what} denies, fail-closed`, async () => {
      const { report, calls } = await runScript([succeeds()], {
        policy: policyWithLimit,
        options: { rateLimiter: { acquire } as RateLimiter },
      });
      expect(report).toMatchObject({ status: "denied", reason: "rate_limiter_unavailable", failClosed: true });
      expect(calls).toEqual([]);
    });
  }
  const policyWithLimit = { rateLimit: { global: { limit: 1, windowMs: 10 } } };

  it("gets a permit back that it granted too late", async () => {
    const clock = createVirtualClock();
    let cancelled = 0;
    const rateLimiter: RateLimiter = {
      acquire: () => clock.sleep(5000).then(() => ({ granted: true as const, cancel: () => void cancelled++ })),
    };
    const { report } = await runScript([succeeds()], { clock, policy: policyWithLimit, options: { rateLimiter } });
    expect(report.reason).toBe("rate_limiter_unavailable");
    await clock.runUntilIdle();
    expect(cancelled).toBe(1);
  });

  it("and other ports whose notices reject later trouble nobody: no rejection is left unhandled", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    const rejectsLater = (async () => {
      throw new Error("lost");
    }) as () => never;
    const rateLimiter: RateLimiter = {
      acquire: () => ({ granted: true, dispatched: rejectsLater, cancel: rejectsLater }),
    };
    const options = {
      rateLimiter,
      bulkhead: { tryEnter: () => true, queue: () => undefined, leave: rejectsLater },
      retryBudget: { tryTake: () => true, succeeded: rejectsLater },
      killSwitch: { read: () => ({ halted: false }), subscribe: () => rejectsLater },
    };
    const { report } = await runScript([succeeds()], { policy: policyWithLimit, options });
    expect(report.status).toBe("success");
    const denied = { ...options, killSwitch: { read: () => ({ halted: true }) } };
    expect((await runScript([succeeds()], { policy: policyWithLimit, options: denied })).report.status).toBe("denied");
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  it("that a policy needs and nobody gave denies (missing_port)", async () => {
    const { report } = await runScript([succeeds()], { policy: policyWithLimit, decision: plan(2) });
    expect(report).toMatchObject({ status: "denied", reason: "missing_port", failClosed: true, deniedCount: 2 });
    expect(report.issues![0]!.path).toBe("options.rateLimiter");
  });

  it("is asked for no more than a retry needs", async () => {
    const { report, calls } = await runScript([rejects("busy"), succeeds()], {
      policy: { rateLimit: { global: { limit: 1, windowMs: 1000 } } },
      options: { rateLimiter: createMemoryRateLimiter(), killSwitch: createFakeKillSwitch() },
    });
    expect(calls.map(({ startedAtMs }) => startedAtMs - report.startedAtMs)).toEqual([0, 1000]);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Bulkhead,
  createBulkhead,
  createMemoryRateLimiter,
  type ExecuteOptions,
  type ExecutionEvent,
  type ExecutionPolicyInput,
  type Executor,
  execute,
  type RateLimiter,
  reportFromEvents,
} from "../../src/index.js";
import { createFakeKillSwitch, createVirtualClock, hangs, plan, rejects, runScript, succeeds } from "../support.js";

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
        fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
        async (limit, windowMs, traffic, slots) => {
          const clock = createVirtualClock();
          const bulkhead = slots && createBulkhead({ limit: slots });
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
                  { clock, rateLimiter, ...(bulkhead && { bulkhead }) },
                );
              }),
            ),
          );
          expect(mostInAnyWindow(starts, windowMs)).toBeLessThanOrEqual(limit);
          expect(starts).toHaveLength(traffic.reduce((sum, [, , fails]) => sum + (fails ? 4 : 2), 0));
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

  /** Many executions of one action each, begun at once, under one limiter. */
  async function crowd(
    size: number,
    limit: number,
    { gateMs = 0, takesMs = 0, bulkhead }: { gateMs?: number; takesMs?: number; bulkhead?: Bulkhead },
  ) {
    const clock = createVirtualClock();
    const rateLimiter = createMemoryRateLimiter();
    const starts: [who: number, atMs: number][] = [];
    const asked = new Array<number>(size).fill(0);
    const waits: ExecutionEvent[] = [];
    const one = (who: number) =>
      execute(
        { action: "ACT" },
        {},
        { rateLimit: { global: { limit, windowMs: 100 } } },
        async () => {
          starts.push([who, clock.monotonic()]);
          await clock.sleep(takesMs);
          return { ok: true };
        },
        {
          clock,
          rateLimiter,
          ...(bulkhead && { bulkhead }),
          gates: [
            async () => {
              asked[who]!++;
              await clock.sleep(gateMs);
              return { allow: true };
            },
          ],
          onEvent: (event) => {
            if (event.type === "wait.started") waits.push(event);
          },
        },
      );
    const reports = await clock.run(() => Promise.all(asked.map((_, who) => one(who))));
    expect(reports.map(({ status }) => status)).toEqual(new Array(size).fill("success"));
    return { order: starts.map(([who]) => who), times: starts.map(([, atMs]) => atMs), asked, waits };
  }

  const inOrder = (size: number) => Array.from({ length: size }, (_, who) => who);

  it("wait: those who have to queue for a slot as well keep their order, and ask nobody in vain", async () => {
    const { order, times, asked, waits } = await crowd(12, 3, {
      gateMs: 1,
      takesMs: 15,
      bulkhead: createBulkhead({ limit: 2 }),
    });
    expect(order).toEqual(inOrder(12));
    expect(times).toEqual([1, 1, 17, 102, 103, 118, 203, 204, 219, 304, 305, 320]);
    // On arrival; a little early; when nobody is before; and when the limiter has said to come back.
    expect(Math.max(...asked)).toBeLessThanOrEqual(4);
    expect(waits.length).toBeLessThan(12 * 7);
  });

  it("wait: a slow gate bounds how many are served no more than it must", async () => {
    const { order, times } = await crowd(80, 40, { gateMs: 10 });
    expect(order).toEqual(inOrder(80));
    expect(times.filter((atMs) => atMs === 10)).toHaveLength(40);
    // One, two, four, eight … one after the other would take 400 ms.
    expect(times.at(-1)).toBeLessThan(200);
  });

  it("wait: a slow gate leaves none of the limit unused, window after window", async () => {
    const { order, times, asked } = await crowd(240, 40, { gateMs: 5 });
    expect(order).toEqual(inOrder(240));
    for (let window = 0; window < 6; window++)
      expect(times.filter((atMs) => Math.floor(atMs / 100) === window)).toHaveLength(40);
    expect(Math.max(...asked)).toBeLessThanOrEqual(5);
  });

  it("wait: who is behind waits for a turn, not for a time, and says so", async () => {
    const { waits, asked } = await crowd(5, 1, {});
    const untilMs = waits.map((event) => "untilMs" in event);
    // The second has nobody before him; each that follows is asked a little early once, but for the last, who has no need to be.
    expect(untilMs).toEqual([true, false, false, false, true, false, true, false, true]);
    expect(asked).toEqual([1, 2, 3, 4, 4]);
  });

  for (const listens of [false, true]) {
    const who = listens ? "with a listener" : "unheard";
    /** Three actions that wait for permits, of which there are so many at a time. */
    const three = async (limit: number, given: ExecuteOptions, policy: ExecutionPolicyInput) => {
      const clock = createVirtualClock();
      const rateLimiter = createMemoryRateLimiter();
      const rateLimit = { global: { limit, windowMs: 60 } };
      const options = { clock, rateLimiter, ...given, ...(listens && { onEvent: () => {} }) };
      const called: number[] = [];
      const before = { clock, rateLimiter, executionId: "before" };
      await execute(plan(limit), {}, { rateLimit }, () => ({ ok: true }), before);
      const executor: Executor = (_, { actionIndex }) => {
        called.push(actionIndex);
        return { ok: false, code: "no", retryable: false };
      };
      const all = { rateLimit, maxConcurrency: 3, timeout: { maxTotalTimeMs: 100 }, ...policy };
      const { actions } = await clock.run(() => execute(plan(3), {}, all, executor, options));
      return { called, reasons: actions.map(({ reason }) => reason) };
    };

    it(`wait: who is granted a permit is heard out before the next has his turn, ${who} (S5.2, S8.3)`, async () => {
      const { called, reasons } = await three(2, {}, { onFailure: "stop" });
      expect(called).toEqual([0]);
      expect(reasons).toEqual(["rejected", "prior_action_failed", "prior_action_failed"]);
    });

    it(`wait: who has the next turn is granted the permit that was handed back before, ${who} (S8.3)`, async () => {
      const { reasons } = await three(1, { approval: { digest: "another" } }, { onFailure: "continue" });
      expect(reasons).toEqual(["approval_mismatch", "approval_mismatch", "approval_mismatch"]);
    });
  }

  it("wait: who stops being the first, however that comes, gives the turn to the next", async () => {
    const clock = createVirtualClock();
    const rateLimiter = createMemoryRateLimiter();
    const setup = { clock, policy: policy("wait", 2500), options: { rateLimiter } };
    await runScript([succeeds()], setup);
    const signal = (atMs: number) => {
      const controller = new AbortController();
      clock.setTimer(() => controller.abort(), atMs);
      return controller.signal;
    };
    const endings = [
      runScript([succeeds()], { ...setup, options: { rateLimiter, signal: signal(100) } }),
      runScript([succeeds()], {
        ...setup,
        policy: policy("wait", 1800),
        options: { rateLimiter, signal: signal(200) },
      }),
      runScript([succeeds()], setup),
      runScript([succeeds()], setup),
      // It has no time: the first before it is served at the earliest at its deadline.
      runScript([succeeds()], { ...setup, policy: policy("wait", 1000) }),
      runScript([succeeds()], { ...setup, policy: policy("wait", 1500) }),
    ];
    const rows = (await clock.run(() => Promise.all(endings))).map(({ report }) => [
      report.reason ?? report.status,
      report.totalLatencyMs,
    ]);
    expect(rows).toEqual([
      ["cancelled", 100],
      ["cancelled", 200],
      ["success", 1000],
      ["success", 2000],
      ["rate_limited", 0],
      // As soon as whoever is before is told to come back after its deadline.
      ["rate_limited", 1000],
    ]);
  });

  it("wait: who is halted in the moment of his turn has none", async () => {
    const clock = createVirtualClock();
    const rateLimiter = createMemoryRateLimiter();
    const [first, second] = [new AbortController(), new AbortController()];
    const setup = { clock, policy: { rateLimit: { perAction: { ACT: { limit: 1, windowMs: 1000 } } } } };
    await runScript([succeeds()], { ...setup, options: { rateLimiter } });
    // Heard after the first has left the line, and before the second has heard that it did.
    const onEvent = ({ type }: ExecutionEvent) => {
      if (type === "action.finished") second.abort();
    };
    const running = [
      runScript([succeeds()], { ...setup, options: { rateLimiter, signal: first.signal, onEvent } }),
      // With another action in flight, it goes on after its halt.
      runScript([hangs({ ignoresAbort: true }), succeeds()], {
        ...setup,
        decision: plan([{ action: "EXIT" }, { action: "ACT" }]),
        policy: { ...setup.policy, maxConcurrency: 2 },
        options: { rateLimiter, signal: second.signal },
      }),
      runScript([succeeds()], { ...setup, options: { rateLimiter } }),
    ];
    clock.setTimer(() => first.abort(), 100);
    const reports = (await clock.run(() => Promise.all(running))).map(({ report }) => report);
    expect(reports.map(({ reason, totalLatencyMs }) => [reason, totalLatencyMs])).toEqual([
      ["cancelled", 100],
      ["cancelled", 200],
      [undefined, 1000],
    ]);
    expect(reports[1]!.actions).toMatchObject([{ status: "unknown" }, { status: "denied", reason: "cancelled" }]);
  });

  it("wait: who is still behind somebody at the deadline is refused then", async () => {
    const clock = createVirtualClock();
    const rateLimiter = createMemoryRateLimiter();
    const gate = () => clock.sleep(300).then(() => ({ allow: true as const }));
    const setup = { clock, policy: policy("wait") };
    const first = runScript([succeeds()], { ...setup, options: { rateLimiter } });
    const slow = runScript([succeeds()], { ...setup, options: { rateLimiter, gates: [gate] } });
    await clock.advance(301);
    const behind = runScript([succeeds()], {
      ...setup,
      policy: policy("wait", 900),
      options: { rateLimiter },
    });
    const reports = (await clock.run(() => Promise.all([first, slow, behind]))).map(({ report }) => report);
    expect(reports.map(({ totalLatencyMs }) => totalLatencyMs)).toEqual([0, 1300, 900]);
    expect(reports[2]).toMatchObject({ status: "denied", reason: "rate_limited", failClosed: false });
  });

  it("wait: who waits for something else meanwhile holds up nobody", async () => {
    const clock = createVirtualClock();
    const rateLimiter = createMemoryRateLimiter();
    let isOpen = true;
    const gate = () =>
      isOpen ? { allow: true as const } : { allow: false as const, code: "later", retryAfterMs: 700 };
    const setup = { clock, policy: policy("wait"), options: { rateLimiter } };
    await runScript([succeeds()], setup);
    const gated = runScript([succeeds()], { ...setup, options: { rateLimiter, gates: [gate] } });
    const next = runScript([succeeds()], setup);
    isOpen = false;
    clock.setTimer(() => {
      isOpen = true;
    }, 1500);
    const latencies = (await clock.run(() => Promise.all([gated, next]))).map(({ report }) => report.totalLatencyMs);
    expect(latencies).toEqual([2000, 1000]);
  });

  it("wait: nobody of another key is held up, but by who waits for both", async () => {
    const clock = createVirtualClock();
    const rateLimiter = createMemoryRateLimiter();
    const limits = { perAction: { ACT: { limit: 1, windowMs: 1000 }, EXIT: { limit: 1, windowMs: 100 } } };
    const run = (action: "ACT" | "EXIT", global?: { limit: number; windowMs: number }) =>
      runScript([succeeds()], {
        clock,
        decision: { action },
        policy: { rateLimit: { ...limits, ...(global && { global }) } },
        options: { rateLimiter },
      }).then(({ report }) => report.totalLatencyMs);
    const both = { limit: 9, windowMs: 50 };
    const running = [
      run("ACT"),
      run("EXIT"),
      run("ACT"),
      run("EXIT"),
      run("ACT", both),
      run("EXIT", both),
      run("EXIT"),
    ];
    expect(await clock.run(() => Promise.all(running))).toEqual([0, 0, 1000, 100, 2000, 2000, 2100]);
  });

  it("wait: else refuses at once", async () => {
    const { report } = await runScript([succeeds()], {
      decision: plan(2),
      policy: policy("wait", 900),
      options: { rateLimiter: createMemoryRateLimiter() },
    });
    expect(report.actions[1]).toMatchObject({ status: "denied", reason: "rate_limited", retryAfterMs: 1000 });
    expect(report).toMatchObject({ totalLatencyMs: 0, failClosed: false });
  });

  it("deny: refuses at once", async () => {
    const { report, events } = await runScript([succeeds()], {
      decision: plan(2),
      policy: policy("deny"),
      options: { rateLimiter: createMemoryRateLimiter() },
    });
    expect(report.actions[1]).toMatchObject({ status: "denied", reason: "rate_limited", retryAfterMs: 1000 });
    expect(report.actions[0]).not.toHaveProperty("retryAfterMs");
    expect(reportFromEvents(events)).toEqual(report);
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
    const limitless = await runScript([succeeds()], { policy: { rateLimit: { perAction: {} } } });
    expect(limitless.report.status).toBe("success");
  });

  it("is asked for no more than a retry needs", async () => {
    const { report, calls } = await runScript([rejects("busy"), succeeds()], {
      policy: { rateLimit: { global: { limit: 1, windowMs: 1000 } } },
      options: { rateLimiter: createMemoryRateLimiter(), killSwitch: createFakeKillSwitch() },
    });
    expect(calls.map(({ startedAtMs }) => startedAtMs - report.startedAtMs)).toEqual([0, 1000]);
  });
});

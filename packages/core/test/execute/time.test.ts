import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import {
  type AttemptContext,
  type Clock,
  createBulkhead,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  createSystemClock,
  type ExecutionEvent,
  type ExecutionReport,
  execute,
  fingerprintOf,
  type IdempotencyStore,
  planExecution,
  type RateLimiter,
  type RateVerdict,
} from "../../src/index.js";
import {
  createVirtualClock,
  hangs,
  plan,
  rejects,
  runScript,
  succeeds,
  succeedsLate,
  throws,
  type VirtualClock,
} from "../support.js";

const never = () => new Promise<never>(() => {});

describe("S4.1 the bound of an execution", () => {
  it("holds when the executor and every port hang and the listener throws", async () => {
    const clock = createVirtualClock();
    const hanging = { claim: never, renew: never, complete: never, release: never, markUnknown: never };
    for (const ports of [
      { idempotencyStore: hanging },
      { killSwitch: { read: never } },
      { rateLimiter: { acquire: never } },
      { journal: { append: never } },
      { gates: [never] },
      {},
    ]) {
      const started = clock.monotonic();
      const report = await clock.run(() =>
        execute(
          plan(3),
          {},
          {
            timeout: { maxTotalTimeMs: 3000, abortGraceMs: 50, portTimeoutMs: 400 },
            onFailure: "continue",
            idempotency: { enabled: "idempotencyStore" in ports },
            ...("rateLimiter" in ports ? { rateLimit: { global: { limit: 1, windowMs: 1 } } } : {}),
          },
          never,
          {
            clock,
            ...ports,
            onEvent: () => {
              throw new Error("listener");
            },
          },
        ),
      );
      expect(report.failClosed).toBe(true);
      expect(clock.monotonic() - started).toBeLessThanOrEqual(3450);
    }
    expect(clock.pending).toBe(0);
  });

  it("limits every call of a port by portTimeoutMs", async () => {
    const { report } = await runScript([succeeds()], {
      policy: { timeout: { portTimeoutMs: 120 } },
      options: { gates: [never] },
    });
    expect(report).toMatchObject({ totalLatencyMs: 120, reason: "gate_unavailable" });
  });
});

describe("S4.2 the limit of an attempt", () => {
  it("is no time when it is 0: what answers at once is in time, all else is unknown", async () => {
    const policy = { timeout: { attemptTimeoutMs: 0 } };
    expect((await runScript([succeeds()], { policy })).report).toMatchObject({ status: "success", totalLatencyMs: 0 });
    const { calls, report } = await runScript([succeeds(undefined, { afterMs: 1 })], { policy });
    expect([calls.length, report.status]).toEqual([1, "unknown"]);
    expect(report.actions[0]).toMatchObject({ status: "unknown", reason: "attempt_timeout" });
  });

  it("is the smaller of the attempt's and what remains, with reasons that tell them apart", async () => {
    const timeout = { attemptTimeoutMs: 300, maxTotalTimeMs: 500 };
    const { calls, report } = await runScript([hangs()], { policy: { defaultEffect: "idempotent", timeout } });
    expect(
      calls.map(({ startedAtMs, endedAtMs }) => [startedAtMs, endedAtMs].map((ms) => ms! - report.startedAtMs)),
    ).toEqual([
      [0, 300],
      [400, 500],
    ]);
    expect(calls.map(({ abortedWith }) => abortedWith)).toEqual(["attempt_timeout", "deadline"]);
    expect(report.actions[0]).toMatchObject({ status: "unknown", reason: "deadline_exceeded" });
  });

  it("is told to the executor as deadlineMs on the monotonic scale", async () => {
    const clock = createVirtualClock();
    await clock.advance(1000);
    let seen: AttemptContext | undefined;
    await clock.run(() =>
      execute(
        { action: "ACT" },
        {},
        {},
        (_, attempt) => {
          seen = attempt;
          return { ok: true };
        },
        { clock },
      ),
    );
    expect(seen!.deadlineMs).toBe(6000);
  });
});

describe("S3.6 the deadline", () => {
  it("gives a slot that comes free right then to nobody: nothing is intended any more", async () => {
    const { events, report, clock } = await runScript(
      ({ index }) => (index === 0 ? rejects("busy", { retryAfterMs: 600 }) : hangs()),
      {
        decision: plan([
          { action: "ACT", effect: "idempotent" },
          { action: "ACT", effect: "idempotent" },
        ]),
        policy: {
          onFailure: "continue",
          retry: { initialBackoffMs: 0 },
          timeout: { attemptTimeoutMs: 500, maxTotalTimeMs: 900, abortGraceMs: 100 },
        },
      },
    );
    expect(clock.monotonic()).toBe(900);
    const late = events.filter(({ type, atMs }) => type === "attempt.intended" && atMs >= report.startedAtMs + 900);
    expect(late).toEqual([]);
    expect(report.actions.map(({ reason }) => reason)).toEqual(["deadline_exceeded", "deadline_exceeded"]);
  });
});

describe("S4.3 no two attempts of an action overlap", () => {
  it("uses an answer within the grace, marked late; a once-only action ends there", async () => {
    const well = await runScript([succeedsLate(5050)]);
    expect(well.report.actions[0]).toMatchObject({ status: "success", reason: "completed" });
    expect(well.report.attempts[0]).toMatchObject({ late: true, latencyMs: 5050 });
    const refused = await runScript([{ ...rejects("busy", { afterMs: 5050 }), ignoresAbort: true }]);
    expect(refused.calls).toHaveLength(1);
    expect(refused.report.actions[0]).toMatchObject({ status: "failed", reason: "attempt_timeout" });
  });

  it("blocks further attempts of a once-only action that has not settled", async () => {
    const { report, calls, world } = await runScript([hangs({ ignoresAbort: true, applied: true })], {
      decision: plan(1),
    });
    expect(calls).toHaveLength(1);
    expect(world.count()).toBe(1);
    expect(report.actions[0]).toMatchObject({
      status: "unknown",
      reason: "attempt_timeout",
      basis: "timeout",
      latencyMs: 5100,
    });
  });

  for (const effect of ["idempotent", "none"] as const) {
    it(`waits for the settlement of an ${effect} action before the next attempt, and backs off from it`, async () => {
      const slow = { ...throws(new Error("x"), { afterMs: 7000 }), ignoresAbort: true };
      const { calls, report } = await runScript([slow, succeeds()], { policy: { defaultEffect: effect } });
      expect(calls.map(({ startedAtMs }) => startedAtMs - report.startedAtMs)).toEqual([0, 7100]);
      expect(report.status).toBe("success");
    });
  }

  it("takes a late success as the outcome of an idempotent action", async () => {
    const { calls, report } = await runScript([succeedsLate(9000)], { policy: { defaultEffect: "idempotent" } });
    expect(calls).toHaveLength(1);
    expect(report).toMatchObject({ status: "success", totalLatencyMs: 9000 });
    expect(report.attempts[0]!.late).toBe(true);
  });

  it("gives up on an idempotent action at the deadline", async () => {
    const { calls, report } = await runScript([hangs({ ignoresAbort: true })], {
      policy: { defaultEffect: "idempotent", timeout: { maxTotalTimeMs: 8000 } },
    });
    expect(calls).toHaveLength(1);
    expect(report).toMatchObject({ status: "unknown", totalLatencyMs: 8000, failClosed: true });
  });
});

describe("S4.4 true concurrency", () => {
  it("counts what has not settled: an unsettled dispatch keeps its slot", async () => {
    let inFlight = 0;
    let most = 0;
    const clock = createVirtualClock();
    const report = await clock.run(() =>
      execute(
        plan(6),
        {},
        {
          maxConcurrency: 2,
          onFailure: "continue",
          timeout: { attemptTimeoutMs: 100, abortGraceMs: 10, maxTotalTimeMs: 5000 },
        },
        async ({ index }) => {
          most = Math.max(most, ++inFlight);
          await clock.sleep(index < 2 ? 1000 : 50);
          inFlight--;
          return { ok: true };
        },
        { clock },
      ),
    );
    expect(most).toBe(2);
    expect(report.actions.map(({ status }) => status)).toEqual([
      "unknown",
      "unknown",
      "success",
      "success",
      "success",
      "success",
    ]);
    expect(report.totalLatencyMs).toBe(1100);
  });

  it("denies at the deadline what never got a slot", async () => {
    const { report } = await runScript([hangs({ ignoresAbort: true })], {
      decision: plan(3),
      policy: { onFailure: "continue", timeout: { attemptTimeoutMs: 100, maxTotalTimeMs: 700 } },
    });
    expect(report.actions.map(({ status, reason }) => [status, reason])).toEqual([
      ["unknown", "attempt_timeout"],
      ["denied", "deadline_exceeded"],
      ["denied", "deadline_exceeded"],
    ]);
    expect(report.totalLatencyMs).toBe(700);
  });
});

describe("S4.5 a settlement after the report", () => {
  it("is an event, and never changes the report", async () => {
    const { report, clock, events } = await runScript([succeedsLate(20_000, "late")]);
    const before = JSON.stringify(report);
    expect(events.at(-1)!.type).toBe("execution.finished");
    await clock.runUntilIdle();
    expect(events.at(-1)).toMatchObject({ type: "attempt.settled_late", status: "success", seq: events.length - 1 });
    expect(JSON.stringify(report)).toBe(before);
    expect(report.actions[0]!.value).toBeUndefined();
  });
});

describe("S4.6 signals", () => {
  it("are fresh for each attempt, and made only when asked for", async () => {
    const signals: AbortSignal[] = [];
    const { clock } = { clock: createVirtualClock() };
    const made = globalThis.AbortController;
    let count = 0;
    globalThis.AbortController = class extends made {
      constructor() {
        super();
        count++;
      }
    };
    try {
      await clock.run(() => execute({ action: "ACT" }, {}, {}, async () => ({ ok: true }), { clock }));
      expect(count).toBe(0);
      await clock.run(() =>
        execute(
          { action: "ACT" },
          {},
          { defaultEffect: "idempotent", retry: { maxRetries: 1 } },
          async (_, attempt) => {
            signals.push(attempt.signal, attempt.signal);
            throw new Error("x");
          },
          { clock },
        ),
      );
    } finally {
      globalThis.AbortController = made;
    }
    expect(count).toBe(2);
    expect(signals[0]).toBe(signals[1]);
    expect(signals[2]).not.toBe(signals[0]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false, false]);
  });

  it("are aborted with an error without a stack, and leave the stacks of others as they were", async () => {
    const before = Error.stackTraceLimit;
    let reason: unknown;
    await runScript(
      (_, attempt) => {
        attempt.signal.addEventListener("abort", () => {
          reason = attempt.signal.reason;
        });
        return hangs();
      },
      { policy: { timeout: { attemptTimeoutMs: 5 } } },
    );
    expect(reason).toMatchObject({ code: "attempt_timeout" });
    expect((reason as Error).stack).not.toContain("\n");
    expect(Error.stackTraceLimit).toBe(before);
    expect(new Error("x").stack).toContain("\n");
  });

  it("are aborted already when they are first read after the abort", async () => {
    const clock = createVirtualClock();
    let signal: AbortSignal | undefined;
    await clock.run(() =>
      execute(
        { action: "ACT" },
        {},
        { timeout: { attemptTimeoutMs: 10 } },
        async (_, attempt) => {
          await clock.sleep(50);
          signal = attempt.signal;
          return { ok: true };
        },
        { clock },
      ),
    );
    expect(signal).toMatchObject({ aborted: true, reason: { name: "EocError", code: "attempt_timeout" } });
  });

  it("leave no listener on the caller's and no timer after settling, however many share it", async () => {
    const clock = createVirtualClock();
    const { signal } = new AbortController();
    await clock.run(async () => {
      const running = Array.from({ length: 100 }, () =>
        execute(
          { action: "ACT" },
          {},
          {},
          async () => {
            await clock.sleep(5);
            return { ok: true };
          },
          { clock, signal },
        ),
      );
      await Promise.resolve();
      expect(getEventListeners(signal, "abort")).toHaveLength(1);
      await Promise.all(running);
    });
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    expect(clock.pending).toBe(0);
  });
});

describe("S4.7 all time comes from the clock", () => {
  it("a step of the wall clock changes nothing but timestamps", async () => {
    const plainRun = await runScript([rejects("busy", { afterMs: 10 }), succeeds(1, { afterMs: 10 })]);
    const stepped = await runScript([rejects("busy", { afterMs: 10 }), succeeds(1, { afterMs: 10 })], {
      at: { 5: ({ clock }) => clock.stepWall(-3_600_000), 50: ({ clock }) => clock.stepWall(7_200_000) },
    });
    expect(JSON.stringify(stepped.report)).toBe(JSON.stringify(plainRun.report));
  });

  it("durations above 2^31−1 ms work", async () => {
    const month = 30 * 24 * 3_600_000;
    const { report, calls } = await runScript([rejects("busy", { retryAfterMs: month }), succeeds()], {
      policy: { retry: { maxRetryAfterMs: month }, timeout: { maxTotalTimeMs: 2 * month } },
    });
    expect(report.totalLatencyMs).toBe(month);
    expect(calls).toHaveLength(2);
  });

  /** Runs an execution with a clock that fails at one reading, at every reading once, and says what is left long after. */
  async function leftBehind(
    setUp: (clock: VirtualClock) => { run: (clock: Clock) => Promise<ExecutionReport>; left: () => unknown },
  ) {
    const found = new Set<unknown>();
    let broken = 0;
    for (let at = 0; at < 30; at++) {
      const clock = createVirtualClock();
      const { run, left } = setUp(clock);
      let reads = 0;
      const failing: Clock = {
        now: () => clock.now(),
        setTimer: (callback, ms) => clock.setTimer(callback, ms),
        monotonic: () => {
          if (reads++ === at) throw new Error("the clock failed");
          return clock.monotonic();
        },
      };
      const report = await clock.run(() => run(failing));
      await clock.advance(60_000);
      if (report.reason === "protocol_error") broken++;
      found.add(left());
    }
    expect(broken).toBeGreaterThan(2);
    return [...found];
  }
  const aDecision = plan([{ action: "ACT", idempotency_key: "k" }]);
  const later = (clock: VirtualClock, ms: number) => new Promise<void>((resolve) => clock.setTimer(resolve, ms));

  it("S4.6 a clock that fails once leaves no key claimed, and no timer", async () => {
    const left = await leftBehind((clock) => {
      const memory = createMemoryIdempotencyStore({ clock });
      const idempotencyStore: IdempotencyStore = {
        ...memory,
        claim: (...of) => later(clock, 20).then(() => memory.claim(...of)),
      };
      // While one of the two is with the store, the clock may fail for the other.
      const keys = [0, 1].map((index) => ({ action: "ACT" as const, idempotency_key: `k-${index}` }));
      const decision = plan(keys);
      const policy = { idempotency: { enabled: true, leaseMs: 3000 }, maxConcurrency: 2 };
      const executor = () => later(clock, 50).then(() => ({ ok: true as const }));
      return {
        run: (failing) => execute(decision, {}, policy, executor, { clock: failing, idempotencyStore, onEvent() {} }),
        left: () =>
          `${clock.pending} ${memory.list().some(({ state }) => state === "claimed" || state === "in_progress")}`,
      };
    });
    expect(left).toEqual(["0 false"]);
  });

  it("S7.2 nor is a key that was taken over in doubt released without a proof", async () => {
    const left = await leftBehind((clock) => {
      const memory = createMemoryIdempotencyStore({ clock });
      const fingerprint = fingerprintOf(planExecution(aDecision, {}).actions[0]!);
      const claim = memory.claim("k", { fingerprint, leaseMs: 1000, nowMs: 0 });
      if (claim.state === "claimed") memory.markUnknown("k", claim.token);
      const idempotencyStore: IdempotencyStore = {
        ...memory,
        claim: (...of) => later(clock, 20).then(() => memory.claim(...of)),
      };
      const policy = { idempotency: { enabled: true, onUnknown: "retry" as const } };
      const executor = () => later(clock, 50).then(() => Promise.reject(new Error("reset")));
      return {
        run: (failing) => execute(aDecision, {}, policy, executor, { clock: failing, idempotencyStore, onEvent() {} }),
        left: () =>
          memory
            .list()
            .map(({ state }) => state)
            .join(),
      };
    });
    expect(left).toEqual(["unknown"]);
  });

  it("S4.5 nor is what the executor has said lost: the key is completed, and no event says so that is not so", async () => {
    const left = await leftBehind((clock) => {
      const memory = createMemoryIdempotencyStore({ clock });
      const events: ExecutionEvent[] = [];
      const policy = { idempotency: { enabled: true } };
      const options = { idempotencyStore: memory, onEvent: (event: ExecutionEvent) => events.push(event) };
      return {
        run: (failing) =>
          execute(aDecision, {}, policy, () => later(clock, 50).then(() => ({ ok: true })), {
            ...options,
            clock: failing,
          }),
        left: () => {
          const isDispatched = events.some(({ type }) => type === "attempt.started");
          const said = events.findLast(({ type }) => /^key\.(completed|unknown)$/.test(type));
          return isDispatched ? `${memory.list()[0]?.state} ${said?.type}` : "not dispatched";
        },
      };
    });
    expect(left.sort()).toEqual(["completed key.completed", "not dispatched"]);
  });

  it("S5.4 nor a shared slot taken", async () => {
    for (const isTaken of [true, false]) {
      const left = await leftBehind((clock) => {
        const bulkhead = createBulkhead({ limit: 1 });
        if (isTaken) {
          bulkhead.tryEnter();
          clock.setTimer(() => bulkhead.leave(), 500);
        }
        const executor = () => later(clock, 20).then(() => ({ ok: true as const }));
        return {
          run: (failing) => execute(plan(1), {}, {}, executor, { clock: failing, bulkhead, onEvent() {} }),
          left: () => [bulkhead.tryEnter(), bulkhead.tryEnter()].join(),
        };
      });
      expect(left).toEqual(["true,false"]);
    }
  });

  it("S6.3 nor a permit", async () => {
    const left = await leftBehind((clock) => {
      const limiter = createMemoryRateLimiter();
      const rateLimiter: RateLimiter = {
        acquire: (...of) => later(clock, 20).then(() => limiter.acquire(...of)),
      };
      const policy = { rateLimit: { global: { limit: 1, windowMs: 100 } } };
      return {
        run: (failing) =>
          execute(plan(1), {}, policy, () => ({ ok: true }), { clock: failing, rateLimiter, onEvent() {} }),
        left: () => (limiter.acquire([{ key: "global", limit: 1, windowMs: 100 }], 1e9) as RateVerdict).granted,
      };
    });
    expect(left).toEqual([true]);
  });

  it("the system clock waits as long as it is told, above 2^31−1 ms too", async () => {
    const clock = createSystemClock();
    let fired = false;
    const cancel = clock.setTimer(
      () => {
        fired = true;
      },
      2 ** 31 + 5,
    );
    await new Promise((resolve) => setTimeout(resolve, 15));
    cancel();
    expect(fired).toBe(false);
    const before = clock.monotonic();
    await new Promise<void>((resolve) => clock.setTimer(resolve, 5));
    expect(clock.monotonic()).toBeGreaterThanOrEqual(before + 5);
  });
});

import { describe, expect, it } from "vitest";
import {
  type Clock,
  createRetryBudget,
  type ExecutionEvent,
  type ExecutorResult,
  execute,
  NotAppliedError,
  UnknownOutcomeError,
} from "../../src/index.js";
import {
  createVirtualClock,
  hangs,
  plan,
  rejects,
  returns,
  runScript,
  type ScriptedStep,
  succeeds,
  succeedsLate,
  throws,
} from "../support.js";

const EFFECTS = ["once", "idempotent", "none"] as const;

/** What one action waits for where the first to be asked wants it to wait, under a deadline of a second. */
async function waitsFor(says: { does?: ScriptedStep; gateMs?: number; permitMs?: number }) {
  const { does, gateMs, permitMs } = says;
  const [asked, events]: [string[], ExecutionEvent[]] = [[], []];
  const first = (who: string) => asked.push(who) === 1;
  const { report } = await runScript(does === undefined ? [succeeds()] : [does, succeeds()], {
    clock: createVirtualClock({ startMs: 0 }),
    policy: {
      timeout: { maxTotalTimeMs: 1000 },
      retry: { initialBackoffMs: 0 },
      ...(permitMs !== undefined && { rateLimit: { global: { limit: 1, windowMs: 1 } } }),
    },
    options: {
      onEvent: (event) => void events.push(event),
      ...(gateMs !== undefined && {
        gates: [() => (first("gate") ? { allow: false, code: "later", retryAfterMs: gateMs } : { allow: true })],
      }),
      ...(permitMs !== undefined && {
        rateLimiter: {
          acquire: () => (first("limiter") ? { granted: false, retryAfterMs: permitMs } : { granted: true }),
        },
      }),
    },
  });
  const waits = events.flatMap<object>((event) => {
    if (event.type === "wait.started") return [{ cause: event.cause, untilMs: event.untilMs }];
    return event.type === "wait.finished" ? [{ waitedMs: event.waitedMs }] : [];
  });
  return { waits, report };
}

describe("S3.1 what the executor says decides what may follow", () => {
  const table: {
    what: string;
    step: ScriptedStep;
    status: string;
    reason: string;
    retried: Record<(typeof EFFECTS)[number], boolean>;
    code?: string;
  }[] = [
    {
      what: "resolved ok",
      step: succeeds(5),
      status: "success",
      reason: "completed",
      retried: { once: false, idempotent: false, none: false },
    },
    {
      what: "resolved not ok",
      step: rejects("busy"),
      status: "failed",
      reason: "retries_exhausted",
      retried: { once: true, idempotent: true, none: true },
      code: "busy",
    },
    {
      what: "resolved not ok, not retryable",
      step: rejects("gone", { retryable: false }),
      status: "failed",
      reason: "rejected",
      retried: { once: false, idempotent: false, none: false },
      code: "gone",
    },
    {
      what: "threw",
      step: throws(),
      status: "unknown",
      reason: "execution_exception",
      retried: { once: false, idempotent: true, none: true },
      code: "execution_exception",
    },
    {
      what: "threw NotAppliedError",
      step: throws(new NotAppliedError("refused")),
      status: "failed",
      reason: "retries_exhausted",
      retried: { once: true, idempotent: true, none: true },
      code: "refused",
    },
    {
      what: "timed out",
      step: hangs(),
      status: "unknown",
      reason: "attempt_timeout",
      retried: { once: false, idempotent: true, none: true },
      code: "timeout",
    },
    ...[undefined, null, true, 1, "ok", [], [true], {}, { ok: 1 }, { ok: false }, { ok: false, code: 5 }, () => {}].map(
      (value) => ({
        what: `resolved to ${typeof value === "function" ? "a function" : JSON.stringify(value)}`,
        step: returns(value),
        status: "unknown",
        reason: "invalid_result",
        retried: { once: false, idempotent: false, none: false },
        code: "invalid_result",
      }),
    ),
  ];
  for (const { what, step, status, reason, retried, code } of table) {
    for (const effect of EFFECTS) {
      it(`${what}, effect ${effect}: ${retried[effect] ? "retried" : "never retried"}`, async () => {
        const { report, calls } = await runScript([step], {
          policy: { defaultEffect: effect, retry: { maxRetries: 2 } },
        });
        expect(calls).toHaveLength(retried[effect] ? 3 : 1);
        const last = effect === "none" && status === "unknown" ? "failed" : status;
        expect(report.actions[0]).toMatchObject({
          status: last,
          reason: retried[effect] ? "retries_exhausted" : reason,
        });
        if (code !== undefined) expect(report.actions[0]!.errorCode).toBe(code);
      });
    }
  }

  it("knows a NotAppliedError from another copy of the package by its brand", async () => {
    const alien = Object.assign(new Error("x"), {
      code: "refused",
      retryable: false,
      [Symbol.for("@eoc/core/NotAppliedError")]: true,
    });
    const { report } = await runScript([throws(alien)]);
    expect(report.actions[0]).toMatchObject({ status: "failed", errorCode: "refused", reason: "rejected" });
  });

  it("takes non-errors, hostile errors and synchronous throws for unknown", async () => {
    const hostile = new Proxy(new Error("x"), {
      get: () => {
        throw new Error("hunter2");
      },
    });
    for (const thrown of ["text", undefined, null, 7, hostile]) {
      const report = await execute({ action: "ACT" }, {}, {}, () => {
        throw thrown;
      });
      expect(report.actions[0]).toMatchObject({ status: "unknown", reason: "execution_exception" });
    }
  });

  it("believes an executor once", async () => {
    const clock = createVirtualClock();
    const report = await clock.run(() =>
      execute(
        { action: "ACT" },
        {},
        {},
        () =>
          ({
            // biome-ignore lint/suspicious/noThenProperty: a thenable that answers twice.
            then(resolve: (result: ExecutorResult) => void, reject: (error: unknown) => void) {
              resolve({ ok: true });
              reject(new Error("again"));
            },
          }) as never,
        { clock },
      ),
    );
    expect(report).toMatchObject({ status: "success", attemptCount: 1 });
  });
});

describe("S3.2 the effect class", () => {
  it("is the action's own, else the policy's, else once", async () => {
    const decision = plan([{ action: "ACT", effect: "idempotent" }, { action: "ACT" }]);
    const { calls } = await runScript([throws()], {
      decision,
      policy: { onFailure: "continue", retry: { maxRetries: 1 } },
    });
    expect(calls.map(({ actionIndex }) => actionIndex)).toEqual([0, 1, 0]);
    const none = await runScript([throws()], {
      decision: plan(1),
      policy: { defaultEffect: "none", retry: { maxRetries: 1 } },
    });
    expect(none.calls).toHaveLength(2);
  });
});

describe("ADR 8: a proof gives way to nothing, and without one the stricter reading holds", () => {
  const notApplied = () => ({ state: "not_applied" }) as const;

  it("S3.9 reconcile speaks of the last dispatch: an attempt before it stays unknown", async () => {
    let asked = 0;
    const { report } = await runScript([throws()], {
      decision: plan([{ action: "ACT", effect: "idempotent" }]),
      policy: { retry: { maxRetries: 1 } },
      reconcile: () => ({ state: asked++ === 0 ? "unknown" : "not_applied" }),
    });
    expect(report.attempts.map(({ status }) => status)).toEqual(["unknown", "failed"]);
    expect(report.actions[0]).toMatchObject({ status: "unknown", reason: "retries_exhausted" });
  });

  it("S4.3 what came late proves nothing, reconcile does", async () => {
    const policy = { timeout: { attemptTimeoutMs: 50, abortGraceMs: 50 } };
    const late = { ...throws(new Error("x"), { afterMs: 70 }), ignoresAbort: true };
    const { report } = await runScript([late, succeeds()], { policy, reconcile: notApplied });
    expect(report.attempts.map(({ status, late }) => [status, late ?? false])).toEqual([
      ["failed", true],
      ["success", false],
    ]);
    const refusal = { ...rejects("busy", { afterMs: 70 }), ignoresAbort: true };
    const { report: refused } = await runScript([refusal, succeeds()], { policy, reconcile: notApplied });
    expect(refused.actions[0]).toMatchObject({ status: "failed", reason: "attempt_timeout", attemptCount: 1 });
  });

  it("S3.1 an invalid result is dispatched again on a proof alone", async () => {
    for (const [reconcile, attempts] of [
      [notApplied, 2],
      [() => ({ state: "unknown" }) as const, 1],
    ] as const) {
      const { report } = await runScript([returns(undefined as never), succeeds()], { reconcile });
      expect(report.attemptCount).toBe(attempts);
    }
  });

  it("S10 something abnormal happened on the way, although a plain refusal ended it", async () => {
    const { report } = await runScript([throws(), rejects("no", { retryable: false })], { reconcile: notApplied });
    expect(report.actions[0]).toMatchObject({ status: "failed", reason: "rejected" });
    expect(report.failClosed).toBe(true);
  });
});

describe("S3.3 reconcile", () => {
  it("turns an unknown outcome into a success when the world says so", async () => {
    const { report, calls, world } = await runScript([throws(new Error("lost"), { applied: true })], {
      reconcile: "world",
    });
    expect(report).toMatchObject({ status: "success", successCount: 1, attemptCount: 1 });
    expect(report.actions[0]).toMatchObject({ basis: "reconcile", reason: "reconciled" });
    expect(calls).toHaveLength(1);
    expect(world.count()).toBe(1);
  });

  it("allows the next attempt when the world says that nothing was applied", async () => {
    const { report, calls, world } = await runScript([throws(), succeeds()], { reconcile: "world" });
    expect(report).toMatchObject({ status: "success", attemptCount: 2, failedCount: 1 });
    expect(report.attempts[0]!.status).toBe("failed");
    expect(calls).toHaveLength(2);
    expect(world.count()).toBe(1);
  });

  for (const [what, reconcile] of [
    ["says unknown", () => ({ state: "unknown" })],
    ["says nonsense", () => "applied"],
    [
      "throws",
      () => {
        throw new TypeError("x");
      },
    ],
    ["never answers", () => new Promise(() => {})],
  ] as const) {
    it(`leaves the outcome unknown when it ${what}`, async () => {
      const { report, calls } = await runScript([throws()], { reconcile: reconcile as never });
      expect(report.actions[0]).toMatchObject({ status: "unknown", reason: "execution_exception" });
      expect(calls).toHaveLength(1);
      expect(report.totalLatencyMs).toBeLessThanOrEqual(30_000);
    });
  }

  it("gives the value to the report", async () => {
    const { report } = await runScript([throws()], { reconcile: () => ({ state: "applied", value: 42 }) });
    expect(report.actions[0]!.value).toBe(42);
  });

  it("proves nothing by `not_applied` while the executor still runs", async () => {
    const { report, calls } = await runScript([succeedsLate(9000)], { reconcile: () => ({ state: "not_applied" }) });
    expect(calls).toHaveLength(1);
    expect(report.actions[0]).toMatchObject({ status: "unknown", reason: "attempt_timeout" });
  });

  it("gives way to the executor's own word that comes while it is asked", async () => {
    const { report, clock } = await runScript([succeedsLate(5150)], {
      reconcile: async () => {
        await clockOf().sleep(500);
        return { state: "not_applied" };
      },
      clock: makeClock(),
    });
    expect(report.actions[0]).toMatchObject({ status: "success", reason: "completed" });
    expect(report.attempts[0]).toMatchObject({ status: "success", late: true });
    expect(clock.monotonic()).toBe(5600);
  });

  it("is bounded by the remaining time", async () => {
    const { report } = await runScript([throws(new Error("x"), { afterMs: 900 })], {
      policy: { timeout: { maxTotalTimeMs: 1000 } },
      reconcile: () => new Promise(() => {}),
    });
    expect(report.totalLatencyMs).toBe(1000);
  });
});

let current: ReturnType<typeof createVirtualClock>;
const makeClock = () => (current = createVirtualClock());
const clockOf = () => current;

describe("S3.4 to S3.8 retries", () => {
  it("S3.4 dispatches at most 1 + maxRetries times", async () => {
    for (const maxRetries of [0, 1, 5]) {
      const { calls, report } = await runScript([rejects("busy")], { policy: { retry: { maxRetries } } });
      expect(calls).toHaveLength(1 + maxRetries);
      expect(report.actions[0]).toMatchObject({
        status: "failed",
        reason: "retries_exhausted",
        attemptCount: 1 + maxRetries,
      });
    }
  });

  it("S3.5 backs off by the policy", async () => {
    const { calls, report } = await runScript([rejects("busy")], {
      policy: { retry: { maxRetries: 4, initialBackoffMs: 100, backoffMultiplier: 3, maxBackoffMs: 1000 } },
    });
    const starts = calls.map(({ startedAtMs }) => startedAtMs - report.startedAtMs);
    expect(starts).toEqual([0, 100, 400, 1300, 2300]);
    expect(report.actions[0]!.waitedMs).toBe(2300);
  });

  it("S3.5 takes retryAfterMs as a lower bound", async () => {
    const { calls, report } = await runScript([
      rejects("busy", { retryAfterMs: 250 }),
      rejects("busy", { retryAfterMs: 5 }),
      succeeds(),
    ]);
    expect(calls.map(({ startedAtMs }) => startedAtMs - report.startedAtMs)).toEqual([0, 250, 450]);
  });

  it("S3.5 takes it so of a clock with fractions too, between two readings of which time goes by", async () => {
    const clock = createVirtualClock();
    let drift = 0;
    const fine: Clock = {
      now: () => clock.now(),
      monotonic: () => {
        drift += 0.007;
        return clock.monotonic() + drift;
      },
      setTimer: (callback, ms) => clock.setTimer(callback, ms),
    };
    for (let run = 0; run < 200; run++) {
      const at: number[] = [];
      const executor = async () => {
        at.push(fine.monotonic());
        if (at.length > 1) return { ok: true as const };
        drift += run / 200;
        at[0] = fine.monotonic();
        return { ok: false as const, code: "busy", retryAfterMs: 50 };
      };
      const policy = { retry: { initialBackoffMs: 0 } };
      await clock.run(() => execute({ action: "ACT" }, {}, policy, executor, { clock: fine }));
      expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(50);
    }
  });

  it("S3.5 stops when retryAfterMs is over its limit, or not a time", async () => {
    const long = await runScript([rejects("busy", { retryAfterMs: 60_001 })], {
      policy: { timeout: { maxTotalTimeMs: 1e9 } },
    });
    expect(long.report.actions[0]).toMatchObject({
      status: "failed",
      reason: "retry_after_too_long",
      retryAfterMs: 60_001,
    });
    expect(long.report.totalLatencyMs).toBe(0);
    const endless = await runScript([rejects("busy", { retryAfterMs: Number.POSITIVE_INFINITY })]);
    expect(endless.report.actions[0]!.reason).toBe("retry_after_too_long");
    expect(endless.report.actions[0]).not.toHaveProperty("retryAfterMs");
    const fine = await runScript([rejects("busy", { retryAfterMs: 60_000.5 })]);
    expect(fine.report.actions[0]!.retryAfterMs).toBe(60_001);
    const zero = await runScript([rejects("busy", { retryAfterMs: 0 }), succeeds()]);
    expect(zero.report.status).toBe("success");
  });

  it("S3.5 waits so too after an unknown outcome, where another attempt may follow one", async () => {
    const busy = (retryAfterMs: number) => throws(new UnknownOutcomeError("http_503", { retryAfterMs }));
    const asked = { reconcile: () => ({ state: "not_applied" as const }) };
    for (const setup of [{ decision: plan([{ action: "ACT", effect: "idempotent" }]) }, asked]) {
      const { calls, report } = await runScript(
        [busy(250), throws(new UnknownOutcomeError("lost")), succeeds()],
        setup,
      );
      expect(calls.map(({ startedAtMs }) => startedAtMs - report.startedAtMs)).toEqual([0, 250, 450]);

      const long = await runScript([busy(60_001)], { ...setup, policy: { timeout: { maxTotalTimeMs: 1e9 } } });
      expect(long.report).toMatchObject({ status: setup === asked ? "failed" : "unknown", totalLatencyMs: 0 });
      expect(long.report.actions[0]).toMatchObject({ reason: "retry_after_too_long", retryAfterMs: 60_001 });
      const endless = await runScript([busy(Number.POSITIVE_INFINITY)], setup);
      expect(endless.report.actions[0]!.reason).toBe("retry_after_too_long");
      expect(endless.report.actions[0]).not.toHaveProperty("retryAfterMs");
    }
    const once = await runScript([busy(250)]);
    expect(once.report).toMatchObject({ status: "unknown", attemptCount: 1, totalLatencyMs: 0 });
  });

  it("S3.6 does not sleep towards a dispatch that would start at or after the deadline", async () => {
    const { report, calls } = await runScript([rejects("busy", { retryAfterMs: 1000 })], {
      policy: { timeout: { maxTotalTimeMs: 1000 } },
    });
    expect(calls).toHaveLength(1);
    expect(report).toMatchObject({ totalLatencyMs: 0, failClosed: true });
    expect(report.actions[0]).toMatchObject({ status: "failed", reason: "deadline_exceeded" });
  });

  it.each([
    ["a backoff", "backoff", { does: rejects("busy", { retryAfterMs: 10.3 }) }],
    ["a gate", "gate", { gateMs: 10.3 }],
    ["a limiter", "rate_limit", { permitMs: 10.3 }],
  ] as const)(
    "S3.6 every time is a whole millisecond: what %s says of fractions is rounded up",
    async (_, cause, says) => {
      const { waits, report } = await waitsFor(says);
      expect(waits).toEqual([{ cause, untilMs: 11 }, { waitedMs: 11 }]);
      expect(report.status).toBe("success");
    },
  );

  it.each([
    ["a backoff", "deadline_exceeded", { does: rejects("busy", { retryAfterMs: 999.3 }) }],
    ["a gate", "gate_denied", { gateMs: 999.3 }],
    ["a limiter", "rate_limited", { permitMs: 999.3 }],
  ] as const)(
    "S3.6 a wait for %s that would end in the deadline's last fraction is not begun",
    async (_, reason, says) => {
      const { waits, report } = await waitsFor(says);
      expect(waits).toEqual([]);
      expect(report).toMatchObject({ totalLatencyMs: 0, actions: [{ reason }] });
    },
  );

  it("S3.7 stops when the retry budget is spent, before sleeping", async () => {
    const retryBudget = createRetryBudget({ capacity: 2, refillPerSuccess: 0.5 });
    const first = await runScript([rejects("busy")], { options: { retryBudget } });
    expect(first.calls).toHaveLength(3);
    expect(first.report.actions[0]).toMatchObject({ reason: "retry_budget_exhausted" });
    expect(first.report.totalLatencyMs).toBe(300);
    await runScript([succeeds()], { decision: plan(2), options: { retryBudget } });
    const second = await runScript([rejects("busy")], { options: { retryBudget } });
    expect(second.calls).toHaveLength(2);
  });

  it("S3.7 counts fractions of a retry: ten tenths are one, and no more", () => {
    for (const parts of [3, 7, 10, 49, 1000]) {
      const budget = createRetryBudget({ capacity: 2, refillPerSuccess: 1 / parts });
      expect([budget.tryTake(), budget.tryTake(), budget.tryTake()]).toEqual([true, true, false]);
      for (let success = 0; success < parts - 1; success++) budget.succeeded();
      expect(budget.tryTake()).toBe(false);
      budget.succeeded();
      expect([budget.tryTake(), budget.tryTake()]).toEqual([true, false]);
    }
  });

  it("S3.7 stops, fail-closed, when the budget fails", async () => {
    const throws = () => {
      throw new Error("x");
    };
    for (const tryTake of [throws, () => Promise.reject(new Error("x")) as never]) {
      const retryBudget = { tryTake, succeeded: () => {} };
      const { report } = await runScript([rejects("busy")], { options: { retryBudget } });
      expect(report.actions[0]).toMatchObject({ status: "failed", reason: "retry_budget_unavailable" });
      expect(report.failClosed).toBe(true);
    }
  });

  it("S3.9 an attempt that stayed unknown makes the action unknown, whatever the last one said", async () => {
    const { report } = await runScript([throws(), rejects("gone", { retryable: false })], {
      policy: { defaultEffect: "idempotent" },
    });
    expect(report.actions[0]).toMatchObject({ status: "unknown", reason: "rejected", errorCode: "gone" });
    const read = await runScript([throws(), rejects("gone", { retryable: false })], {
      policy: { defaultEffect: "none" },
    });
    expect(read.report.actions[0]!.status).toBe("failed");
    const well = await runScript([throws(), succeeds()], { policy: { defaultEffect: "idempotent" } });
    expect(well.report).toMatchObject({ status: "success", failClosed: false });
  });
});

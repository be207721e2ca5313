import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import {
  type Clock,
  createBulkhead,
  createMemoryRateLimiter,
  createRetryBudget,
  type ExecuteOptions,
  type ExecutionEvent,
  type ExecutionPolicyInput,
  type ExecutionReport,
  type Executor,
  execute,
  type FinalDecisionInput,
} from "../../src/index.js";
import { createVirtualClock } from "../support.js";

/** A clock that says what it is told to. */
function clockAt(time: { ms: number }, setTimer: Clock["setTimer"] = () => () => {}): Clock {
  return { now: () => 1_000_000 + time.ms, monotonic: () => time.ms, setTimer };
}

/** Executes one action without a machine, as long as all goes well, and with one, which a budget for retries makes necessary. */
async function both(run: (options: ExecuteOptions) => ReturnType<typeof execute>) {
  const plain = await run({ executionId: "e-1" });
  const followed = await run({
    executionId: "e-1",
    retryBudget: createRetryBudget({ capacity: 100, refillPerSuccess: 1 }),
  });
  expect(JSON.stringify(plain)).toBe(JSON.stringify(followed));
  return plain;
}

interface Setup {
  readonly decision?: FinalDecisionInput;
  readonly context?: Record<string, unknown>;
  readonly policy?: ExecutionPolicyInput;
  readonly approval?: ExecuteOptions["approval"];
  readonly twice?: boolean;
}

const DECISION = { action: "ACT" } as const;

function rejectAfter(ms: number) {
  return (clock: Clock) =>
    new Promise<never>((_, reject) => clock.setTimer(() => reject(new TypeError("cancelled")), ms));
}

describe("an execution that has no machine as long as its only action goes well", () => {
  it("S4.3 says that an answer was late also when no timer had the time to say so", async () => {
    const { attempts, status } = await both((options) => {
      const time = { ms: 0 };
      const executor: Executor = () => {
        time.ms = 5001;
        return { ok: true };
      };
      return execute(DECISION, {}, {}, executor, { ...options, clock: clockAt(time) });
    });
    expect(status).toBe("success");
    expect(attempts).toMatchObject([{ late: true, latencyMs: 5001 }]);
  });

  it("S1.1 does not know what became of an attempt whose time cannot be limited", async () => {
    const clock = clockAt({ ms: 0 }, () => {
      throw new Error("no timers");
    });
    const report = await both((options) => {
      return execute(DECISION, {}, {}, async () => ({ ok: true }), { ...options, clock });
    });
    expect(report).toMatchObject({ status: "unknown", reason: "protocol_error", failClosed: true });
  });

  it("S1.1 does not believe a clock that goes back", async () => {
    const report = await both((options) => {
      const time = { ms: 10 };
      const executor: Executor = () => {
        time.ms = 3;
        return { ok: true };
      };
      return execute(DECISION, {}, {}, executor, { ...options, clock: clockAt(time) });
    });
    expect(report.reason).toBe("protocol_error");
  });

  it("S5.4 gives its slot back once, whoever takes part in the end", async () => {
    for (const answers of [
      [{ ok: true }],
      [{ ok: false, code: "busy" }, { ok: true }],
      [{ ok: false, code: "no", retryable: false }],
    ]) {
      const clock = createVirtualClock();
      const bulkhead = createBulkhead({ limit: 1 });
      const queue = [...answers];
      await clock.run(() => execute(DECISION, {}, {}, async () => queue.shift() as never, { clock, bulkhead }));
      expect([bulkhead.tryEnter(), bulkhead.tryEnter()]).toEqual([true, false]);
    }
  });

  it("S5.4 takes no slot where it cannot watch for a cancel, and is denied", async () => {
    const bulkhead = createBulkhead({ limit: 1 });
    const signal = {
      aborted: false,
      addEventListener() {
        throw new Error("no listeners");
      },
    } as unknown as AbortSignal;
    const report = await execute(DECISION, {}, {}, () => ({ ok: true }), { bulkhead, signal });
    expect(report).toMatchObject({ status: "denied", reason: "protocol_error" });
    expect(bulkhead.tryEnter()).toBe(true);
  });

  const ACT = { action: "ACT" as const };
  const needed: [string, Setup, Partial<ExecutionReport>, number | undefined][] = [
    ["a HOLD", { decision: { action: "HOLD" } }, { status: "skipped", reason: "hold" }, undefined],
    ["a list of one HOLD", { decision: { ...ACT, actions: [{ action: "HOLD" }] } }, { reason: "hold" }, undefined],
    ["a list of one", { decision: { action: "HOLD", actions: [ACT] } }, { status: "success" }, 0],
    ["a list of none", { decision: { ...ACT, actions: [] } }, { reason: "no_actions" }, undefined],
    ["what is not allowed", { decision: { ...ACT, allowed: false } }, { reason: "not_allowed" }, undefined],
    ["a throttle", { decision: { ...ACT, throttle_ms: 40 } }, { status: "success" }, 40],
    ["a cooldown", { decision: { ...ACT, cooldown_ms: 70 } }, { cooldownUntilMs: 1_000_070 }, 0],
    ["an approval of something else", { approval: { digest: "other" } }, { reason: "approval_mismatch" }, undefined],
    ["a halted context", { context: { ops_state: "RED" } }, { reason: "kill_switch" }, undefined],
    ["no time", { policy: { timeout: { maxTotalTimeMs: 0 } } }, { reason: "deadline_exceeded" }, undefined],
    ["a key that is missing", { policy: { idempotency: { enabled: true } } }, { reason: "missing_port" }, undefined],
    [
      "a limit of its own",
      { policy: { rateLimit: { perAction: { ACT: { limit: 1, windowMs: 30 } } } }, twice: true },
      { status: "success" },
      30,
    ],
  ];

  for (const [what, { decision = ACT, context = {}, policy = {}, approval, twice }, expected, dispatchedAt] of needed) {
    it(`S10 says of ${what} what it says of all others`, async () => {
      const report = await both(async (options) => {
        const clock = createVirtualClock({ startMs: 1_000_000 });
        let calledAt: number | undefined;
        const executor: Executor = () => {
          calledAt = clock.monotonic();
          return { ok: true };
        };
        const ports: ExecuteOptions = {
          ...options,
          clock,
          rateLimiter: createMemoryRateLimiter(),
          ...(approval && { approval }),
        };
        const run = () => execute(decision, context, policy, executor, ports);
        const report = await clock.run(twice ? () => run().then(run) : run);
        expect(calledAt).toBe(dispatchedAt);
        return report;
      });
      expect(report).toMatchObject(expected);
    });
  }

  it("S8.1 has its record where there is nothing but a journal", async () => {
    const types: string[] = [];
    const journal = { append: ({ type }: ExecutionEvent) => void types.push(type) };
    await execute(DECISION, {}, {}, () => ({ ok: true }), { journal });
    expect(types.at(0)).toBe("execution.started");
    expect(types.at(-1)).toBe("execution.finished");
  });

  it("S4.1 pays no heed to a timer that goes off although it was cancelled", async () => {
    for (const answers of [[{ ok: true }], [{ ok: false, code: "busy" }, { ok: true }]]) {
      const callbacks: (() => void)[] = [];
      const clock = clockAt({ ms: 0 }, (callback) => {
        callbacks.push(callback);
        return () => {};
      });
      const queue = [...answers];
      const executor = async () => {
        for (const callback of callbacks) callback();
        return queue.shift() as never;
      };
      const policy = { retry: { initialBackoffMs: 0 } };
      const report = await execute(DECISION, {}, policy, executor, { clock });
      for (const callback of callbacks) callback();
      expect(report).toMatchObject({ status: "success", attemptCount: answers.length });
    }
  });

  it("S1.1 has its report although a signal cannot be left", async () => {
    const signal = { aborted: false, addEventListener() {} } as unknown as AbortSignal;
    const report = await execute(DECISION, {}, {}, async () => ({ ok: true }), { signal });
    expect(report.status).toBe("success");
  });

  it("S4.6 leaves nothing on a signal that has aborted, even while an executor hangs", async () => {
    const controller = new AbortController();
    const hangs = () => new Promise<never>(() => {});
    const running = execute(DECISION, {}, { timeout: { abortGraceMs: 1 } }, hangs, { signal: controller.signal });
    controller.abort();
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    expect((await running).reason).toBe("cancelled");
  });

  /** What an executor does that is cancelled after 20 ms, and what is said of it. */
  const cancelled: [string, Partial<Setup> & { ends: (clock: Clock) => Promise<unknown> }, Partial<ExecutionReport>][] =
    [
      ["throws", { ends: rejectAfter(0) }, { status: "unknown", reason: "cancelled", haltLatencyMs: 0 }],
      ["throws within the grace", { ends: rejectAfter(99) }, { reason: "cancelled", haltLatencyMs: 99 }],
      ["throws after the grace", { ends: rejectAfter(150) }, { reason: "cancelled", haltLatencyMs: 100 }],
      ["hangs", { ends: () => new Promise(() => {}) }, { status: "unknown", haltLatencyMs: 100, totalLatencyMs: 120 }],
      ["goes well all the same", { ends: async () => ({ ok: true, value: 1 }) }, { status: "success" }],
      ["fails", { ends: async () => ({ ok: false, code: "busy" }) }, { status: "failed", reason: "cancelled" }],
      ["says nothing", { ends: async () => undefined }, { status: "unknown", reason: "invalid_result" }],
      [
        "throws what only reads",
        { ends: rejectAfter(5), decision: { ...DECISION, actions: [{ ...DECISION, effect: "none" }] } },
        { status: "failed", reason: "cancelled", unknownCount: 0 },
      ],
      [
        "throws with a key",
        { ends: rejectAfter(5), decision: { ...DECISION, actions: [{ ...DECISION, idempotency_key: "k-1" }] } },
        { status: "unknown", reason: "cancelled" },
      ],
      [
        "throws after its limit",
        { ends: rejectAfter(15), policy: { timeout: { attemptTimeoutMs: 30 } } },
        { status: "unknown", reason: "cancelled", totalLatencyMs: 35 },
      ],
      [
        "is let finish, and throws",
        { ends: rejectAfter(15), policy: { onHalt: "finish" } },
        { status: "unknown", reason: "execution_exception", totalLatencyMs: 35 },
      ],
    ];

  for (const [what, { ends, decision = DECISION, policy = {} }, expected] of cancelled) {
    it(`S2.4 says the same of a cancelled executor that ${what} as a machine does`, async () => {
      const report = await both(async (options) => {
        const clock = createVirtualClock({ startMs: 1_000_000 });
        const controller = new AbortController();
        clock.setTimer(() => controller.abort(), 20);
        const bulkhead = createBulkhead({ limit: 1 });
        const executor: Executor = (_, { signal }) =>
          new Promise<never>((resolve, reject) => {
            const end = () => ends(clock).then((answer) => resolve(answer as never), reject);
            signal.addEventListener("abort", end);
            if (policy.onHalt === "finish") clock.setTimer(end, 20);
          });
        const ports = { ...options, clock, bulkhead, signal: controller.signal };
        const run = await clock.run(() => execute(decision, {}, policy, executor, ports));
        expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
        return run;
      });
      expect(report).toMatchObject(expected);
    });
  }

  it("S3.3 asks what became of a cancelled attempt wherever it can", async () => {
    const report = await both((options) => {
      const controller = new AbortController();
      const clock = createVirtualClock({ startMs: 1_000_000 });
      clock.setTimer(() => controller.abort(), 20);
      const executor: Executor = {
        execute: (_, { signal }) =>
          new Promise((_, reject) => signal.addEventListener("abort", () => reject(new TypeError("cancelled")))),
        reconcile: () => ({ state: "applied" }),
      };
      return clock.run(() => execute(DECISION, {}, {}, executor, { ...options, clock, signal: controller.signal }));
    });
    expect(report).toMatchObject({ status: "success", actions: [{ reason: "reconciled" }] });
  });

  it("S1.1 has its report although the grace after a cancel cannot be timed", async () => {
    const controller = new AbortController();
    let timers = 0;
    const clock = clockAt({ ms: 0 }, () => {
      if (++timers === 2) throw new Error("no more timers");
      return () => {};
    });
    const hangs = () => new Promise<never>(() => {});
    const running = execute(DECISION, {}, {}, hangs, { clock, signal: controller.signal });
    controller.abort();
    expect(await running).toMatchObject({ status: "unknown", attempts: [{ status: "unknown" }] });
  });

  /** A promise that tells at once whoever asked first, as no ordinary one does. */
  class HeardAtOnce extends Promise<never> {
    resolve!: (answer: unknown) => void;
    reject!: (error: unknown) => void;

    // biome-ignore lint/suspicious/noThenProperty: it is a promise.
    override then(resolve: unknown, reject: unknown): Promise<never> {
      this.resolve ??= resolve as HeardAtOnce["resolve"];
      this.reject ??= reject as HeardAtOnce["reject"];
      return this;
    }
  }

  it.each<[string, (heard: HeardAtOnce) => void, Partial<ExecutionReport>]>([
    ["goes well", ({ resolve }) => resolve({ ok: true, value: 1 }), { status: "success" }],
    ["fails", ({ resolve }) => resolve({ ok: false, code: "busy" }), { status: "failed", reason: "cancelled" }],
    ["throws", ({ reject }) => reject(new TypeError("cancelled")), { status: "unknown", reason: "cancelled" }],
  ])("S4.3 S4.6 hears what %s while it is told to stop, and leaves no timer", async (_, end, expected) => {
    const report = await both(async (options) => {
      const clock = createVirtualClock({ startMs: 1_000_000 });
      const controller = new AbortController();
      clock.setTimer(() => controller.abort(), 20);
      const executor: Executor = (_, { signal }) => {
        const heard = new HeardAtOnce(() => {});
        signal.addEventListener("abort", () => end(heard));
        return heard;
      };
      const run = await clock.run(() =>
        execute(DECISION, {}, {}, executor, { ...options, clock, signal: controller.signal }),
      );
      expect([clock.monotonic(), clock.pending]).toEqual([20, 0]);
      return run;
    });
    expect(report).toMatchObject({ ...expected, totalLatencyMs: 20 });
  });

  it("hands the same action and the same ids to every attempt", async () => {
    const clock = createVirtualClock();
    const seen: unknown[][] = [];
    const executor: Executor = async (action, { executionId, context, attempt }) => {
      seen.push([action, executionId, context]);
      return attempt === 0 ? { ok: false, code: "busy" } : { ok: true };
    };
    const report = await clock.run(() => execute(DECISION, { account: "a-17" }, {}, executor, { clock }));
    expect(seen).toHaveLength(2);
    expect(seen[1]![0]).toBe(seen[0]![0]);
    expect(seen[1]!.slice(1)).toEqual([report.executionId, { account: "a-17" }]);
    expect(seen[0]!.slice(1)).toEqual(seen[1]!.slice(1));
  });

  it("is told apart from all others by a random UUID of version 4", async () => {
    const reports = await Promise.all(
      Array.from({ length: 1000 }, () => execute(DECISION, {}, {}, () => ({ ok: true as const }))),
    );
    const ids = reports.map(({ executionId }) => executionId);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(ids).size).toBe(1000);
    // Every digit that may vary does.
    for (let place = 0; place < 36; place++) {
      if (![8, 13, 14, 18, 23].includes(place))
        expect(new Set(ids.map((id) => id[place])).size).toBe(place === 19 ? 4 : 16);
    }
  });
});

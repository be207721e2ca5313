import { describe, expect, it } from "vitest";
import {
  type Bulkhead,
  type Clock,
  createBulkhead,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  type ExecuteFn,
  type ExecuteOptions,
  execute,
  type FinalDecisionInput,
  type IdempotencyStore,
} from "../../src/index.js";
import {
  createFakeKillSwitch,
  createVirtualClock,
  hangs,
  plan,
  rejects,
  runScript,
  storyOf,
  succeeds,
  throws,
} from "../support.js";

describe("S5.1 order", () => {
  it("starts actions in plan order and reports them in plan order, whatever order they settle in", async () => {
    const { report, calls } = await runScript(({ index }) => succeeds(index, { afterMs: 100 - index * 20 }), {
      decision: plan(5),
      policy: { maxConcurrency: 5 },
    });
    expect(calls.map(({ actionIndex }) => actionIndex)).toEqual([0, 1, 2, 3, 4]);
    expect(report.actions.map(({ index, value }) => [index, value])).toEqual([0, 1, 2, 3, 4].map((i) => [i, i]));
    expect(report.attempts.map(({ actionIndex }) => actionIndex)).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("S5.1 order of keys", () => {
  for (const maxConcurrency of [2, 3, 4]) {
    it(`dispatches in plan order, ${maxConcurrency} at a time, where every port answers at once`, async () => {
      const { calls, events } = await runScript(() => succeeds(), {
        decision: plan(6),
        policy: { maxConcurrency, idempotency: { enabled: true } },
        options: ({ clock }) => ({
          idempotencyStore: createMemoryIdempotencyStore({ clock }),
          killSwitch: createFakeKillSwitch(),
        }),
      });
      expect(calls.map(({ actionIndex }) => actionIndex)).toEqual([0, 1, 2, 3, 4, 5]);
      const started = events.flatMap((event) => (event.type === "action.started" ? [event.actionIndex] : []));
      expect(started).toEqual([0, 1, 2, 3, 4, 5]);
    });
  }
});

describe("S5.1 order of dispatches", () => {
  const open: { [port: string]: (clock: Clock) => ExecuteOptions } = {
    "no port": () => ({}),
    "a listener": () => ({ onEvent: () => {} }),
    "a journal": () => ({ journal: { append: () => {} } }),
    "a kill switch": () => ({ killSwitch: createFakeKillSwitch() }),
    gates: () => ({ gates: [() => ({ allow: true })] }),
    "a rate limiter": () => ({ rateLimiter: createMemoryRateLimiter() }),
    "a bulkhead": () => ({ bulkhead: createBulkhead({ limit: 9 }) }),
    "a store": (clock) => ({ idempotencyStore: createMemoryIdempotencyStore({ clock }) }),
  };
  const OK = { ok: true } as const;

  async function dispatchedWith(
    optionsOf: (clock: Clock) => ExecuteOptions,
    promises: (action: number) => boolean = () => false,
  ): Promise<number[]> {
    const clock = createVirtualClock();
    const options = optionsOf(clock);
    const dispatched: number[] = [];
    const policy = {
      maxConcurrency: 3,
      idempotency: { enabled: options.idempotencyStore !== undefined },
      rateLimit: options.rateLimiter === undefined ? {} : { global: { limit: 9, windowMs: 10 } },
    };
    const executor: ExecuteFn = (_, { actionIndex }) => {
      dispatched.push(actionIndex);
      return promises(actionIndex) ? Promise.resolve(OK) : OK;
    };
    await clock.run(() => execute(plan(6), {}, policy, executor, { clock, ...options }));
    return dispatched;
  }

  for (const [what, optionsOf] of Object.entries(open)) {
    it(`is the plan's with ${what} that answers at once, and executors that do`, async () => {
      expect(await dispatchedWith(optionsOf)).toEqual([0, 1, 2, 3, 4, 5]);
    });
  }

  it("is the plan's with everything that may be asked answering at once, and executors that do", async () => {
    const everything = (clock: Clock) => Object.assign({}, ...Object.values(open).map((optionsOf) => optionsOf(clock)));
    expect(await dispatchedWith(everything)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("is the plan's also where some executors answer at once and others promise to", async () => {
    const asked = () => ({ onEvent: () => {}, killSwitch: createFakeKillSwitch() });
    for (const every of [2, 3, 6]) {
      expect(await dispatchedWith(asked, (action) => action % every === 0)).toEqual([0, 1, 2, 3, 4, 5]);
    }
  });
});

describe("S5.1 order after a throttle", () => {
  for (const [who, observer] of [
    ["unheard", {}],
    ["with a listener", { onEvent: () => {} }],
  ] as const) {
    it(`is the plan's where the first alone has to ask for a permit, ${who} (S8.3)`, async () => {
      const clock = createVirtualClock();
      const dispatched: number[] = [];
      const decision: FinalDecisionInput = {
        action: "ACT",
        throttle_ms: 20,
        actions: [{ action: "EXIT" }, { action: "ACT" }],
      };
      const policy = { maxConcurrency: 2, rateLimit: { perAction: { EXIT: { limit: 1, windowMs: 60 } } } };
      const executor: ExecuteFn = (_, { actionIndex }) =>
        ({ ok: dispatched.push(actionIndex) > 1, code: "no" }) as never;
      const options = { clock, rateLimiter: createMemoryRateLimiter(), ...observer };
      await clock.run(() => execute(decision, {}, { ...policy, retry: { maxRetries: 0 } }, executor, options));
      // The first has failed, and stops the second.
      expect(dispatched).toEqual([0]);
    });
  }
});

describe("S5.2 onFailure", () => {
  for (const [what, first, decision] of [
    ["failed", rejects("gone", { retryable: false }), plan(4)],
    ["unknown", throws(), plan(4)],
  ] as const) {
    it(`stop: nothing is dispatched after an action that ${what}`, async () => {
      const { report, calls } = await runScript([succeeds(), first, succeeds()], { decision });
      expect(calls).toHaveLength(2);
      expect(report.actions.slice(2).map(({ status, reason }) => [status, reason])).toEqual([
        ["skipped", "prior_action_failed"],
        ["skipped", "prior_action_failed"],
      ]);
    });
  }

  it("stop: nothing is dispatched after an action that was denied", async () => {
    const gate = ({ index }: { index: number }) =>
      index === 0 ? { allow: false as const, code: "no" } : { allow: true as const };
    const { report, calls } = await runScript([succeeds()], { decision: plan(2), options: { gates: [gate] } });
    expect(calls).toEqual([]);
    expect(report.actions.map(({ status, reason, errorCode }) => [status, reason, errorCode])).toEqual([
      ["denied", "gate_denied", "no"],
      ["skipped", "prior_action_failed", undefined],
    ]);
  });

  it("stop: an action that waits for a permit is not dispatched any more, nor retried from a backoff", async () => {
    const { report, calls } = await runScript(
      ({ index }) => (index === 0 ? rejects("gone", { retryable: false, afterMs: 30 }) : rejects("busy")),
      {
        decision: plan(4),
        policy: { maxConcurrency: 3, rateLimit: { perAction: { ACT: { limit: 2, windowMs: 1000 } } } },
        options: { rateLimiter: createMemoryRateLimiter() },
      },
    );
    expect(calls.map(({ actionIndex }) => actionIndex)).toEqual([0, 1]);
    expect(report.actions.map(({ status, reason }) => [status, reason])).toEqual([
      ["failed", "rejected"],
      ["failed", "prior_action_failed"],
      ["skipped", "prior_action_failed"],
      ["skipped", "prior_action_failed"],
    ]);
    expect(report.totalLatencyMs).toBe(30);
  });

  it("S3.8 stop: an action that hangs names its own end, whatever fails after it", async () => {
    const { report } = await runScript([hangs()], { decision: plan(2), policy: { timeout: { maxTotalTimeMs: 1000 } } });
    expect(report.actions.map(({ status, reason }) => [status, reason])).toEqual([
      ["unknown", "deadline_exceeded"],
      ["denied", "deadline_exceeded"],
    ]);
    const during = await runScript(
      ({ index }) => (index === 0 ? hangs() : rejects("gone", { retryable: false, afterMs: 1050 })),
      { decision: plan(2), policy: { maxConcurrency: 2, timeout: { attemptTimeoutMs: 1000 } } },
    );
    expect(during.report.actions.map(({ reason }) => reason)).toEqual(["attempt_timeout", "attempt_timeout"]);
  });

  it("stop: an attempt in flight is let finish", async () => {
    const { report } = await runScript(
      ({ index }) => (index === 0 ? rejects("gone", { retryable: false }) : succeeds(1, { afterMs: 50 })),
      {
        decision: plan(2),
        policy: { maxConcurrency: 2 },
      },
    );
    expect(report.actions.map(({ status }) => status)).toEqual(["failed", "success"]);
    expect(report.status).toBe("partial");
  });

  it("stop: no later action is begun while an earlier one backs off", async () => {
    const { calls } = await runScript([rejects("busy"), succeeds()], { decision: plan(2) });
    expect(calls.map(({ actionIndex, attempt }) => [actionIndex, attempt])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
    ]);
  });

  it("continue: all of them run, and a backoff holds no slot", async () => {
    const { calls, report } = await runScript([rejects("busy"), succeeds()], {
      decision: plan(2),
      policy: { onFailure: "continue" },
    });
    expect(calls.map(({ actionIndex, attempt }) => [actionIndex, attempt])).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
    ]);
    expect(report.status).toBe("success");
    const failing = await runScript([rejects("gone", { retryable: false })], {
      decision: plan(3),
      policy: { onFailure: "continue" },
    });
    expect(failing.report).toMatchObject({ status: "failed", attemptCount: 3 });
  });
});

describe("S5.3 rows", () => {
  it("every action of the plan has exactly one, with and without dispatch", async () => {
    const { report, events } = await runScript([succeeds(), throws()], {
      decision: plan([{ action: "ACT" }, { action: "HOLD" }, { action: "ACT" }, { action: "ACT" }, { action: "HOLD" }]),
    });
    expect(report.actions.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    for (const index of [0, 1, 2, 3, 4]) {
      const own = events.filter((event) => "actionIndex" in event && event.actionIndex === index);
      expect(own.filter(({ type }) => type === "action.started")).toHaveLength(1);
      expect(own.filter(({ type }) => type === "action.finished")).toHaveLength(1);
    }
  });
});

describe("S5.4 a bulkhead", () => {
  it("bounds the dispatches of several executions together, first come, first served", async () => {
    const clock = createVirtualClock();
    const bulkhead = createBulkhead({ limit: 2 });
    const order: number[] = [];
    let inFlight = 0;
    let most = 0;
    const reports = await clock.run(() =>
      Promise.all(
        Array.from({ length: 7 }, (_, i) =>
          execute(
            { action: "ACT" },
            {},
            {},
            async () => {
              order.push(i);
              most = Math.max(most, ++inFlight);
              await clock.sleep(100);
              inFlight--;
              return { ok: true };
            },
            { clock, bulkhead },
          ),
        ),
      ),
    );
    expect(reports.map(({ status }) => status)).toEqual(new Array(7).fill("success"));
    expect(most).toBe(2);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(clock.monotonic()).toBe(400);
    expect(reports.map((report) => report.actions[0]!.waitedMs)).toEqual([0, 0, 100, 100, 200, 200, 300]);
  });

  it("hands a freed slot straight on: nobody overtakes", async () => {
    const bulkhead = createBulkhead({ limit: 1 });
    bulkhead.tryEnter();
    let owned = false;
    bulkhead.queue(() => {
      owned = true;
    });
    bulkhead.leave();
    expect(owned).toBe(true);
    expect(bulkhead.tryEnter()).toBe(false);
    bulkhead.leave();
    expect(bulkhead.tryEnter()).toBe(true);
  });

  it("may hand the slot over at once, before the wait for it has begun", async () => {
    const gates = [
      ({ index }: { index: number }) =>
        index === 0 ? { allow: false as const, code: "no" } : { allow: true as const },
    ];
    const { report, calls } = await runScript([succeeds()], {
      decision: plan(2),
      policy: { maxConcurrency: 2, onFailure: "continue" },
      options: { bulkhead: createBulkhead({ limit: 1 }), gates },
    });
    expect(calls).toHaveLength(1);
    expect(report.actions.map(({ status, reason }) => [status, reason])).toEqual([
      ["denied", "gate_denied"],
      ["success", "completed"],
    ]);
  });

  it("is not waited for by an action that was stopped before its wait had begun", async () => {
    const bulkhead = createBulkhead({ limit: 1 });
    bulkhead.tryEnter();
    const controller = new AbortController();
    const { report } = await runScript([succeeds()], {
      options: {
        signal: controller.signal,
        bulkhead: {
          ...bulkhead,
          queue: (waiter) => {
            controller.abort();
            return bulkhead.queue(waiter);
          },
        },
      },
    });
    expect(report).toMatchObject({ status: "denied", reason: "cancelled", totalLatencyMs: 0 });
    bulkhead.leave();
    expect(bulkhead.tryEnter()).toBe(true);
  });

  it("refuses when its queue is full", async () => {
    const bulkhead = createBulkhead({ limit: 1, queueLimit: 0 });
    bulkhead.tryEnter();
    const { report } = await runScript([succeeds()], { options: { bulkhead } });
    expect(report).toMatchObject({ status: "denied", reason: "bulkhead_full", failClosed: false });
  });

  it("is not held through a backoff, and bounded by the deadline", async () => {
    const bulkhead = createBulkhead({ limit: 1 });
    const seen: boolean[] = [];
    await runScript([rejects("busy"), succeeds()], {
      options: { bulkhead },
      at: {
        50: () => {
          seen.push(bulkhead.tryEnter());
          bulkhead.leave();
        },
      },
    });
    expect(seen).toEqual([true]);
    bulkhead.tryEnter();
    const { report } = await runScript([succeeds()], {
      policy: { timeout: { maxTotalTimeMs: 200 } },
      options: { bulkhead },
    });
    expect(report).toMatchObject({ status: "denied", reason: "deadline_exceeded", totalLatencyMs: 200 });
    bulkhead.leave();
    expect(bulkhead.tryEnter()).toBe(true);
  });

  it("stays taken by what has not settled, also after the report", async () => {
    const bulkhead = createBulkhead({ limit: 1 });
    const { clock } = await runScript([{ ...succeeds(1, { afterMs: 9000 }), ignoresAbort: true }], {
      options: { bulkhead },
    });
    expect(bulkhead.tryEnter()).toBe(false);
    await clock.runUntilIdle();
    expect(bulkhead.tryEnter()).toBe(true);
  });

  it("denies, fail-closed, when it throws", async () => {
    const bulkhead: Bulkhead = {
      tryEnter: () => {
        throw new Error("x");
      },
      queue: () => undefined,
      leave: () => {},
    };
    const { report } = await runScript([succeeds()], { options: { bulkhead } });
    expect(report).toMatchObject({ status: "denied", reason: "bulkhead_unavailable", failClosed: true });
  });
});

describe("S5.5 what comes before a dispatch", () => {
  it("slot, claim, gates, permits, intent, kill switch, in this order", async () => {
    const clock = createVirtualClock();
    const log: string[] = [];
    const inner = createBulkhead({ limit: 1 });
    const store = createMemoryIdempotencyStore({ clock });
    const noting = <T>(name: string, value: T): T => {
      log.push(name);
      return value;
    };
    const limiter = createMemoryRateLimiter();
    await runScript(
      () => {
        log.push("dispatch");
        return succeeds();
      },
      {
        clock,
        policy: { idempotency: { enabled: true }, rateLimit: { global: { limit: 5, windowMs: 10 } } },
        options: {
          bulkhead: { ...inner, tryEnter: () => noting("slot", inner.tryEnter()) },
          idempotencyStore: {
            ...store,
            claim: (...args: Parameters<IdempotencyStore["claim"]>) => noting("claim", store.claim(...args)),
            start: (...args) => noting("start", store.start(...args)),
          },
          gates: [
            () => noting("gate", { allow: true as const }),
            () => noting("second gate", { allow: true as const }),
          ],
          rateLimiter: { acquire: (...args) => noting("permits", limiter.acquire(...args)) },
          journal: { append: ({ type }) => void (type === "attempt.intended" && log.push("intent")) },
          killSwitch: { read: () => noting("switch", { halted: false }) },
        },
      },
    );
    expect(log).toEqual(["slot", "claim", "gate", "second gate", "permits", "intent", "start", "switch", "dispatch"]);
  });

  it("claims on the first attempt only", async () => {
    const clock = createVirtualClock();
    const store = createMemoryIdempotencyStore({ clock });
    let claims = 0;
    const count = <T>(args: T): T => {
      claims++;
      return args;
    };
    await runScript([rejects("busy"), rejects("busy"), succeeds()], {
      clock,
      policy: { idempotency: { enabled: true } },
      options: { idempotencyStore: { ...store, claim: (...args) => store.claim(...count(args)) } },
    });
    expect(claims).toBe(1);
  });

  it("withdraws an intent that the kill switch refuses", async () => {
    const { events } = await runScript([succeeds()], { options: { killSwitch: createFakeKillSwitch(["halted"]) } });
    expect(storyOf(events)).toEqual([
      "execution.started",
      "action.started 0",
      "attempt.intended 0/0",
      "halt.observed",
      "attempt.withdrawn 0/0",
      "action.finished 0",
      "execution.finished",
    ]);
  });

  it("a gate may ask for patience, within the deadline", async () => {
    let asked = 0;
    const gates = [
      () => (++asked < 3 ? { allow: false as const, code: "wait", retryAfterMs: 100 } : { allow: true as const }),
    ];
    const { report } = await runScript([succeeds()], { options: { gates } });
    expect(report).toMatchObject({ status: "success", totalLatencyMs: 200 });
    asked = 0;
    const short = await runScript([succeeds()], { policy: { timeout: { maxTotalTimeMs: 50 } }, options: { gates } });
    expect(short.report).toMatchObject({ status: "denied", reason: "gate_denied", totalLatencyMs: 0 });
  });

  for (const [what, gate] of [
    [
      "throws",
      () => {
        throw new Error("x");
      },
    ],
    ["rejects", () => Promise.reject(new Error("x"))],
    ["answers nonsense", () => true],
  ] as const) {
    it(`a gate that ${what} denies, fail-closed`, async () => {
      const { report } = await runScript([succeeds()], { options: { gates: [gate as never] } });
      expect(report).toMatchObject({ status: "denied", reason: "gate_unavailable", failClosed: true });
    });
  }

  it("a gate's code is recorded only when it is a code", async () => {
    const { report } = await runScript([succeeds()], {
      options: { gates: [() => ({ allow: false, code: "My Secret" })] },
    });
    expect(report.actions[0]!.errorCode).toBe("invalid_code");
  });

  it("an unsettled action of the same execution keeps later ones from the slot under hangs", async () => {
    const { report } = await runScript([hangs({ ignoresAbort: true })], {
      decision: plan(2),
      policy: { onFailure: "stop" },
    });
    expect(report.actions.map(({ status }) => status)).toEqual(["unknown", "skipped"]);
  });
});

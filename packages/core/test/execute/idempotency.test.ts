import { describe, expect, it } from "vitest";
import {
  type Clock,
  createBulkhead,
  createMemoryIdempotencyStore,
  type ExecuteOptions,
  type ExecutionPolicyInput,
  type Executor,
  execute,
  type IdempotencyStore,
} from "../../src/index.js";
import { createVirtualClock, hangs, plan, rejects, runScript, succeeds, succeedsLate, throws } from "../support.js";

const enabled = { idempotency: { enabled: true } };
const keyed = plan([{ action: "ACT", idempotency_key: "k", params: { amount: 1 } }]);

function setUp() {
  const clock = createVirtualClock();
  const idempotencyStore = createMemoryIdempotencyStore({ clock });
  const run = (steps: Parameters<typeof runScript>[0], more: Parameters<typeof runScript>[1] = {}) =>
    runScript(steps, { clock, decision: keyed, policy: enabled, ...more, options: { idempotencyStore } });
  return { clock, idempotencyStore, run };
}

describe("S7.1 the key", () => {
  it("is the action's own, handed to the executor on every attempt and written into the report", async () => {
    const { calls, report } = await setUp().run([rejects("busy"), succeeds()]);
    expect(calls.map(({ idempotencyKey }) => idempotencyKey)).toEqual(["k", "k"]);
    expect(report.actions[0]!.idempotencyKey).toBe("k");
    expect(report.attempts.map(({ idempotencyKey }) => idempotencyKey)).toEqual(["k", "k"]);
  });

  it("S1.1 ends with a report when the clock fails while a claim is judged", async () => {
    const store = createMemoryIdempotencyStore();
    const idempotencyStore: IdempotencyStore = { ...store, claim: async (...claim) => store.claim(...claim) };
    const clock: Clock = {
      now: () => 0,
      monotonic: () => 0,
      setTimer(_, delayMs) {
        if (delayMs === 10_000) throw new Error("no timer for the renewal");
        return () => {};
      },
    };
    const report = await execute(keyed, {}, enabled, () => ({ ok: true }), { clock, idempotencyStore });
    expect(report).toMatchObject({ reason: "protocol_error", failClosed: true, attemptCount: 0 });
  });

  it("is handed on without a store too, where the action brings its own", async () => {
    const { calls } = await runScript([succeeds()], { decision: keyed });
    expect(calls[0]!.idempotencyKey).toBe("k");
  });

  const derived = async (decision = plan(2), context: Record<string, unknown> = { account: 7 }) => {
    const { calls } = await setUp().run([succeeds()], { decision, context });
    return calls.map(({ idempotencyKey }) => idempotencyKey!);
  };

  it("derived: two equal actions of a plan have two; the same decision again has the same", async () => {
    const [first, second] = await derived();
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(first).not.toBe(second);
    expect(await derived()).toEqual([first, second]);
  });

  it("derived: volatile context does not count, the rest does", async () => {
    const before = await derived();
    const volatile = { account: 7, now_ms: 5, last_event_ts_ms: 6, ops_score: 0.5, ops_reasons: ["x"] };
    expect(await derived(plan(2), volatile)).toEqual(before);
    expect(await derived(plan(2), { account: 8 })).not.toEqual(before);
    expect(await derived(plan([{ action: "ACT", params: { a: 1 } }, { action: "ACT" }]))).not.toEqual(before);
  });

  it("may come from a function of the caller's", async () => {
    const policy: ExecutionPolicyInput = {
      idempotency: { enabled: true, keyGenerator: (action, context) => `${action.id}-${context["account"]}` },
    };
    const { calls } = await setUp().run([succeeds()], { decision: plan(1), context: { account: 7 }, policy });
    expect(calls[0]!.idempotencyKey).toBe("action-0-7");
  });

  it("comes from that function without a store too: it was given for the executor", async () => {
    const policy: ExecutionPolicyInput = { idempotency: { keyGenerator: ({ id }) => `refund:${id}` } };
    const decision = plan([{ action: "ACT", effect: "idempotent" }]);
    const { calls, report } = await runScript([throws(), succeeds()], { decision, policy });
    expect(calls.map(({ idempotencyKey }) => idempotencyKey)).toEqual(["refund:action-0", "refund:action-0"]);
    expect(report).toMatchObject({ status: "success", actions: [{ idempotencyKey: "refund:action-0" }] });

    // Where nobody listens, nothing else would need a machine, nor one that queues for a slot.
    const bulkhead = createBulkhead({ limit: 1 });
    const keys: unknown[] = [];
    const run = (keyGenerator: () => string, options: ExecuteOptions) =>
      execute(
        { action: "ACT" },
        {},
        { idempotency: { keyGenerator } },
        (_, { idempotencyKey }) => {
          keys.push(idempotencyKey);
          return { ok: true };
        },
        options,
      );
    await run(() => "unqueued", {});
    bulkhead.tryEnter();
    const queued = run(() => "queued", { bulkhead });
    const denied = await run(() => "", { bulkhead });
    bulkhead.leave();
    expect([keys, (await queued).status, denied.reason]).toEqual([
      ["unqueued", "queued"],
      "success",
      "invalid_idempotency_key",
    ]);
  });

  for (const enabled of [true, false])
    for (const [what, keyGenerator] of [
      [
        "throws",
        () => {
          throw new Error("x");
        },
      ],
      ["gives no string", () => 5],
      ["gives an empty string", () => ""],
    ] as const) {
      it(`that function denies, fail-closed, when it ${what}: ${enabled ? "with a store" : "without a store"}`, async () => {
        const policy = { idempotency: { enabled, keyGenerator: keyGenerator as never } };
        const { report, calls } = await setUp().run([succeeds()], { decision: plan(1), policy });
        expect(report).toMatchObject({ status: "denied", reason: "invalid_idempotency_key", failClosed: true });
        expect(calls).toEqual([]);
      });
    }
});

describe("S7.2 what is found", () => {
  it("completed: replayed with its value, without a dispatch", async () => {
    const { run } = setUp();
    await run([succeeds({ id: 9 })]);
    const { report, calls } = await run([succeeds("other")]);
    expect(calls).toEqual([]);
    expect(report).toMatchObject({ status: "success", replayedCount: 1, successCount: 0, attemptCount: 0 });
    expect(report.actions[0]).toMatchObject({ replayed: true, reason: "replayed", basis: "replay" });
    expect(report.actions[0]!.value).toEqual({ id: 9 });
  });

  it("in progress elsewhere: denied by default", async () => {
    const { run, clock } = setUp();
    const first = run([succeeds(1, { afterMs: 1000 })]);
    await clock.advance(10);
    const { report, calls } = await run([succeeds()]);
    expect(report).toMatchObject({ status: "denied", reason: "in_progress", failClosed: false });
    expect(calls).toEqual([]);
    await first;
  });

  it("in progress elsewhere: waited for, and replayed once it is done", async () => {
    const { run, clock } = setUp();
    const first = run([succeeds("done", { afterMs: 1000 })]);
    await clock.advance(10);
    const { report, calls } = await run([succeeds()], {
      policy: { idempotency: { enabled: true, onInProgress: "wait" } },
    });
    expect(calls).toEqual([]);
    expect(report.actions[0]).toMatchObject({ replayed: true, status: "success" });
    expect(report.actions[0]!.value).toBe("done");
    expect(report.actions[0]!.waitedMs).toBeGreaterThanOrEqual(990);
    await first;
  });

  it("in progress elsewhere: waited for no longer than the deadline", async () => {
    const { run, clock } = setUp();
    const first = run([hangs({ ignoresAbort: true })]);
    await clock.advance(10);
    const { report } = await run([succeeds()], {
      policy: { idempotency: { enabled: true, onInProgress: "wait" }, timeout: { maxTotalTimeMs: 2000 } },
    });
    expect(report).toMatchObject({ status: "denied", reason: "in_progress" });
    expect(report.totalLatencyMs).toBeLessThan(2000);
    await first;
  });

  it("the same key for another payload: a conflict", async () => {
    const { run } = setUp();
    await run([succeeds()]);
    const { report, calls } = await run([succeeds()], {
      decision: plan([{ action: "ACT", idempotency_key: "k", params: { amount: 2 } }]),
    });
    expect(report).toMatchObject({ status: "denied", reason: "idempotency_conflict" });
    expect(calls).toEqual([]);
  });

  it("unknown: in doubt, without a dispatch", async () => {
    const { run, idempotencyStore } = setUp();
    await run([throws()]);
    expect(idempotencyStore.list()).toMatchObject([{ key: "k", state: "unknown" }]);
    const { report, calls } = await run([succeeds()]);
    expect(report).toMatchObject({ status: "unknown", reason: "in_doubt", failClosed: true, unknownCount: 1 });
    expect(calls).toEqual([]);
    expect(idempotencyStore.list({ state: "unknown" })).toHaveLength(1);
  });

  for (const [what, more] of [
    ["the effect class is idempotent", { policy: { ...enabled, defaultEffect: "idempotent" as const } }],
    ["the effect class is none", { policy: { ...enabled, defaultEffect: "none" as const } }],
    ["the policy says so", { policy: { idempotency: { enabled: true, onUnknown: "retry" as const } } }],
    ["reconcile proves that nothing was applied", { reconcile: () => ({ state: "not_applied" as const }) }],
  ] as const) {
    it(`unknown: dispatched when ${what}`, async () => {
      const { run, idempotencyStore } = setUp();
      await run([throws()]);
      const { report, calls } = await run([succeeds("now")], more);
      expect(calls).toHaveLength(1);
      expect(report.status).toBe("success");
      expect(idempotencyStore.list()).toMatchObject([{ state: "completed" }]);
    });
  }

  it("unknown: success when reconcile proves that it was applied, and stored as such", async () => {
    const { run, idempotencyStore } = setUp();
    await run([throws()]);
    const { report, calls } = await run([succeeds()], { reconcile: () => ({ state: "applied", value: "found" }) });
    expect(calls).toEqual([]);
    expect(report.actions[0]).toMatchObject({ status: "success", reason: "reconciled", basis: "reconcile" });
    expect(idempotencyStore.list()).toMatchObject([{ state: "completed" }]);
    expect((await run([succeeds()])).report.actions[0]!.value).toBe("found");
  });

  it("unknown: what reconcile found stays in doubt when it could not be stored", async () => {
    const { clock, run, idempotencyStore } = setUp();
    await run([throws()]);
    const reconcile = () => ({ state: "applied" as const });
    const lossy = { ...idempotencyStore, complete: () => new Promise<boolean>(() => {}) };
    const second = await runScript([succeeds()], {
      clock,
      decision: keyed,
      policy: enabled,
      reconcile,
      options: { idempotencyStore: lossy },
    });
    expect(second.report.actions[0]).toMatchObject({
      reason: "reconciled",
      recordError: "idempotency_store_unavailable",
    });
    await clock.advance(60_000);
    expect(idempotencyStore.list()).toMatchObject([{ state: "unknown" }]);
    const third = await run([succeeds()]);
    expect(third.report.actions[0]!.reason).toBe("in_doubt");
    expect(third.calls).toEqual([]);
  });

  for (const [what, steps, gate] of [
    ["denied before its dispatch", [succeeds()], { allow: false as const, code: "no" }],
    ["rejected", [rejects("no", { retryable: false })], { allow: true as const }],
  ] as const) {
    it(`unknown: stays in doubt when it was taken over without a proof and then ${what}`, async () => {
      const { clock, run, idempotencyStore } = setUp();
      await run([throws()]);
      await runScript(steps, {
        clock,
        decision: keyed,
        policy: { idempotency: { enabled: true, onUnknown: "retry" } },
        options: { idempotencyStore, gates: [() => gate] },
      });
      expect(idempotencyStore.list()).toMatchObject([{ state: "unknown" }]);
      expect((await run([succeeds()])).report.actions[0]!.reason).toBe("in_doubt");
    });
  }

  it("unknown: stays in doubt when it was taken over without a proof and its rejection comes after the report", async () => {
    const { clock, run, idempotencyStore } = setUp();
    await run([throws()]);
    const late = async () => {
      await clock.sleep(2000);
      return { ok: false as const, code: "no" };
    };
    const policy = { idempotency: { enabled: true, onUnknown: "retry" as const }, timeout: { attemptTimeoutMs: 100 } };
    const report = await clock.run(() => execute(keyed, {}, policy, late, { clock, idempotencyStore }));
    expect(report).toMatchObject({ status: "unknown", reason: "attempt_timeout", attemptCount: 1 });
    await clock.runUntilIdle();
    expect(idempotencyStore.list()).toMatchObject([{ state: "unknown" }]);
  });

  it("unknown: is released by a rejection when reconcile proved that nothing had been applied", async () => {
    const { run, idempotencyStore } = setUp();
    await run([throws()]);
    const rejected = [rejects("no", { retryable: false })];
    await run(rejected, { reconcile: () => ({ state: "not_applied" }) });
    expect(idempotencyStore.list()).toEqual([]);
  });

  it("unknown: a claim that was taken over too late stays in doubt", async () => {
    const { clock, run, idempotencyStore } = setUp();
    await run([throws()]);
    const slow = {
      ...idempotencyStore,
      claim: (...args: Parameters<IdempotencyStore["claim"]>) =>
        new Promise<Awaited<ReturnType<IdempotencyStore["claim"]>>>((resolve) => {
          clock.setTimer(() => resolve(idempotencyStore.claim(...args)), args[1].takeOver ? 5000 : 0);
        }),
    };
    const policy = { idempotency: { enabled: true, onUnknown: "retry" as const } };
    const { report } = await runScript([succeeds()], {
      clock,
      decision: keyed,
      policy,
      options: { idempotencyStore: slow },
    });
    expect(report.actions[0]!.reason).toBe("idempotency_store_unavailable");
    await clock.advance(5000);
    expect(idempotencyStore.list()).toMatchObject([{ state: "unknown" }]);
  });

  it("a lease that ran out after a start is in doubt; before any start it is taken over", async () => {
    const { clock, idempotencyStore } = setUp();
    const claim = { fingerprint: "f", leaseMs: 100, nowMs: 0 };
    const first = idempotencyStore.claim("a", claim) as { token: number };
    await clock.advance(100);
    const second = idempotencyStore.claim("a", claim) as { state: string; token: number };
    expect(second.state).toBe("claimed");
    expect(second.token).toBeGreaterThan(first.token);
    idempotencyStore.start("a", second.token);
    await clock.advance(100);
    expect(idempotencyStore.claim("a", claim)).toEqual({ state: "unknown" });
  });
});

describe("S7.3 leases and fencing", () => {
  it("renews the lease while dispatching", async () => {
    const { run, clock, idempotencyStore } = setUp();
    const policy = { idempotency: { enabled: true, leaseMs: 300 }, timeout: { attemptTimeoutMs: 5000 } };
    const first = run([succeeds("x", { afterMs: 2000 })], { policy });
    await clock.advance(1500);
    expect(idempotencyStore.list()).toMatchObject([{ state: "in_progress" }]);
    expect((await first).report.status).toBe("success");
    expect(clock.pending).toBe(0);
  });

  it("refuses a writer whose token is stale", async () => {
    const { clock, idempotencyStore } = setUp();
    const claim = { fingerprint: "f", leaseMs: 100, nowMs: 0 };
    const zombie = idempotencyStore.claim("a", claim) as { token: number };
    await clock.advance(100);
    const owner = idempotencyStore.claim("a", claim) as { token: number };
    expect(idempotencyStore.complete("a", zombie.token, { value: 1, ttlMs: 1e9 })).toBe(false);
    expect(idempotencyStore.release("a", zombie.token)).toBe(false);
    expect(idempotencyStore.markUnknown("a", zombie.token)).toBe(false);
    expect(idempotencyStore.renew("a", zombie.token, 100)).toBe(false);
    expect(idempotencyStore.start("a", zombie.token)).toBe(false);
    expect(idempotencyStore.complete("a", owner.token, { value: 2, ttlMs: 1e9 })).toBe(true);
    expect(idempotencyStore.claim("a", claim)).toEqual({ state: "completed", value: 2 });
  });

  it("does not dispatch when the claim was lost before the start", async () => {
    const { clock, idempotencyStore } = setUp();
    const { report, calls } = await runScript([succeeds()], {
      clock,
      decision: keyed,
      policy: enabled,
      options: { idempotencyStore: { ...idempotencyStore, start: () => false } },
    });
    expect(report).toMatchObject({ status: "denied", reason: "in_progress" });
    expect(calls).toEqual([]);
  });
});

describe("S7.3 what somebody else may have done meanwhile", () => {
  /** Executions that share a key and an outside world, each answer of the store and of reconcile after some time. */
  function sharedWorld() {
    const clock = createVirtualClock();
    const memory = createMemoryIdempotencyStore({ clock });
    const later = (ms: number) => new Promise<void>((resolve) => clock.setTimer(resolve, ms));
    const applied: string[] = [];
    const slow = (answer: unknown) => later(5).then(() => answer as never);
    const idempotencyStore: IdempotencyStore = {
      claim: (...of) => slow(memory.claim(...of)),
      start: (...of) => slow(memory.start(...of)),
      renew: (...of) => slow(memory.renew(...of)),
      complete: (...of) => slow(memory.complete(...of)),
      release: (...of) => slow(memory.release(...of)),
      markUnknown: (...of) => slow(memory.markUnknown(...of)),
    };
    /** Says the truth, after `lookupMs`; throws while it cannot be reached. */
    const lookUp = (lookupMs: number, isDown: () => boolean) => async () => {
      if (isDown()) throw new Error("the lookup is down");
      const state = applied.length > 0 ? "applied" : "not_applied";
      await later(lookupMs);
      return { state } as const;
    };
    const run = (name: string, executor: Executor, policy: ExecutionPolicyInput) =>
      execute(keyed, {}, policy, executor, { clock, idempotencyStore, executionId: name });
    return { clock, memory, later, applied, lookUp, run };
  }

  for (const [onInProgress, lookupMs] of [
    ["wait", 2],
    ["deny", 60],
  ] as const) {
    it(`a proof that is older than somebody else's dispatch is none: ${onInProgress}`, async () => {
      const { clock, memory, later, applied, lookUp, run } = sharedWorld();
      const policy = { idempotency: { enabled: true, onInProgress }, retry: { maxRetries: 0 } };
      let isDown = false;
      const worker = (name: string, ms: number) => ({
        execute: async () => {
          applied.push(name);
          await later(20);
          isDown = true;
          throw new Error("the reply was lost");
        },
        reconcile: lookUp(ms, () => isDown),
      });
      const reports = await clock.run(async () => {
        await run("crashed", () => Promise.reject(new Error("socket hang up")), policy);
        const running = [run("first", worker("first", 2), policy), run("second", worker("second", lookupMs), policy)];
        await later(90);
        isDown = false;
        return Promise.all(running);
      });
      expect(applied).toHaveLength(1);
      expect(reports.map(({ status }) => status)).toContain("unknown");
      expect(["completed", "unknown"]).toContain(memory.list()[0]!.state);
    });
  }

  for (const start of [true, false]) {
    it(`who was away for longer than his lease, in a backoff, does not dispatch again: ${start ? "start" : "no start"}`, async () => {
      const { clock, memory, applied, later } = sharedWorld();
      const policy = { idempotency: { enabled: true, leaseMs: 600 }, retry: { initialBackoffMs: 1000 } };
      const { start: _, ...without } = memory;
      const idempotencyStore = start ? memory : without;
      /** A machine that is asleep from 50 to 2000: its timers go off when it wakes. */
      const asleep: Clock = {
        ...clock,
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        setTimer(callback, ms) {
          const at = clock.monotonic() + ms;
          return clock.setTimer(callback, at > 50 && at < 2000 ? 2000 - clock.monotonic() : ms);
        },
      };
      let calls = 0;
      const sleeper = () => (calls++ === 0 ? { ok: false, code: "busy" } : { ok: applied.push("sleeper") > 0 });
      const other = {
        execute: () => ({ ok: applied.push("other") > 0 }),
        reconcile: () => ({ state: applied.length > 0 ? "applied" : "not_applied" }) as const,
      };
      const [report, done] = await clock.run(() =>
        Promise.all([
          execute(keyed, {}, policy, sleeper as never, { clock: asleep, idempotencyStore }),
          later(700).then(() => execute(keyed, {}, policy, other as never, { clock, idempotencyStore })),
        ]),
      );
      expect(applied).toEqual(["other"]);
      expect(done.status).toBe("success");
      expect(report.actions[0]).toMatchObject({ status: "failed", reason: "in_progress", attemptCount: 1 });
      expect(report.actions[0]).not.toHaveProperty("recordError");
      expect(memory.list()).toMatchObject([{ state: "completed" }]);
    });
  }

  for (const [what, port, switchMs, isHeld] of [
    ["a renewal that was refused renews nothing", { renew: () => false }, 400, false],
    ["a renewal counts from when it was asked for", { renew: 250 }, 420, false],
    ["and up to its end", { renew: 250 }, 390, true],
    ["so does a claim", { claim: 250, renew: 10_000 }, 60, false],
    ["and up to its end: a claim", { claim: 250, renew: 10_000 }, 40, true],
  ] as const) {
    it(`a claim is held for one lease, by what is known of it: ${what}`, async () => {
      const clock = createVirtualClock();
      const memory = createMemoryIdempotencyStore({ clock });
      const slowly = (ms: number, answer: unknown) =>
        new Promise<never>((resolve) => clock.setTimer(() => resolve(answer as never), ms));
      const { renew, claim } = port as { renew: number | (() => boolean); claim?: number };
      const idempotencyStore: IdempotencyStore = {
        ...memory,
        start: () => true,
        renew: typeof renew === "function" ? renew : () => slowly(renew, true),
        ...(claim !== undefined && { claim: (...of) => slowly(claim, memory.claim(...of)) }),
      };
      const { calls, report } = await runScript([succeeds()], {
        clock,
        decision: keyed,
        policy: { idempotency: { enabled: true, leaseMs: 300 } },
        options: { idempotencyStore, killSwitch: { read: () => slowly(switchMs, { halted: false }) } },
      });
      expect(calls).toHaveLength(isHeld ? 1 : 0);
      expect(report.actions[0]!.reason).toBe(isHeld ? "completed" : "in_progress");
    });
  }

  it("asks before every dispatch, and releases a key that it lost to nobody", async () => {
    const clock = createVirtualClock();
    const memory = createMemoryIdempotencyStore({ clock });
    let starts = 0;
    const idempotencyStore: IdempotencyStore = {
      ...memory,
      renew: () => true, // It does not arrive.
      start: (...of) => {
        starts++;
        return memory.start(...of);
      },
    };
    const { calls, report } = await runScript([rejects("busy"), rejects("busy"), succeeds()], {
      clock,
      decision: keyed,
      policy: { idempotency: { enabled: true, leaseMs: 500 }, retry: { initialBackoffMs: 300, backoffMultiplier: 1 } },
      options: { idempotencyStore },
    });
    expect([calls.length, starts]).toEqual([2, 3]);
    expect(report.actions[0]).toMatchObject({ status: "failed", reason: "in_progress" });
    expect(memory.list()).toEqual([]);
  });
});

describe("S7.4 how the key ends", () => {
  it("a failed action releases it, once, at its end", async () => {
    const { clock, idempotencyStore } = setUp();
    let releases = 0;
    const store = {
      ...idempotencyStore,
      release: (...args: Parameters<IdempotencyStore["release"]>) => {
        releases++;
        return idempotencyStore.release(...args);
      },
    };
    await runScript([rejects("busy")], {
      clock,
      decision: keyed,
      policy: enabled,
      options: { idempotencyStore: store },
    });
    expect(releases).toBe(1);
    expect(idempotencyStore.list()).toEqual([]);
  });

  it("an unknown outcome stays unknown for ever, until an operator resolves it", async () => {
    const { run, clock, idempotencyStore } = setUp();
    await run([throws()]);
    await clock.advance(1e12);
    expect((await run([succeeds()])).report.reason).toBe("in_doubt");
    idempotencyStore.resolve("k", "not_applied");
    expect((await run([succeeds()])).report.status).toBe("success");
    expect(idempotencyStore.resolve("k", "applied")).toBe(false);
  });

  it("S3.9 a refusal after the report releases no key of which an earlier attempt is in doubt", async () => {
    for (const [effect, state] of [
      ["idempotent", "unknown"],
      ["none", undefined],
    ] as const) {
      const { run, clock, idempotencyStore } = setUp();
      const late = { ...rejects("no", { afterMs: 9000 }), ignoresAbort: true };
      const policy = { ...enabled, timeout: { attemptTimeoutMs: 1000, maxTotalTimeMs: 3000 }, defaultEffect: effect };
      await run([throws(new Error("x")), late], { policy });
      expect(idempotencyStore.list()[0]!.state).toBe("unknown");
      await clock.runUntilIdle();
      expect(idempotencyStore.list()[0]?.state).toBe(state);
    }
  });

  it("S4.5 a settlement after the report corrects what is stored", async () => {
    for (const [step, state] of [
      [succeedsLate(9000, "late"), "completed"],
      [{ ...rejects("no", { afterMs: 9000 }), ignoresAbort: true }, undefined],
      [{ ...throws(new Error("x"), { afterMs: 9000 }), ignoresAbort: true }, "unknown"],
    ] as const) {
      const { run, clock, idempotencyStore } = setUp();
      const { report } = await run([step]);
      expect(report.status).toBe("unknown");
      expect(idempotencyStore.list()[0]!.state).toBe("unknown");
      await clock.runUntilIdle();
      expect(idempotencyStore.list()[0]?.state).toBe(state);
    }
  });
});

describe("S7.5 the stored value", () => {
  it("must survive JSON; one that does not is replayed without it", async () => {
    for (const value of [() => 1, new Map([[1, 2]]), 10n, Number.NaN, { deep: [Symbol("x")] }]) {
      const { run } = setUp();
      await run([succeeds(value)]);
      const { report } = await run([succeeds()]);
      expect(report.actions[0]).toMatchObject({ status: "success", replayed: true, valueOmitted: true });
      expect(report.actions[0]!.value).toBeUndefined();
    }
  });

  it("is a copy that nobody can change", async () => {
    const { run } = setUp();
    const value = { list: [1] };
    await run([succeeds(value)]);
    value.list.push(2);
    expect((await run([succeeds()])).report.actions[0]!.value).toEqual({ list: [1] });
  });

  it("is kept as long as the policy says, and the store allows", async () => {
    const { run, clock } = setUp();
    const policy = { idempotency: { enabled: true, ttlMs: 1000 } };
    await run([succeeds()], { policy });
    await clock.advance(999);
    expect((await run([succeeds()], { policy })).report.replayedCount).toBe(1);
    await clock.advance(1);
    expect((await run([succeeds()], { policy })).report.replayedCount).toBe(0);
  });

  it("is forgotten first when there are too many; what is open or in doubt never is", () => {
    const store = createMemoryIdempotencyStore({ maxEntries: 2, clock: createVirtualClock() });
    const claim = { fingerprint: "f", leaseMs: 100, nowMs: 0 };
    const tokens = ["a", "b", "c", "d", "e"].map((key) => (store.claim(key, claim) as { token: number }).token);
    store.markUnknown("a", tokens[0]!);
    for (const i of [1, 2, 3]) store.complete("abcde"[i]!, tokens[i]!, { ttlMs: 1e9 });
    expect(store.list().map(({ key, state }) => [key, state])).toEqual([
      ["a", "unknown"],
      ["c", "completed"],
      ["d", "completed"],
      ["e", "claimed"],
    ]);
  });
});

describe("S7.6 a store that fails", () => {
  const broken: [string, () => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("x");
      },
    ],
    ["rejects", () => Promise.reject(new Error("x"))],
    ["hangs", () => new Promise(() => {})],
    ["answers nonsense", () => ({ state: "fine" })],
    ["claims without a token", () => ({ state: "claimed" })],
  ];
  for (const [what, claim] of broken) {
    it(`before the dispatch (${what}): denied, fail-closed`, async () => {
      const { clock, idempotencyStore } = setUp();
      const { report, calls } = await runScript([succeeds()], {
        clock,
        decision: keyed,
        policy: enabled,
        options: { idempotencyStore: { ...idempotencyStore, claim } as IdempotencyStore },
      });
      expect(report).toMatchObject({ status: "denied", reason: "idempotency_store_unavailable", failClosed: true });
      expect(calls).toEqual([]);
    });
  }

  for (const [what, complete] of broken.slice(0, 3)) {
    it(`after a success (${what}): still a success, with recordError`, async () => {
      const { clock, idempotencyStore } = setUp();
      const { report } = await runScript([succeeds("v")], {
        clock,
        decision: keyed,
        policy: enabled,
        options: { idempotencyStore: { ...idempotencyStore, complete } as IdempotencyStore },
      });
      expect(report).toMatchObject({ status: "success", failClosed: false });
      expect(report.actions[0]).toMatchObject({ recordError: "idempotency_store_unavailable" });
      expect(report.actions[0]!.value).toBe("v");
    });
  }

  it("gives back a claim that came too late", async () => {
    const { clock, idempotencyStore } = setUp();
    const slow = {
      ...idempotencyStore,
      claim: async (...args: Parameters<IdempotencyStore["claim"]>) => {
        await clock.sleep(5000);
        return idempotencyStore.claim(...args);
      },
    };
    await runScript([succeeds()], { clock, decision: keyed, policy: enabled, options: { idempotencyStore: slow } });
    await clock.runUntilIdle();
    expect(idempotencyStore.list()).toEqual([]);
  });

  it("that the policy needs and nobody gave denies (missing_port)", async () => {
    const { report } = await runScript([succeeds()], { decision: keyed, policy: enabled });
    expect(report).toMatchObject({ status: "denied", reason: "missing_port", failClosed: true });
    expect(report.issues![0]!.path).toBe("options.idempotencyStore");
  });
});

import { describe, expect, it } from "vitest";
import {
  createBulkhead,
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  execute,
} from "../../src/index.js";
import {
  createFakeKillSwitch,
  createVirtualClock,
  hangs,
  plan,
  rejects,
  runScript,
  succeeds,
  succeedsLate,
} from "../support.js";

describe("S2.2 a live kill switch", () => {
  it("is read before every dispatch", async () => {
    const killSwitch = createFakeKillSwitch();
    const { calls } = await runScript([rejects("busy"), succeeds()], { decision: plan(3), options: { killSwitch } });
    expect(calls).toHaveLength(4);
    expect(killSwitch.reads).toHaveLength(4);
  });

  it("stops for good, even if it flips back", async () => {
    const killSwitch = createFakeKillSwitch(["clear", "halted", "clear", "clear"]);
    const { report, calls } = await runScript([succeeds()], {
      decision: plan(4),
      policy: { onFailure: "continue" },
      options: { killSwitch },
    });
    expect(calls).toHaveLength(1);
    expect(report.actions.map(({ status, reason }) => [status, reason])).toEqual([
      ["success", "completed"],
      ["denied", "kill_switch"],
      ["denied", "kill_switch"],
      ["denied", "kill_switch"],
    ]);
    expect(report).toMatchObject({ status: "partial", reason: "kill_switch", failClosed: false });
  });

  const waits: [string, Parameters<typeof runScript>[1], number?][] = [
    ["a backoff", {}],
    [
      "a rate limit",
      {
        policy: { rateLimit: { global: { limit: 1, windowMs: 5000 } } },
        options: () => ({ rateLimiter: createMemoryRateLimiter() }),
      },
    ],
  ];
  for (const [what, setup] of waits) {
    it(`is obeyed at once during ${what}`, async () => {
      const killSwitch = createManualKillSwitch();
      const given = typeof setup!.options === "function" ? setup!.options(undefined as never) : {};
      const { report, calls } = await runScript([rejects("busy"), succeeds()], {
        ...setup,
        options: { ...given, killSwitch },
        at: { 40: () => killSwitch.halt() },
      });
      expect(calls).toHaveLength(1);
      expect(report).toMatchObject({ totalLatencyMs: 40, haltLatencyMs: 0 });
      expect(report.actions[0]).toMatchObject({ status: "failed", reason: "kill_switch" });
    });
  }

  it("is obeyed at once in the queue of a bulkhead, which then forgets the action", async () => {
    const bulkhead = createBulkhead({ limit: 1 });
    bulkhead.tryEnter();
    const killSwitch = createManualKillSwitch();
    const { report, calls } = await runScript([succeeds()], {
      options: { killSwitch, bulkhead },
      at: { 25: () => killSwitch.halt() },
    });
    expect(calls).toEqual([]);
    expect(report).toMatchObject({ status: "denied", reason: "kill_switch", totalLatencyMs: 25 });
    bulkhead.leave();
    expect(bulkhead.tryEnter()).toBe(true);
  });

  it("is obeyed at once while somebody else holds the key", async () => {
    const clock = createVirtualClock();
    const store = createMemoryIdempotencyStore({ clock });
    const killSwitch = createManualKillSwitch();
    const decision = plan([{ action: "ACT", idempotency_key: "k" }]);
    const policy = { idempotency: { enabled: true, onInProgress: "wait" as const } };
    const first = execute(decision, {}, policy, () => new Promise(() => {}), { clock, idempotencyStore: store });
    const { report } = await runScript([succeeds()], {
      clock,
      decision,
      policy,
      options: { idempotencyStore: store, killSwitch },
      at: { 10: () => killSwitch.halt() },
    });
    expect(report.actions[0]).toMatchObject({ status: "denied", reason: "kill_switch", latencyMs: 10 });
    await clock.run(() => first);
  });

  it("replays nothing either once it has halted", async () => {
    const clock = createVirtualClock();
    const idempotencyStore = createMemoryIdempotencyStore({ clock });
    const setup = {
      clock,
      decision: plan([{ action: "ACT", idempotency_key: "k" }]),
      policy: { idempotency: { enabled: true } },
    };
    await runScript([succeeds(7)], { ...setup, options: { idempotencyStore } });
    const killSwitch = createFakeKillSwitch(["halted"]);
    const { report } = await runScript([succeeds(7)], { ...setup, options: { idempotencyStore, killSwitch } });
    expect(report.actions[0]).toMatchObject({ status: "denied", reason: "kill_switch", replayed: false });
    expect(report.replayedCount).toBe(0);
  });

  it("hands back what it finds taken: permit, slot, claim", async () => {
    const clock = createVirtualClock();
    const idempotencyStore = createMemoryIdempotencyStore({ clock });
    const rateLimiter = createMemoryRateLimiter();
    const bulkhead = createBulkhead({ limit: 1 });
    const setup = {
      clock,
      decision: plan([{ action: "ACT", idempotency_key: "k" }]),
      policy: {
        idempotency: { enabled: true },
        rateLimit: { global: { limit: 1, windowMs: 60_000 }, onExceeded: "deny" as const },
      },
    };
    const stopped = await runScript([succeeds()], {
      ...setup,
      options: { idempotencyStore, rateLimiter, bulkhead, killSwitch: createFakeKillSwitch(["halted"]) },
    });
    expect(stopped.report.actions[0]).toMatchObject({ status: "denied", reason: "kill_switch" });
    const second = await runScript([succeeds()], { ...setup, options: { idempotencyStore, rateLimiter, bulkhead } });
    expect(second.report.status).toBe("success");
    expect(bulkhead.tryEnter()).toBe(true);
  });
});

describe("S2.3 a kill switch that cannot be read", () => {
  for (const read of ["throws", "rejects", "hangs", "garbage", () => ({ halted: "no" }), () => null] as const) {
    it(`denies its own action, fail-closed, and is read again for the next: ${read}`, async () => {
      const killSwitch = createFakeKillSwitch([read, "clear"]);
      const { report, calls } = await runScript([succeeds()], {
        decision: plan(2),
        policy: { onFailure: "continue" },
        options: { killSwitch },
      });
      expect(report.actions.map(({ status, reason }) => [status, reason])).toEqual([
        ["denied", "kill_switch_unavailable"],
        ["success", "completed"],
      ]);
      expect(report.failClosed).toBe(true);
      expect(calls).toHaveLength(1);
    });
  }

  it("has its own time limit", async () => {
    const killSwitch = createFakeKillSwitch(["hangs"]);
    const { report } = await runScript([succeeds()], {
      policy: { timeout: { portTimeoutMs: 70 } },
      options: { killSwitch },
    });
    expect(report).toMatchObject({ reason: "kill_switch_unavailable", totalLatencyMs: 70 });
  });

  it("S2.2 halts all the same when it says so too late for who had asked", async () => {
    const reads: (() => Promise<{ halted: boolean }>)[] = [];
    const { report, calls } = await runScript([succeeds(undefined, { afterMs: 1000 })], {
      decision: plan(3),
      policy: { onFailure: "continue", timeout: { portTimeoutMs: 1000 } },
      options: ({ clock }) => {
        reads.push(() => new Promise((resolve) => clock.setTimer(() => resolve({ halted: true }), 1500)));
        return { killSwitch: { read: () => reads.shift()?.() ?? { halted: false } } };
      },
    });
    expect(calls.map(({ actionIndex }) => actionIndex)).toEqual([1]);
    expect(report.actions.map(({ reason }) => reason)).toEqual([
      "kill_switch_unavailable",
      "kill_switch",
      "kill_switch",
    ]);
  });

  it.each([
    () => {
      throw new Error("no subscription");
    },
    () => Promise.reject(new Error("no subscription")) as never,
    () => Promise.resolve(() => {}) as never,
  ])("denies everything when it could not be obeyed in flight: case %#", async (subscribe) => {
    const killSwitch = { read: () => ({ halted: false }), subscribe };
    const { report, calls } = await runScript([succeeds()], { options: { killSwitch } });
    expect(report).toMatchObject({ status: "denied", reason: "kill_switch_unavailable", failClosed: true });
    expect(calls).toEqual([]);
  });

  it("that is thrown already says so on subscribing: denied, and nothing worse", async () => {
    const killSwitch = {
      read: () => ({ halted: true }),
      subscribe: (listener: (state: { halted: boolean }) => void) => {
        listener({ halted: true });
        return () => {};
      },
    };
    const { report, calls } = await runScript([succeeds()], { decision: plan(2), options: { killSwitch } });
    expect(report).toMatchObject({ status: "denied", reason: "kill_switch", failClosed: false, deniedCount: 2 });
    expect(calls).toEqual([]);
  });

  it("halts when it announces something that is no state", async () => {
    let announce: (state: never) => void = () => {};
    const killSwitch = {
      read: () => ({ halted: false }),
      subscribe: (listener: (state: never) => void) => {
        announce = listener;
        return () => {};
      },
    };
    const { report } = await runScript([hangs()], {
      options: { killSwitch },
      at: { 5: () => announce(undefined as never) },
    });
    expect(report.actions[0]).toMatchObject({ status: "unknown", reason: "kill_switch" });
  });
});

describe("S2.4 a halt in flight", () => {
  it("aborts the attempt, and its outcome is what is known: unknown", async () => {
    const killSwitch = createManualKillSwitch();
    const { report, calls } = await runScript([hangs({ applied: true })], {
      decision: plan(3),
      options: { killSwitch },
      at: { 30: () => killSwitch.halt() },
    });
    expect(calls[0]!.abortedWith).toBe("halt");
    expect(report.actions.map(({ status, reason }) => [status, reason])).toEqual([
      ["unknown", "kill_switch"],
      ["denied", "kill_switch"],
      ["denied", "kill_switch"],
    ]);
    expect(report).toMatchObject({ status: "unknown", reason: "kill_switch", haltLatencyMs: 0, failClosed: false });
    expect(report.attempts[0]).toMatchObject({ status: "unknown", errorCode: "aborted" });
  });

  it("uses an answer that comes within the grace, and retries nothing", async () => {
    const killSwitch = createManualKillSwitch();
    const settles = await runScript([succeedsLate(60)], {
      options: { killSwitch },
      at: { 30: () => killSwitch.halt() },
    });
    expect(settles.report).toMatchObject({ status: "success", haltLatencyMs: 30 });
    const again = createManualKillSwitch();
    const refuses = await runScript([rejects("busy", { afterMs: 60 })], {
      policy: { onHalt: "finish" },
      options: { killSwitch: again },
      at: { 30: () => again.halt() },
    });
    expect(refuses.calls).toHaveLength(1);
    expect(refuses.report.actions[0]).toMatchObject({ status: "failed", reason: "kill_switch", errorCode: "busy" });
  });

  it("gives up after the grace, and says how long the halt took", async () => {
    const killSwitch = createManualKillSwitch();
    const { report } = await runScript([hangs({ ignoresAbort: true })], {
      policy: { timeout: { abortGraceMs: 80 } },
      options: { killSwitch },
      at: { 30: () => killSwitch.halt() },
    });
    expect(report).toMatchObject({ status: "unknown", totalLatencyMs: 110, haltLatencyMs: 80 });
    expect(report.actions[0]).toMatchObject({ basis: "abort", reason: "kill_switch" });
  });

  it('lets it finish under onHalt "finish"', async () => {
    const killSwitch = createManualKillSwitch();
    const { report, calls } = await runScript([succeeds(1, { afterMs: 200 })], {
      decision: plan(2),
      policy: { onHalt: "finish" },
      options: { killSwitch },
      at: { 30: () => killSwitch.halt() },
    });
    expect(calls[0]!.abortedWith).toBeUndefined();
    expect(report.actions.map(({ status }) => status)).toEqual(["success", "denied"]);
    expect(report.haltLatencyMs).toBe(170);
  });

  it("leaves no listener behind", async () => {
    const killSwitch = createFakeKillSwitch();
    await runScript([succeeds(1, { afterMs: 5 })], { options: { killSwitch } });
    expect(killSwitch.listenerCount).toBe(0);
  });

  it("is observed even if the executor itself throws the switch", async () => {
    const killSwitch = createManualKillSwitch();
    let calls = 0;
    const report = await execute(
      { action: "ACT", actions: [{ action: "ACT" }, { action: "ACT" }] },
      {},
      { maxConcurrency: 2 },
      () => {
        calls++;
        killSwitch.halt();
        return { ok: true };
      },
      { killSwitch },
    );
    expect(calls).toBe(1);
    expect(report.actions.map(({ status }) => status)).toEqual(["success", "denied"]);
  });

  it("is observed if a listener throws the switch between intent and dispatch", async () => {
    const killSwitch = createManualKillSwitch();
    const { report, calls } = await runScript([succeeds()], {
      options: { killSwitch, onEvent: (event) => event.type === "attempt.intended" && killSwitch.halt() },
    });
    expect(calls).toEqual([]);
    expect(report).toMatchObject({ status: "denied", reason: "kill_switch" });
  });
});

describe("S4.8 the caller's signal", () => {
  it("cancels like a halt, with a code of its own", async () => {
    const controller = new AbortController();
    const { report, calls } = await runScript([hangs()], {
      decision: plan(2),
      options: { signal: controller.signal },
      at: { 20: () => controller.abort() },
    });
    expect(calls[0]!.abortedWith).toBe("cancelled");
    expect(report.actions.map(({ status, reason }) => [status, reason])).toEqual([
      ["unknown", "cancelled"],
      ["denied", "cancelled"],
    ]);
    expect(report).toMatchObject({ reason: "cancelled", failClosed: false, totalLatencyMs: 20 });
  });

  it("denies everything when it was aborted before", async () => {
    const { report, calls } = await runScript([succeeds()], { options: { signal: AbortSignal.abort() } });
    expect(report).toMatchObject({ status: "denied", reason: "cancelled" });
    expect(calls).toEqual([]);
  });

  it("ends a backoff at once", async () => {
    const controller = new AbortController();
    const { report, calls } = await runScript([rejects("busy")], {
      options: { signal: controller.signal },
      at: { 50: () => controller.abort(new Error("enough")) },
    });
    expect(calls).toHaveLength(1);
    expect(report.totalLatencyMs).toBe(50);
    expect(report.actions[0]).toMatchObject({ status: "failed", reason: "cancelled" });
  });

  it("cancels between intent and dispatch when a listener aborts it", async () => {
    const controller = new AbortController();
    const { report, calls } = await runScript([succeeds()], {
      options: {
        signal: controller.signal,
        onEvent: (event) => event.type === "attempt.intended" && controller.abort(),
      },
    });
    expect(calls).toEqual([]);
    expect(report).toMatchObject({ status: "denied", reason: "cancelled" });
  });
});

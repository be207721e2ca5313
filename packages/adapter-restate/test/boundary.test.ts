import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  type ExecutionEvent,
  type Executor,
  fingerprintOf,
  type RateLimiter,
} from "@eoc/core";
import { digestDecision } from "@eoc/decision-schema";
import { createVirtualClock, createWorld } from "@eoc/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { EFFECT_IN_DOUBT } from "../src/driver/executor-desk.js";
import { registry } from "../src/live/registry.js";
import type { FakeInvocation, Moment } from "./fake-engine.js";
import { runDurably } from "./support.js";

const decision = { action: "ACT" as const, actions: [{ action: "ACT" as const, id: "a-0" }] };

/** Hits the attempt once, at a moment of a step. */
function once(step: string, at: Moment, by: "service" | "server") {
  let done = false;
  return (name: string, moment: Moment) => {
    if (done || name !== step || moment !== at) return undefined;
    done = true;
    return by;
  };
}

function counting(): { executor: Executor; calls: () => number } {
  let calls = 0;
  return {
    executor: async () => {
      calls++;
      return { ok: true };
    },
    calls: () => calls,
  };
}

/** How often the engine's record says that a step was taken. */
const taken = (invocation: FakeInvocation, name: string) =>
  invocation.entries.filter((entry) => entry.name === name).length;

afterEach(() => {
  expect(registry.clear(), "what this process still remembers").toBe(0);
});

describe("the effect step, taken late", () => {
  it("S2.2 reads the kill switch live: a halt while the service was away keeps what was intended from being dispatched", async () => {
    const clock = createVirtualClock();
    const killSwitch = createManualKillSwitch();
    const { executor, calls } = counting();
    const hit = once("intend 0", "recorded", "server");
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor,
        ports: { killSwitch },
        hit: (name, moment) => {
          const by = hit(name, moment);
          if (by !== undefined) killSwitch.halt();
          return by;
        },
      }),
    );
    expect(report).toMatchObject({ status: "denied", reason: "kill_switch", attemptCount: 0 });
    expect(calls()).toBe(0);
  });

  it("S1.8 compares the approval's expiry live", async () => {
    const clock = createVirtualClock();
    const { executor, calls } = counting();
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor,
        policy: { timeout: { portTimeoutMs: 10_000 } },
        options: {
          approval: {
            digest: digestDecision({ ...decision, allowed: true, reasons: [] }),
            expiresAtMs: clock.now() + 5000,
          },
        },
        hit: once("intend 0", "recorded", "server"),
        downMs: 6000,
      }),
    );
    expect(report).toMatchObject({ status: "denied", reason: "approval_expired", attemptCount: 0 });
    expect(calls()).toBe(0);
  });

  it("S3.6 compares the deadline live", async () => {
    const clock = createVirtualClock();
    const { executor, calls } = counting();
    const { report } = await clock.run(() =>
      runDurably({ clock, decision, executor, hit: once("intend 0", "recorded", "server"), downMs: 40_000 }),
    );
    expect(report).toMatchObject({ status: "denied", reason: "deadline_exceeded", attemptCount: 0 });
    expect(calls()).toBe(0);
  });

  it("acts on no intent that is older than its life: it makes a new one first", async () => {
    const clock = createVirtualClock();
    const { executor, calls } = counting();
    const { report, invocation } = await clock.run(() =>
      runDurably({ clock, decision, executor, hit: once("intend 0", "recorded", "server"), downMs: 3000 }),
    );
    expect(report.status).toBe("success");
    expect(calls()).toBe(1);
    expect(taken(invocation, "intend again 0")).toBe(1);
  });

  it("asks gates again whose answer is older than that, and waits while they say no", async () => {
    const clock = createVirtualClock();
    const { executor, calls } = counting();
    const asked: number[] = [];
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor,
        ports: {
          gates: [
            () => {
              asked.push(clock.monotonic());
              return clock.monotonic() > 0 && clock.monotonic() < 8000
                ? { allow: false, code: "shut" }
                : { allow: true };
            },
          ],
        },
        hit: once("intend 0", "recorded", "server"),
        downMs: 3000,
      }),
    );
    expect(report.status).toBe("success");
    expect(calls()).toBe(1);
    expect(asked.filter((at) => at >= 3000 && at < 8000).length).toBeGreaterThan(0);
  });

  it("S6.1 takes a permit anew where the one it had went with its process, and waits for it on the engine", async () => {
    const clock = createVirtualClock();
    const { executor, calls } = counting();
    const limiter = createMemoryRateLimiter();
    const { report, invocation } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor,
        policy: { rateLimit: { global: { limit: 1, windowMs: 5000 } } },
        ports: { rateLimiter: limiter },
        // The process that took the permit dies; the one that comes makes the intent.
        hit: once("acquire_permit 0", "recorded", "service"),
        processDied: () => {
          const other = limiter.acquire([{ key: "global", limit: 2, windowMs: 5000 }], clock.monotonic());
          if ("dispatched" in other) other.dispatched?.(clock.monotonic());
        },
      }),
    );
    // The lost permit counts for ever in the process's own limiter: nothing is dispatched without one.
    expect(report).toMatchObject({ status: "denied", reason: "deadline_exceeded" });
    expect(calls()).toBe(0);
    expect(taken(invocation, "again 0")).toBeGreaterThan(0);
  });

  it("S6.1 … and dispatches once it has it", async () => {
    const clock = createVirtualClock();
    const { executor, calls } = counting();
    let asked = 0;
    const rateLimiter: RateLimiter = {
      acquire: () => (asked++ === 1 ? { granted: false, retryAfterMs: 700 } : { granted: true }),
    };
    const { report, invocation } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor,
        policy: { rateLimit: { global: { limit: 1, windowMs: 5000 } } },
        ports: { rateLimiter },
        hit: once("acquire_permit 0", "recorded", "service"),
      }),
    );
    expect(report.status).toBe("success");
    expect({ calls: calls(), asked, waits: taken(invocation, "again 0") }).toEqual({ calls: 1, asked: 3, waits: 1 });
  });
});

describe("an effect in doubt", () => {
  const policy = { timeout: { attemptTimeoutMs: 500, portTimeoutMs: 100, abortGraceMs: 50 } };

  it("is named, and final, where nobody can tell", async () => {
    const clock = createVirtualClock();
    const { executor } = counting();
    const { report } = await clock.run(() =>
      runDurably({ clock, decision, executor, policy, hit: once("effect 0", "unrecorded", "service") }),
    );
    expect(report).toMatchObject({ status: "unknown", attemptCount: 1, failClosed: true });
    expect(report.actions[0]).toMatchObject({ errorType: EFFECT_IN_DOUBT, reason: "execution_exception" });
  });

  it("S4.3 is not dispatched again while the process that has begun it, cut off from the engine, may still be at it", async () => {
    const clock = createVirtualClock();
    const world = createWorld();
    const spans: { from: number; to: number }[] = [];
    const executor: Executor = async (action, { signal }) => {
      const span = { from: clock.monotonic(), to: Number.POSITIVE_INFINITY };
      spans.push(span);
      await clock.sleep(spans.length === 1 ? 400 : 10, { signal }).finally(() => {
        span.to = clock.monotonic();
      });
      world.apply(action.id);
      return { ok: true };
    };
    // The first process is cut off in the middle of its effect: it is not killed, and nothing of it is known to the second.
    let cutOff = false;
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision: { ...decision, actions: [{ ...decision.actions[0]!, effect: "idempotent" }] },
        executor,
        policy,
        hit: (name, moment) => {
          if (cutOff || name !== "effect 0" || moment !== "before") return undefined;
          cutOff = true;
          return undefined;
        },
        onInvocation: (invocation) => {
          clock.setTimer(() => {
            registry.clear();
            invocation.cutOff();
          }, 100);
        },
      }),
    );
    expect(report).toMatchObject({ status: "success", attemptCount: 2 });
    expect(spans).toHaveLength(2);
    expect(spans[1]!.from).toBeGreaterThanOrEqual(spans[0]!.to);
  });

  it("S3.3 is put to reconcile", async () => {
    const clock = createVirtualClock();
    const { executor } = counting();
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor: { execute: executor as never, reconcile: () => ({ state: "applied" }) },
        policy,
        hit: once("effect 0", "unrecorded", "service"),
      }),
    );
    expect(report.actions[0]).toMatchObject({ status: "success", basis: "reconcile" });
  });
});

describe("an executor", () => {
  it.each([
    [
      "throws",
      () => {
        throw new Error("secret");
      },
    ],
    ["rejects", () => Promise.reject(new Error("secret"))],
    ["gives nonsense", () => "nonsense"],
    ["never answers", () => new Promise(() => {})],
  ])("that %s never throws into the engine, which takes its step once", async (_, execute) => {
    const clock = createVirtualClock();
    let calls = 0;
    const { report, invocation } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor: () => {
          calls++;
          return execute() as never;
        },
        policy: { timeout: { attemptTimeoutMs: 50 } },
      }),
    );
    expect(report.status).toBe("unknown");
    expect({ calls, taken: taken(invocation, "effect 0") }).toEqual({ calls: 1, taken: 1 });
    expect(JSON.stringify([invocation.entries, report])).not.toContain("secret");
  });

  it("S9.2 leaves no value on the engine's record unless values are kept", async () => {
    const run = async (storeValues: boolean) => {
      const clock = createVirtualClock();
      const executor: Executor = () => ({ ok: true, value: { receipt: "r-7" } });
      return clock.run(() => runDurably({ clock, decision, executor, storeValues }));
    };
    const without = await run(false);
    expect(JSON.stringify(without.invocation.entries)).not.toContain("r-7");
    expect(without.report.actions[0]!.value).toBeUndefined();
    const kept = await run(true);
    expect(kept.report.actions[0]!.value).toEqual({ receipt: "r-7" });
    expect(JSON.stringify(kept.report)).not.toContain("r-7");
  });

  it("S9.2 keeps no value that is not JSON", async () => {
    const clock = createVirtualClock();
    const executor: Executor = () => ({ ok: true, value: new Map([["a", 1]]) });
    const { report } = await clock.run(() => runDurably({ clock, decision, executor, storeValues: true }));
    expect(report.actions[0]).toMatchObject({ status: "success" });
    expect(report.actions[0]!.value).toBeUndefined();
  });

  it("S7.5 has its value stored under the key by the process that knows it, and left out by one that does not", async () => {
    for (const hit of [undefined, once("effect 0", "recorded", "service")]) {
      const clock = createVirtualClock();
      const idempotencyStore = createMemoryIdempotencyStore({ clock });
      await clock.run(() =>
        runDurably({
          clock,
          decision: { ...decision, actions: [{ ...decision.actions[0]!, idempotency_key: "k" }] },
          executor: () => ({ ok: true, value: "r-7" }),
          policy: { idempotency: { enabled: true } },
          ports: { idempotencyStore },
          ...(hit && { hit }),
        }),
      );
      const found = idempotencyStore.claim("k", { fingerprint: fingerprint(), leaseMs: 1, nowMs: clock.now() });
      expect(found).toEqual(hit ? { state: "completed", valueOmitted: true } : { state: "completed", value: "r-7" });
    }
  });
});

describe("an operator's cancel", () => {
  const retrying = { retry: { initialBackoffMs: 1000 }, timeout: { attemptTimeoutMs: 500 } };

  it("S4.8 ends a wait at once", async () => {
    const clock = createVirtualClock();
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor: () => ({ ok: false, code: "not_yet" }),
        policy: retrying,
        onInvocation: (invocation) => void clock.setTimer(() => invocation.cancel(), 300),
      }),
    );
    expect(report).toMatchObject({ status: "failed", reason: "cancelled", totalLatencyMs: 300 });
    expect(clock.monotonic()).toBe(300);
  });

  it("S4.8 aborts what is in flight, and what had been begun keeps its attempt", async () => {
    const clock = createVirtualClock();
    let cause: unknown;
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              cause = signal.reason.code;
              reject(signal.reason);
            });
          }),
        policy: retrying,
        onInvocation: (invocation) => void clock.setTimer(() => invocation.cancel(), 200),
      }),
    );
    expect(cause).toBe("cancelled");
    expect(report).toMatchObject({ status: "unknown", reason: "cancelled", attemptCount: 1 });
  });

  it("S4.8 before anything is begun denies everything", async () => {
    const clock = createVirtualClock();
    const { executor, calls } = counting();
    const { report } = await clock.run(() =>
      runDurably({ clock, decision, executor, onInvocation: (invocation) => invocation.cancel() }),
    );
    expect(report).toMatchObject({ status: "denied", reason: "cancelled" });
    expect(calls()).toBe(0);
  });
});

describe("a wait on the engine", () => {
  const policy = {
    retry: { initialBackoffMs: 3_600_000, maxBackoffMs: 3_600_000 },
    timeout: { maxTotalTimeMs: 7_200_000 },
  };
  const rejecting: Executor = (_, { attempt }) => (attempt === 0 ? { ok: false, code: "not_yet" } : { ok: true });

  it("is one timer of the engine's, and outlives the process", async () => {
    const clock = createVirtualClock();
    let cut = false;
    const { report, invocation } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor: rejecting,
        policy,
        onInvocation: (invocation) => {
          clock.setTimer(() => {
            cut = true;
            registry.clear();
            invocation.cutOff();
          }, 60_000);
        },
        downMs: 600_000,
      }),
    );
    expect(cut).toBe(true);
    expect(report).toMatchObject({ status: "success", attemptCount: 2 });
    expect(report.actions[0]!.waitedMs).toBe(3_600_000);
    expect(invocation.entries.filter(({ kind }) => kind === "timer")).toHaveLength(1);
  });

  it("says when it ended, where the process was away for longer than that", async () => {
    const clock = createVirtualClock();
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor: rejecting,
        policy,
        onInvocation: (invocation) => void clock.setTimer(() => invocation.cutOff(), 60_000),
        downMs: 5_000_000,
      }),
    );
    expect(report.actions[0]!.waitedMs).toBe(5_060_000);
  });

  it("S2.4 ends at once when the switch is thrown while it is listened for", async () => {
    const clock = createVirtualClock();
    const killSwitch = createManualKillSwitch();
    clock.setTimer(() => killSwitch.halt(), 20_000);
    const { report } = await clock.run(() =>
      runDurably({ clock, decision, executor: rejecting, policy, ports: { killSwitch } }),
    );
    expect(report).toMatchObject({ reason: "kill_switch", totalLatencyMs: 20_000, attemptCount: 1 });
  });

  it("S2.4 ends at once too when it was thrown just before there was anybody to listen", async () => {
    const clock = createVirtualClock();
    const killSwitch = createManualKillSwitch();
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor: rejecting,
        policy,
        ports: {
          killSwitch,
          onEvent: ({ type }) => {
            if (type === "wait.started") killSwitch.halt();
          },
        },
      }),
    );
    expect(report).toMatchObject({ reason: "kill_switch", totalLatencyMs: 0 });
  });

  it("S2.4 ends at the next look when it is thrown later", async () => {
    const clock = createVirtualClock();
    const killSwitch = createManualKillSwitch();
    clock.setTimer(() => killSwitch.halt(), 100_000);
    const { report, invocation } = await clock.run(() =>
      runDurably({ clock, decision, executor: rejecting, policy, ports: { killSwitch }, haltWatchMs: 40_000 }),
    );
    expect(report).toMatchObject({ reason: "kill_switch", totalLatencyMs: 120_000 });
    expect(taken(invocation, "look for a halt")).toBe(2);
  });

  it("S7.3 has the leases of its keys renewed for as long", async () => {
    const clock = createVirtualClock();
    const idempotencyStore = createMemoryIdempotencyStore({ clock });
    let found: unknown;
    clock.setTimer(() => {
      found = idempotencyStore.claim("k", { fingerprint: fingerprint(), leaseMs: 1, nowMs: clock.now() });
    }, 3_000_000);
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision: { ...decision, actions: [{ ...decision.actions[0]!, idempotency_key: "k" }] },
        executor: rejecting,
        policy: { ...policy, idempotency: { enabled: true } },
        ports: { idempotencyStore },
      }),
    );
    expect(found).toMatchObject({ state: "in_progress" });
    expect(report.status).toBe("success");
    expect(report.actions[0]!.recordError).toBeUndefined();
  });
});

describe("an execution in flight", () => {
  it("ends under the policy that it began under", async () => {
    const clock = createVirtualClock();
    let lives = 0;
    let calls = 0;
    const old = { retry: { maxRetries: 3, initialBackoffMs: 10 } };
    const setup = {
      get policy() {
        return lives === 0 ? old : { retry: { maxRetries: 0 } };
      },
    };
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        get policy() {
          return setup.policy;
        },
        executor: () => {
          calls++;
          return { ok: false, code: "not_yet" };
        },
        hit: once("effect 0", "recorded", "service"),
        processDied: () => lives++,
      }),
    );
    expect(report.actions[0]).toMatchObject({ attemptCount: 4, reason: "retries_exhausted" });
    expect(calls).toBe(4);
  });

  it("has the keys that the policy's own function gave at first", async () => {
    const clock = createVirtualClock();
    let made = 0;
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor: () => ({ ok: true }),
        policy: { idempotency: { enabled: true, keyGenerator: () => `key-${made++}` } },
        ports: { idempotencyStore: createMemoryIdempotencyStore({ clock }) },
        hit: once("claim_key 0", "recorded", "service"),
      }),
    );
    expect(report.actions[0]).toMatchObject({ status: "success", idempotencyKey: "key-0" });
  });

  it("S4.5 leaves a late settlement to the key's record and the journal, not to the report", async () => {
    const clock = createVirtualClock();
    const idempotencyStore = createMemoryIdempotencyStore({ clock });
    const journal: ExecutionEvent[] = [];
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision: { ...decision, actions: [{ ...decision.actions[0]!, idempotency_key: "k" }] },
        executor: async () => {
          await clock.sleep(5000);
          return { ok: true, value: "r-7" };
        },
        policy: { idempotency: { enabled: true }, timeout: { attemptTimeoutMs: 100 } },
        ports: { idempotencyStore, journal: { append: (event) => void journal.push(event) } },
      }),
    );
    expect(report).toMatchObject({ status: "unknown", reason: "attempt_timeout" });
    await clock.runUntilIdle();
    expect(journal.slice(-2).map(({ type }) => type)).toEqual(["attempt.settled_late", "key.completed"]);
    const found = idempotencyStore.claim("k", { fingerprint: fingerprint(), leaseMs: 1, nowMs: clock.now() });
    expect(found).toEqual({ state: "completed", value: "r-7" });
    expect(report.status).toBe("unknown");
  });

  it("S8.2 dispatches nothing whose intent the journal does not take", async () => {
    const clock = createVirtualClock();
    const { executor, calls } = counting();
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor,
        ports: {
          journal: { append: ({ type }) => (type === "attempt.intended" ? new Promise<void>(() => {}) : undefined) },
        },
      }),
    );
    expect(report).toMatchObject({ status: "denied", reason: "journal_unavailable", failClosed: true });
    expect(calls()).toBe(0);
  });

  for (const keepsOrder of [true, false]) {
    it(`S8.2 appends ${keepsOrder ? "without waiting" : "one event after the other"} where the journal ${keepsOrder ? "keeps the order" : "does not keep the order"}, but for intents`, async () => {
      const clock = createVirtualClock();
      const seqs: number[] = [];
      const durable: string[] = [];
      const seen: string[][] = [];
      let open = 0;
      let most = 0;
      const journal = {
        keepsOrder,
        async append({ seq, type }: ExecutionEvent) {
          seqs.push(seq);
          most = Math.max(most, ++open);
          await clock.sleep(20);
          open--;
          durable.push(type);
        },
      };
      const executor = () => {
        seen.push([...durable]);
        return { ok: true as const };
      };
      await clock.run(() => runDurably({ clock, decision, executor, ports: { journal } }));
      expect(seen).toEqual([["execution.started", "action.started", "attempt.intended"]]);
      expect(seqs).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(most > 1).toBe(keepsOrder);
    });
  }

  it("S8.3 is not changed by a listener that throws, and says so once", async () => {
    const clock = createVirtualClock();
    const journal: ExecutionEvent[] = [];
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor: () => ({ ok: true }),
        ports: {
          journal: { append: (event) => void journal.push(event) },
          onEvent: () => {
            throw new RangeError("secret");
          },
        },
      }),
    );
    expect(report.status).toBe("success");
    expect(journal.filter(({ type }) => type === "listener.failed")).toMatchObject([{ errorType: "RangeError" }]);
  });

  it("S4.6 leaves no timer behind", async () => {
    const clock = createVirtualClock();
    const killSwitch = createManualKillSwitch();
    await clock.run(() =>
      runDurably({
        clock,
        decision,
        executor: async (_, { attempt }) => (attempt === 0 ? { ok: false, code: "not_yet" } : { ok: true }),
        ports: { killSwitch },
      }),
    );
    expect(clock.pending).toBe(0);
  });
});

describe("arguments that are refused", () => {
  it("S1.2 are denied with the issues, without a row", async () => {
    const clock = createVirtualClock();
    const { report } = await clock.run(() =>
      runDurably({ clock, decision: { action: "NOPE" } as never, executor: () => ({ ok: true }) }),
    );
    expect(report).toMatchObject({
      status: "denied",
      reason: "invalid_decision",
      failClosed: true,
      deniedCount: 1,
      actions: [],
    });
    expect(report.issues![0]!.path).toBe("decision.action");
  });
});

function fingerprint(): string {
  return fingerprintOf({ id: "a-0", index: 0, action: "ACT", params: {}, effect: "once" });
}

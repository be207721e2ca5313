import { createManualKillSwitch, createMemoryIdempotencyStore, type Executor, execute, fingerprintOf } from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { expectTheSame, START_MS } from "./both-drivers.js";
import type { ActionScenario, Scenario, Turn } from "./scenario.js";
import { runDurably } from "./support.js";

/** One turn of an executor that succeeds after a millisecond and ends when it is aborted. */
function turn(given: Partial<Turn> = {}): Turn {
  return {
    does: "succeed",
    afterMs: 1,
    promises: true,
    retryAfterMs: undefined,
    onAbort: "throw",
    afterAbortMs: 0,
    ...given,
  };
}

function action(turns: readonly Turn[], given: Partial<ActionScenario> = {}): ActionScenario {
  return { name: "ACT", effect: "once", key: undefined, verdicts: ["unknown"], turns, ...given };
}

/** Nothing happens in it but what its actions do. */
function scenario({ policy, ...given }: Partial<Scenario>): Scenario {
  return {
    actions: [action([turn()])],
    allowed: true,
    context: {},
    policy: {
      onFailure: "continue",
      ...policy,
      retry: { maxRetries: 0, initialBackoffMs: 0, ...policy?.retry },
      timeout: { attemptTimeoutMs: 500, maxTotalTimeMs: 5000, abortGraceMs: 100, ...policy?.timeout },
    },
    refused: "nothing",
    approval: "none",
    reconciles: false,
    reconcileMs: 0,
    haltAtMs: undefined,
    cancelAtMs: undefined,
    killSwitch: "manual",
    store: undefined,
    limiter: undefined,
    gates: [],
    budget: undefined,
    listens: true,
    journal: undefined,
    promises: false,
    throttleMs: 0,
    cooldownMs: 0,
    ...given,
  };
}

/** It knows no starts: a claim whose lease has run out is gone. */
const EMPTY_STORE = { holds: ["nothing", "nothing"], starts: false, failsAt: -1 } as const;
const SHORT_LEASE = {
  keyGenerator: "action+context_hash",
  onInProgress: "deny",
  onUnknown: "stop",
  leaseMs: 300,
} as const;
const succeeding: Executor = () => ({ ok: true });
const hangs = (onAbort: Turn["onAbort"]) => turn({ does: "hang", onAbort });

describe("what a comparison of the two drivers has found, and is the same now", () => {
  it("S3.6 an action that has waited for a slot since before the attempt that holds it ends at the deadline: no intent, no withdrawal", async () => {
    const { events } = await expectTheSame(
      scenario({
        actions: [
          action([
            turn({ does: "reject", afterMs: 1.11, retryAfterMs: 25 }),
            turn({ does: "not_applied", afterMs: 1.11 }),
          ]),
          action([turn({ afterMs: 701.23 })], { verdicts: ["not_applied"] }),
          action([hangs("ignore")], { verdicts: ["not_applied"] }),
        ],
        policy: {
          maxConcurrency: 2,
          retry: { maxRetries: 2, initialBackoffMs: 0 },
          timeout: { attemptTimeoutMs: 500, maxTotalTimeMs: 900, abortGraceMs: 0 },
        },
        reconciles: true,
      }),
    );
    expect(events).not.toContainEqual(expect.objectContaining({ type: "attempt.withdrawn" }));
    expect(events).toContainEqual(
      expect.objectContaining({ type: "action.finished", actionIndex: 0, reason: "deadline_exceeded" }),
    );
  });

  it("S4.1 an action that begins to wait for the slot as an attempt begins ends at the deadline, not so long after the attempt", async () => {
    const { report } = await expectTheSame(
      scenario({
        actions: [
          action([turn({ does: "reject", afterMs: 0, retryAfterMs: 25 }), hangs("ignore")]),
          action([turn({ does: "reject", afterMs: 30 })]),
        ],
        policy: {
          retry: { maxRetries: 1, initialBackoffMs: 0 },
          timeout: { attemptTimeoutMs: 500, maxTotalTimeMs: 900, abortGraceMs: 0 },
        },
      }),
    );
    expect(report).toMatchObject({ totalLatencyMs: 900, actions: [{}, { reason: "deadline_exceeded" }] });
  });

  it("S4.5 a settlement after the deadline of an action that waits for its slot comes after that action's end", async () => {
    const { events } = await expectTheSame(
      scenario({
        actions: [
          action([turn({ does: "reject", afterMs: 0, retryAfterMs: 25 }), turn({ afterMs: 700, onAbort: "ignore" })]),
          action([turn({ afterMs: 700 })], { effect: "idempotent" }),
          action([turn()]),
        ],
        policy: {
          retry: { maxRetries: 1, initialBackoffMs: 0 },
          timeout: { attemptTimeoutMs: 500, maxTotalTimeMs: 900, abortGraceMs: 0 },
        },
      }),
    );
    expect(events.map(({ type }) => type).slice(-2)).toEqual(["execution.finished", "attempt.settled_late"]);
  });

  it("S4.1 a wait for a slot and one for a settlement, both until the deadline, end in the order in which they were begun", async () => {
    const { events } = await expectTheSame(
      scenario({
        actions: [
          action([turn({ does: "throw", afterMs: 700, onAbort: "answer" })], { effect: "idempotent" }),
          action([turn({ does: "throw", afterMs: 0 }), turn({ afterMs: 700, onAbort: "ignore" })], {
            effect: "idempotent",
          }),
        ],
        policy: {
          retry: { maxRetries: 2, initialBackoffMs: 10, maxBackoffMs: 5000, jitter: "full" },
          timeout: { attemptTimeoutMs: 50, maxTotalTimeMs: 900, abortGraceMs: 0 },
        },
        reconciles: true,
        reconcileMs: 600,
      }),
    );
    const ends = events.flatMap((event) => (event.type === "wait.finished" ? [event] : [])).slice(-2);
    const atMs = START_MS + 900;
    expect(ends).toMatchObject([
      { cause: "slot", atMs },
      { cause: "settlement", atMs },
    ]);
  });

  it("limits that come at the same moment are heard in the order in which they were set, a grace of nothing too", async () => {
    await expectTheSame(
      scenario({
        actions: [action([hangs("ignore")], { effect: "none" }), action([hangs("throw")], { effect: "none" })],
        policy: { maxConcurrency: 2, timeout: { attemptTimeoutMs: 50, maxTotalTimeMs: 900, abortGraceMs: 0 } },
      }),
    );
  });

  it("S2.4 a halt aborts flights in plan order, whichever began first", async () => {
    const { seen } = await expectTheSame(
      scenario({
        actions: [action([turn({ does: "reject" }), hangs("throw")]), action([hangs("throw")])],
        policy: { maxConcurrency: 2, retry: { maxRetries: 1, initialBackoffMs: 0 } },
        haltAtMs: 5.5,
      }),
    );
    expect(seen.slice(-2).map(({ what }) => what)).toEqual(["0 1 aborted: halt", "1 0 aborted: halt"]);
  });

  it("S2.4 a halt is heard of while reconcile is asked: what has not begun is denied by it, not skipped for a failure", async () => {
    const { report } = await expectTheSame(
      scenario({
        actions: [action([turn({ does: "throw" })]), action([turn()])],
        policy: { onFailure: "stop" },
        reconciles: true,
        reconcileMs: 200,
        haltAtMs: 5.5,
      }),
    );
    expect(report).toMatchObject({ actions: [{}, { status: "denied", reason: "kill_switch" }] });
  });

  it("S2.3 a switch that cannot be subscribed to denies a replay too, and halts nobody", async () => {
    const replaying = { actions: [action([turn()], { key: "k-0" })], killSwitch: "unsubscribable" } as const;
    const held = { holds: ["completed", "nothing"], starts: true, failsAt: -1 } as const;
    const { report } = await expectTheSame(scenario({ ...replaying, store: held }));
    expect(report).toMatchObject({ status: "denied", reason: "kill_switch_unavailable" });
    await expectTheSame(scenario({ ...replaying, store: held, throttleMs: 20, haltAtMs: 5.5 }));
  });

  it("S4.8 a flight that is cancelled has its grace from the cancel on", async () => {
    const { report } = await expectTheSame(
      scenario({ actions: [action([turn({ does: "hang", onAbort: "answer", afterAbortMs: 40 })])], cancelAtMs: 444.6 }),
    );
    expect(report).toMatchObject({ attempts: [{ errorCode: "aborted" }], unknownCount: 1 });
  });

  it("S4.8 an execution that is cancelled before it starts intends nothing", async () => {
    const { events } = await expectTheSame(scenario({ cancelAtMs: 0 }));
    expect(events).not.toContainEqual(expect.objectContaining({ type: "attempt.intended" }));
  });

  it("S3.3 reconcile is asked at once, also while others are on the way to their dispatch", async () => {
    const { seen } = await expectTheSame(
      scenario({
        actions: [action([turn({ does: "throw", afterMs: 0, promises: false })]), action([turn()])],
        policy: { maxConcurrency: 2 },
        reconciles: true,
      }),
    );
    expect(seen.map(({ what }) => what)).toEqual(["e-1 0 0 undefined", "reconcile 0 0", "e-1 1 0 undefined"]);
  });

  it("S3.3 reconcile that answers at its very limit has answered", async () => {
    const { report } = await expectTheSame(
      scenario({
        actions: [action([turn({ does: "throw" })], { verdicts: ["applied"] })],
        policy: { timeout: { attemptTimeoutMs: 50 } },
        reconciles: true,
        reconcileMs: 50,
      }),
    );
    expect(report).toMatchObject({ status: "success", actions: [{ basis: "reconcile" }] });
  });

  it("an attempt that a settled promise has answered is heard before those that were begun after it", async () => {
    await expectTheSame(
      scenario({
        actions: [
          action([turn({ does: "not_applied", afterMs: 0 })]),
          action([turn({ does: "throw", afterMs: 0, promises: false })], { verdicts: ["applied"] }),
          action([turn()]),
        ],
        policy: { maxConcurrency: 3 },
        reconciles: true,
      }),
    );
  });

  it("S4.5 a settlement after the deadline is heard of while the execution lasts", async () => {
    const { events } = await expectTheSame(
      scenario({
        actions: [
          action(
            [
              turn({ does: "reject", afterMs: 0, retryAfterMs: 700 }),
              turn({ does: "hang", onAbort: "throw", afterAbortMs: 170 }),
            ],
            { effect: "idempotent" },
          ),
          action([turn({ does: "reject", afterMs: 0, retryAfterMs: 800 }), hangs("ignore")]),
        ],
        policy: {
          maxConcurrency: 2,
          retry: { maxRetries: 1, initialBackoffMs: 0 },
          timeout: { attemptTimeoutMs: 50, maxTotalTimeMs: 900, abortGraceMs: 100 },
        },
      }),
    );
    expect(events.map(({ type }) => type).slice(-4)).toEqual([
      "attempt.settled_late",
      "attempt.finished",
      "action.finished",
      "execution.finished",
    ]);
  });

  it("S4.5 what a settlement in the last moment makes of its key is on record after the end", async () => {
    const { events } = await expectTheSame(
      scenario({
        actions: [action([turn({ afterMs: 700, onAbort: "ignore" })]), action([turn({ afterMs: 0, promises: false })])],
        policy: {
          idempotency: { ...SHORT_LEASE, leaseMs: 30_000 },
          rateLimit: { global: { limit: 1, windowMs: 200 } },
          timeout: { attemptTimeoutMs: 50, maxTotalTimeMs: 900, abortGraceMs: 0 },
        },
        store: EMPTY_STORE,
        limiter: { failsAt: -1, takenAtMs: 0 },
        gates: ["open"],
        throttleMs: 20,
      }),
    );
    expect(events.map(({ type }) => type).slice(-2)).toEqual(["execution.finished", "key.completed"]);
  });

  it("S6.3 permits of one execution go to the one who has waited longest, whoever asks first", async () => {
    const { seen } = await expectTheSame(
      scenario({
        actions: [0, 1, 2, 3].map(() => action([turn({ afterMs: 0, promises: false })])),
        policy: { maxConcurrency: 3, rateLimit: { global: { limit: 1, windowMs: 60 } } },
        limiter: { failsAt: -1, takenAtMs: 0 },
        killSwitch: "deaf",
        gates: ["open"],
      }),
    );
    expect(seen.map(({ what }) => what)).toEqual([0, 1, 2, 3].map((i) => `e-1 ${i} 0 undefined`));
  });

  it("S8.3 the next in line is granted the permit that who was before him has handed back, whoever listens", async () => {
    for (const listens of [true, false]) {
      const { report } = await expectTheSame(
        scenario({
          actions: [0, 1, 2].map(() => action([turn({ afterMs: 0 })])),
          policy: { maxConcurrency: 3, rateLimit: { global: { limit: 1, windowMs: 60 } } },
          limiter: { failsAt: -1, takenAtMs: 0 },
          approval: "wrong",
          listens,
        }),
      );
      expect(report).toMatchObject({ totalLatencyMs: 60, deniedCount: 3, reason: "approval_mismatch" });
    }
  });

  it("S3.5 a wait of a fraction of a millisecond is no shorter for it, and ends at a whole one", async () => {
    const { events } = await expectTheSame(
      scenario({
        actions: [action([turn({ does: "reject", afterMs: 0, retryAfterMs: 25.3 }), turn()])],
        policy: { retry: { maxRetries: 1, initialBackoffMs: 0 } },
      }),
    );
    expect(events).toContainEqual(expect.objectContaining({ type: "wait.finished", waitedMs: 26 }));
  });

  it("S7.3 a key that is claimed after the leases of others were renewed for a wait has its own renewed too", async () => {
    const { report } = await expectTheSame(
      scenario({
        actions: [
          action([turn({ does: "throw", afterMs: 0, promises: false })], { verdicts: ["applied"] }),
          ...[1, 2, 3].map(() => action([turn({ afterMs: 0, promises: false })])),
        ],
        policy: {
          maxConcurrency: 3,
          idempotency: SHORT_LEASE,
          rateLimit: { global: { limit: 1, windowMs: 200 } },
        },
        store: EMPTY_STORE,
        limiter: { failsAt: -1, takenAtMs: -1 },
        reconciles: true,
      }),
    );
    expect(report).toMatchObject({ status: "success", successCount: 4 });
    expect(report).not.toMatchObject({ actions: [{}, {}, {}, { recordError: expect.anything() }] });
  });

  it("S7.3 a lease is renewed while reconcile is asked", async () => {
    const { report } = await expectTheSame(
      scenario({
        actions: [action([turn({ does: "throw" })])],
        policy: { idempotency: SHORT_LEASE },
        store: EMPTY_STORE,
        reconciles: true,
        reconcileMs: 450,
      }),
    );
    expect(report).not.toMatchObject({ actions: [{ recordError: expect.anything() }] });
  });

  it("S7.3 a lease is renewed over attempts that are each shorter than a third of it", async () => {
    const { report } = await expectTheSame(
      scenario({
        actions: [action([turn({ does: "reject", afterMs: 90 })])],
        policy: { idempotency: SHORT_LEASE, retry: { maxRetries: 6, initialBackoffMs: 0 } },
        store: EMPTY_STORE,
      }),
    );
    expect(report).not.toMatchObject({ actions: [{ recordError: expect.anything() }] });
  });
});

it("S2.3 a switch that cannot be subscribed to halts nobody, also where a long wait looks at it", async () => {
  const clock = createVirtualClock();
  const manual = createManualKillSwitch();
  manual.halt();
  const unsubscribable = () => {
    throw new Error("no subscribers");
  };
  const given = {
    clock,
    decision: { action: "ACT", throttle_ms: 1000 } as const,
    executor: succeeding,
    ports: { killSwitch: { read: manual.read, subscribe: unsubscribable } },
  };
  const { report } = await clock.run(() => runDurably({ ...given, haltWatchMs: 10 }));
  const here = await clock.run(() => execute(given.decision, {}, {}, succeeding, { clock, ...given.ports }));
  for (const { actions, totalLatencyMs } of [report, here]) {
    expect(actions[0]!.reason).toBe("kill_switch_unavailable");
    expect(totalLatencyMs).toBe(1000);
  }
});

it("S2.4 a reconcile that takes long is listened to for haltWatchMs, and then looked at", async () => {
  const clock = createVirtualClock();
  const killSwitch = createManualKillSwitch();
  clock.setTimer(() => killSwitch.halt(), 100_000);
  const { report, invocation } = await clock.run(() =>
    runDurably({
      clock,
      decision: { action: "ACT", actions: [{ action: "ACT" }, { action: "ACT" }] },
      executor: {
        execute: () => {
          throw new TypeError("secret");
        },
        reconcile: () => clock.sleep(200_000).then(() => ({ state: "unknown" as const })),
      },
      policy: { timeout: { attemptTimeoutMs: 300_000, maxTotalTimeMs: 600_000 } },
      ports: { killSwitch },
      haltWatchMs: 40_000,
    }),
  );
  expect(report.actions).toMatchObject([{ status: "unknown" }, { status: "denied", reason: "kill_switch" }]);
  expect(invocation.entries.filter(({ name }) => name === "look for a halt")).toHaveLength(2);
});

it("S4.2 what an executor throws at a limit that is a fraction of a millisecond is a timeout's, not its own", async () => {
  const clock = createVirtualClock();
  const { report } = await clock.run(() =>
    runDurably({
      clock,
      decision: { action: "ACT" },
      executor: (_, { signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      policy: { timeout: { attemptTimeoutMs: 50.4 } },
    }),
  );
  expect(report).toMatchObject({ status: "unknown", reason: "attempt_timeout", totalLatencyMs: 51 });
});

it("S4.1 the deadline is no later for a port that has taken its time since it was last asked for", async () => {
  const clock = createVirtualClock();
  const store = createMemoryIdempotencyStore({ clock });
  const { report } = await clock.run(() =>
    runDurably({
      clock,
      decision: { action: "ACT", actions: [{ action: "ACT" }, { action: "ACT" }] },
      executor: () => new Promise<never>(() => {}),
      policy: {
        idempotency: { enabled: true },
        onFailure: "continue",
        timeout: { attemptTimeoutMs: 50, maxTotalTimeMs: 900, abortGraceMs: 0 },
      },
      ports: {
        idempotencyStore: {
          ...store,
          markUnknown: (key, token) => clock.sleep(400).then(() => store.markUnknown(key, token)),
        },
      },
    }),
  );
  expect(report).toMatchObject({ totalLatencyMs: 900, actions: [{}, { reason: "deadline_exceeded" }] });
});

const KEYED = { action: "ACT" as const, actions: [{ action: "ACT" as const, id: "a-0", idempotency_key: "k" }] };
const fingerprint = fingerprintOf({ id: "a-0", index: 0, action: "ACT", params: {}, effect: "once" });

describe("the lease of a key", () => {
  it("S7.3 is renewed while another port takes its time", async () => {
    const clock = createVirtualClock();
    const store = createMemoryIdempotencyStore({ clock });
    const slow = (_action: unknown) => clock.sleep(900).then(() => ({ allow: true as const }));
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision: KEYED,
        executor: succeeding,
        policy: { idempotency: { enabled: true, leaseMs: 300 } },
        ports: { idempotencyStore: store, gates: [slow] },
      }),
    );
    expect(report.status).toBe("success");
    expect(report.actions[0]!.recordError).toBeUndefined();
  });

  it("S7.3 that was made to outlast a wait is not made shorter by the next renewal", async () => {
    const clock = createVirtualClock();
    const store = createMemoryIdempotencyStore({ clock });
    let found: unknown;
    clock.setTimer(() => {
      found = store.claim("k", { fingerprint, leaseMs: 1, nowMs: clock.now() });
    }, 1_800_000);
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision: { ...KEYED, actions: [...KEYED.actions, { action: "ACT", id: "a-1", idempotency_key: "k-1" }] },
        executor: async (_, { actionIndex, attempt }) => {
          if (actionIndex === 1) await clock.sleep(60_000);
          return actionIndex === 0 && attempt === 0 ? { ok: false, code: "not_yet" } : { ok: true };
        },
        policy: {
          idempotency: { enabled: true },
          maxConcurrency: 2,
          onFailure: "continue",
          retry: { initialBackoffMs: 3_600_000, maxBackoffMs: 3_600_000 },
          timeout: { attemptTimeoutMs: 100_000, maxTotalTimeMs: 7_200_000 },
        },
        ports: { idempotencyStore: store },
      }),
    );
    expect(found).toMatchObject({ state: "in_progress" });
    expect(report.status).toBe("success");
  });

  it("S7.2 of a key in doubt that was taken over too late is given back in doubt, not free", async () => {
    const clock = createVirtualClock();
    const store = createMemoryIdempotencyStore({ clock });
    const earlier = store.claim("k", { fingerprint, leaseMs: 1000, nowMs: 0 });
    if (earlier.state === "claimed") store.markUnknown("k", earlier.token);
    const { report } = await clock.run(() =>
      runDurably({
        clock,
        decision: KEYED,
        executor: succeeding,
        policy: { idempotency: { enabled: true, onUnknown: "retry" } },
        ports: {
          killSwitch: createManualKillSwitch(),
          idempotencyStore: {
            ...store,
            claim: async (key, request) => {
              if (request.takeOver) await clock.sleep(1500);
              return store.claim(key, request);
            },
          },
        },
      }),
    );
    expect(report).toMatchObject({ status: "denied", reason: "idempotency_store_unavailable" });
    await clock.runUntilIdle();
    expect(store.list()).toMatchObject([{ key: "k", state: "unknown" }]);
  });
});

describe("S7.3 a key that somebody else has been given meanwhile", () => {
  for (const [what, switchMs, waitMs, renew] of [
    ["while the switch was being read", 500, 0, () => new Promise<never>(() => {})],
    ["while the switch was being read, and renewals were refused", 500, 0, () => false],
    ["during a backoff", 0, 400, () => new Promise<never>(() => {})],
  ] as const) {
    it(`is not dispatched by who had it before: ${what}`, async () => {
      const clock = createVirtualClock();
      const memory = createMemoryIdempotencyStore({ clock });
      // The renewals of this one do not arrive.
      const idempotencyStore = { ...memory, renew };
      const decision = { action: "ACT" as const, actions: [{ action: "ACT" as const, idempotency_key: "k" }] };
      const policy = {
        idempotency: { enabled: true, leaseMs: 300 },
        retry: { initialBackoffMs: waitMs },
        timeout: { portTimeoutMs: 1000 },
      };
      const applied: string[] = [];
      let calls = 0;
      const before = (() =>
        waitMs > 0 && calls++ === 0 ? { ok: false, code: "busy" } : { ok: applied.push("before") > 0 }) as Executor;
      const after: Executor = {
        execute: () => ({ ok: applied.push("after") > 0 }) as never,
        reconcile: () => ({ state: applied.length > 0 ? "applied" : "not_applied" }),
      };
      const killSwitch = { read: () => clock.sleep(switchMs).then(() => ({ halted: false })) };
      const [{ report }] = await clock.run(() =>
        Promise.all([
          runDurably({ clock, decision, policy, executor: before, ports: { idempotencyStore, killSwitch } }),
          clock.sleep(310).then(() => execute(decision, {}, policy, after, { clock, idempotencyStore: memory })),
        ]),
      );
      expect(applied).toEqual(["after"]);
      expect(report.actions[0]).toMatchObject({ reason: "in_progress", attemptCount: calls > 0 ? 1 : 0 });
    });
  }
});

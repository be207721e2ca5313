import { describe, expect, it } from "vitest";
import type { Command } from "../../src/machine/index.js";
import type { ExecutionEvent } from "../../src/report/events.js";
import {
  BUSY,
  claimed,
  drive,
  INTENDED,
  KEY_STARTED,
  KEYED,
  rowOf,
  START,
  settled,
  starting,
  typesOf,
  type Unstamped,
} from "./drive.js";

/** Every optional port there is. */
const ALL_PORTS = { hasBulkhead: true, hasGates: true, hasKillSwitch: true } as const;
const LIMITED = { ...KEYED, rateLimit: { global: { limit: 1, windowMs: 10 } } };

/** The answers that lead to a dispatch, in the order in which they are asked for, each with its question. */
const WAY: readonly (readonly [string, Unstamped])[] = [
  ["derive_key", { type: "key_derived", action: 0, key: "k" }],
  ["enter_bulkhead", { type: "bulkhead", action: 0, verdict: "entered" }],
  ["claim_key", { type: "claim", action: 0, verdict: { state: "claimed", token: 1 } }],
  ["ask_gates", { type: "gates", action: 0, verdict: { state: "allowed" } }],
  ["acquire_permit", { type: "permit", action: 0, verdict: { state: "granted" } }],
  ["intend", INTENDED],
  ["start_key", KEY_STARTED],
  ["read_switch", { type: "switch", action: 0, verdict: "open" }],
];

/** What a stop finds taken has to be given back; nothing else is asked. */
const GIVEN_BACK = ["cancel_permit", "leave_bulkhead", "record_key", "finish"];

const HALT = { type: "halt", cause: "kill_switch" } as const;

function byTheWay(events: readonly ExecutionEvent[], type: ExecutionEvent["type"]) {
  return events.filter((event) => event.type === type);
}

describe("S5.5 the way to a dispatch", () => {
  it("asks one after the other, and then dispatches", () => {
    const { feed } = drive({ plan: ["once"], policy: LIMITED, facts: ALL_PORTS });
    const asked = [typesOf(feed(START)), ...WAY.map(([, answer]) => typesOf(feed(answer)))];
    expect(asked).toEqual([...WAY.map(([question]) => [question]), ["dispatch"]]);
  });

  it.each(WAY.map(([question], place) => [question, place] as const))(
    "S2.4 asks nothing more after a halt that came while %s was being answered, and gives back what it had",
    (_, place) => {
      const { machine, feed } = drive({ plan: ["once"], policy: LIMITED, facts: ALL_PORTS });
      feed(START);
      for (const [, answer] of WAY.slice(0, place)) feed(answer);
      expect(typesOf(feed(HALT))).toEqual([]);
      const commands = typesOf(feed(WAY[place]![1]));
      expect(commands.filter((type) => !GIVEN_BACK.includes(type))).toEqual([]);
      expect(commands.includes("leave_bulkhead")).toBe(place >= 1);
      expect(commands.includes("record_key")).toBe(place >= 2);
      expect(commands.includes("cancel_permit")).toBe(place >= 4);
      if (place >= 2) feed({ type: "recorded", action: 0, ok: true });
      expect(rowOf(machine)).toMatchObject({ status: "denied", reason: "kill_switch", attemptCount: 0 });
    },
  );

  it.each([
    ["claim_key", 2, { type: "claim", action: 0, verdict: { state: "completed" } }],
    ["claim_key", 2, { type: "claim", action: 0, verdict: { state: "in_progress" } }],
    ["claim_key", 2, { type: "claim", action: 0, verdict: { state: "conflict" } }],
    ["claim_key", 2, { type: "claim", action: 0, verdict: { state: "unknown" } }],
    ["ask_gates", 3, { type: "gates", action: 0, verdict: { state: "denied", code: "no" } }],
    ["ask_gates", 3, { type: "gates", action: 0, verdict: { state: "denied", code: "no", retryAfterMs: 1 } }],
    ["acquire_permit", 4, { type: "permit", action: 0, verdict: { state: "refused", retryAfterMs: 1 } }],
    ["acquire_permit", 4, { type: "permit", action: 0, verdict: { state: "behind", retryAfterMs: 1 } }],
    ["intend", 5, { type: "intent", action: 0, ok: false }],
    ["start_key", 6, { type: "key_started", action: 0, verdict: "stale" }],
    ["read_switch", 7, { type: "switch", action: 0, verdict: "unavailable" }],
  ] as const)("S2.4 names the halt, not the refusal that came after it: %s", (_, place, refusal) => {
    const { machine, feed } = drive({ plan: ["once"], policy: LIMITED, facts: ALL_PORTS });
    feed(START);
    for (const [, answer] of WAY.slice(0, place)) feed(answer);
    feed(HALT);
    expect(typesOf(feed(refusal)).filter((type) => !GIVEN_BACK.includes(type))).toEqual([]);
    if (place >= 3) feed({ type: "recorded", action: 0, ok: true });
    expect(rowOf(machine)).toMatchObject({ status: "denied", reason: "kill_switch" });
  });

  it.each([
    ["done", "dispatch", undefined],
    ["stale", "record_key", "in_progress"],
    ["unavailable", "record_key", "idempotency_store_unavailable"],
  ] as const)("S7.2 a key that could not be started is not dispatched: %s", (verdict, next, reason) => {
    const { machine, feed } = starting();
    expect(typesOf(feed({ type: "key_started", action: 0, verdict }))).toEqual([next]);
    if (reason === undefined) return;
    feed({ type: "recorded", action: 0, ok: true });
    expect(rowOf(machine)).toMatchObject({ status: "denied", reason });
  });

  it.each([
    ["done", "dispatch", undefined],
    ["stale", "record_key", "in_progress"],
    ["unavailable", "record_key", "idempotency_store_unavailable"],
  ] as const)(
    "S7.3 nor is it again where the claim was lost during a backoff, or nobody can tell: %s",
    (verdict, next, reason) => {
      const { machine, feed } = claimed();
      feed({ type: "settled", action: 0, attempt: 0, settlement: BUSY });
      feed({ type: "timer", at: 1, action: 0 });
      expect(typesOf(feed({ ...INTENDED, at: 1 }))).toEqual(["start_key"]);
      expect(typesOf(feed({ ...KEY_STARTED, verdict }))).toEqual([next]);
      if (reason === undefined) return;
      feed({ type: "recorded", action: 0, ok: true });
      expect(rowOf(machine)).toMatchObject({ status: "failed", reason, attemptCount: 1 });
    },
  );

  it("S7.3 nor where the word of it, or of the switch, was on its way until the lease had run out", () => {
    for (const [heldUntil, at, dispatched] of [
      [5, 4, true],
      [5, 5, false],
      [undefined, 6, true],
    ] as const) {
      const { machine, feed } = starting({ facts: { hasKillSwitch: true } });
      feed({ ...KEY_STARTED, ...(heldUntil !== undefined && { heldUntil }) });
      const commands = typesOf(feed({ type: "switch", at, action: 0, verdict: "open" }));
      expect(commands).toEqual([dispatched ? "dispatch" : "record_key"]);
      if (dispatched) continue;
      feed({ type: "recorded", action: 0, ok: false });
      expect(rowOf(machine)).toMatchObject({ status: "denied", reason: "in_progress" });
    }
  });

  it("S7.6 a record that a lost claim could not write is no error: it is somebody else's", () => {
    for (const [verdict, recordError] of [
      ["stale", undefined],
      ["unavailable", "idempotency_store_unavailable"],
    ] as const) {
      const { machine, feed, events } = starting();
      feed({ ...KEY_STARTED, verdict });
      feed({ type: "recorded", action: 0, ok: false });
      expect(rowOf(machine)?.recordError).toBe(recordError);
      expect(byTheWay(events, "key.released")).toMatchObject([{ recorded: false }]);
    }
  });

  it("S8.1 tells of the claim, the intent with its key, and the start with its limit", () => {
    const { events } = claimed();
    expect(events.map(({ type }) => type)).toEqual([
      "execution.started",
      "action.started",
      "key.claimed",
      "attempt.intended",
      "attempt.started",
    ]);
    expect(byTheWay(events, "key.claimed")).toMatchObject([{ actionIndex: 0, idempotencyKey: "k" }]);
    expect(byTheWay(events, "attempt.intended")).toMatchObject([
      { attemptNumber: 0, action: "ACT", idempotencyKey: "k" },
    ]);
    expect(byTheWay(events, "attempt.started")).toMatchObject([{ attemptNumber: 0, limitMs: 2 }]);
    const keyless = drive({ plan: ["once"] });
    keyless.feed({ ...START, at: 1 });
    expect(byTheWay(keyless.events, "attempt.intended")).not.toContainEqual(
      expect.objectContaining({ idempotencyKey: undefined }),
    );
    keyless.feed({ ...INTENDED, at: 6 });
    expect(byTheWay(keyless.events, "attempt.started")).toMatchObject([{ limitMs: 1 }]);
    expect(Object.keys(byTheWay(keyless.events, "attempt.intended")[0]!)).not.toContain("idempotencyKey");
  });
});

describe("what is begun", () => {
  it("S8.1 is told with its key, where it has one", () => {
    const keyed = drive({ plan: ["once"], policy: KEYED });
    keyed.feed(START);
    expect(byTheWay(keyed.events, "action.started")).toEqual([]);
    keyed.feed({ type: "key_derived", action: 0, key: "k" });
    expect(byTheWay(keyed.events, "action.started")).toMatchObject([{ actionIndex: 0, idempotencyKey: "k" }]);
    const keyless = drive({ plan: ["once"] });
    keyless.feed(START);
    const [started] = byTheWay(keyless.events, "action.started");
    expect(Object.keys(started!)).not.toContain("idempotencyKey");
    const unobserved = drive({ plan: ["once"], facts: { observed: false } });
    expect(unobserved.feed(START).map(({ type }) => type)).toEqual(["dispatch"]);
  });

  it("S2.4 goes no further when a halt came while its key was made, and names the halt", () => {
    for (const key of ["k", undefined]) {
      const { machine, feed } = drive({ plan: ["once"], policy: KEYED, facts: { hasBulkhead: true } });
      feed(START);
      feed(HALT);
      expect(typesOf(feed({ type: "key_derived", action: 0, ...(key !== undefined && { key }) }))).toEqual(["finish"]);
      expect(rowOf(machine)).toMatchObject({ status: "denied", reason: "kill_switch" });
      expect(Object.hasOwn(rowOf(machine)!, "idempotencyKey")).toBe(key !== undefined);
    }
  });

  it("S5.4 waits for a slot of its own execution in order of arrival, and says so once", () => {
    const { feed, events } = drive({
      plan: ["once", "once"],
      policy: { retry: { initialBackoffMs: 1, maxBackoffMs: 1 }, onFailure: "continue" },
    });
    feed(START);
    feed({ type: "resume" });
    feed(INTENDED);
    feed({ type: "resume" });
    feed({ type: "settled", action: 0, attempt: 0, settlement: BUSY });
    feed({ type: "intent", action: 1, ok: true });
    feed({ type: "timer", at: 1, action: 0 });
    feed({ type: "resume" });
    expect(byTheWay(events, "wait.started")).toMatchObject([
      { actionIndex: 0, cause: "backoff", untilMs: 1001 },
      { actionIndex: 0, cause: "slot", untilMs: 1007 },
    ]);
    expect(typesOf(feed({ ...settled("applied", 0, 1), at: 2 }))).toEqual(["clear_timer", "clear_timer", "intend"]);
    expect(byTheWay(events, "wait.finished")).toMatchObject([
      { cause: "backoff", waitedMs: 1 },
      { cause: "slot", waitedMs: 1 },
    ]);
  });
});

describe("the last look before a dispatch", () => {
  const late = (at: number, approval?: { matches: boolean; expiresAtMs?: number }, wallMs?: number) => {
    const { machine, feed } = drive({ plan: ["once"], ...(approval && { facts: { approval } }) });
    feed(START);
    feed({ ...INTENDED, at, ...(wallMs !== undefined && { wallMs }) });
    return rowOf(machine)?.reason;
  };

  it("S4.1 refuses at the deadline, and not a moment before", () => {
    expect(late(7)).toBe("deadline_exceeded");
    expect(late(6)).toBeUndefined();
  });

  it("S1.8 refuses what is not what was approved, and what expires right now", () => {
    expect(late(0, { matches: false })).toBe("approval_mismatch");
    expect(late(1, { matches: true, expiresAtMs: 1005 }, 1005)).toBe("approval_expired");
    expect(late(1, { matches: true, expiresAtMs: 1005 }, 1004)).toBeUndefined();
    expect(late(5, { matches: true, expiresAtMs: 1005 })).toBe("approval_expired");
    expect(late(5, { matches: true })).toBeUndefined();
  });

  it("S1.8 an approval that expires has expired where there is no telling the time", () => {
    const facts = { approval: { matches: true, expiresAtMs: 1005 }, startedAtMs: Number.NaN };
    const { machine, feed } = drive({ plan: ["once"], facts });
    feed(START);
    feed(INTENDED);
    expect(rowOf(machine)?.reason).toBe("approval_expired");
  });

  it("S4.1 blames the deadline for a port that did not answer before it, and else the port", () => {
    const unread = (at: number) => {
      const { machine, feed } = drive({ plan: ["once"], facts: { hasKillSwitch: true, observed: false } });
      feed(START);
      feed({ type: "switch", at, action: 0, verdict: "unavailable" });
      return rowOf(machine)?.reason;
    };
    expect([unread(6), unread(7)]).toEqual(["kill_switch_unavailable", "deadline_exceeded"]);
  });
});

describe("waiting aside", () => {
  const gate = (retryAfterMs?: number, at = 0) => {
    const run = drive({ plan: ["once"], facts: { hasBulkhead: true, hasGates: true } });
    run.feed({ ...START, at });
    run.feed({ type: "bulkhead", action: 0, verdict: "entered" });
    const commands = run.feed({
      type: "gates",
      action: 0,
      verdict: { state: "denied", code: "quota", ...(retryAfterMs !== undefined && { retryAfterMs }) },
    });
    return { ...run, commands: typesOf(commands) };
  };

  it("S5.5 a gate that may be asked again is waited for without the shared slot, and starts over", () => {
    const { feed, events, commands } = gate(3);
    expect(commands).toEqual(["leave_bulkhead", "set_timer"]);
    expect(byTheWay(events, "wait.started")).toMatchObject([{ cause: "gate", untilMs: 1003 }]);
    expect(typesOf(feed({ type: "timer", at: 3, action: 0 }))).toEqual(["enter_bulkhead"]);
  });

  it("S5.5 a gate that gives no time, or a longer one than the policy waits for, or one beyond the deadline, denies", () => {
    for (const { machine, commands } of [gate(), gate(4), gate(3, 4)]) {
      expect(commands).toEqual(["leave_bulkhead", "finish"]);
      expect(rowOf(machine)).toMatchObject({ status: "denied", reason: "gate_denied", errorCode: "quota" });
    }
    expect(gate(3, 3).commands).toEqual(["leave_bulkhead", "set_timer"]);
  });

  it("S7.2 a key in progress is asked for again at growing intervals", () => {
    const { feed } = drive({
      plan: ["once"],
      policy: {
        idempotency: { enabled: true, onInProgress: "wait" },
        retry: { initialBackoffMs: 10, backoffMultiplier: 2, maxBackoffMs: 1000 },
        timeout: { maxTotalTimeMs: 1000 },
      },
    });
    const inProgress = { type: "claim", action: 0, verdict: { state: "in_progress" } } as const;
    feed(START);
    feed({ type: "key_derived", action: 0, key: "k" });
    const waits: number[] = [];
    for (const at of [0, 10, 30, 70]) {
      if (at > 0) expect(typesOf(feed({ type: "timer", at, action: 0 }))).toEqual(["claim_key"]);
      const commands = feed(inProgress);
      waits.push(...commands.flatMap((command) => (command.type === "set_timer" ? [command.at - at] : [])));
    }
    expect(waits).toEqual([10, 20, 40, 80]);
  });
});

describe("S7.2 a key in doubt", () => {
  const doubt = (effect: "once" | "idempotent" | "none", facts = {}, policy = {}, at = 0) => {
    const run = drive({ plan: [effect], policy: { idempotency: { enabled: true, ...policy } }, facts });
    run.feed(START);
    run.feed({ type: "key_derived", action: 0, key: "k" });
    const commands = run.feed({ type: "claim", at, action: 0, verdict: { state: "unknown" } });
    return { ...run, commands };
  };
  const stillInDoubt = (row: unknown) => expect(row).toMatchObject({ status: "unknown", reason: "in_doubt" });

  it("stays so where nobody can be asked", () => {
    stillInDoubt(rowOf(doubt("once").machine));
  });

  it("is taken over where another dispatch does no harm, or the policy says so; never twice", () => {
    for (const { machine, feed, commands } of [
      doubt("idempotent"),
      doubt("once", {}, { onUnknown: "retry" }),
      doubt("idempotent", { canReconcile: true }),
    ]) {
      expect(commands).toMatchObject([{ type: "claim_key", takeOver: true }]);
      expect(machine.actions[0]!.inDoubt).toBe("unproven");
      feed({ type: "claim", action: 0, verdict: { state: "unknown" } });
      stillInDoubt(rowOf(machine));
    }
    const read = doubt("none");
    expect(read.machine.actions[0]!.inDoubt).toBe("not_applied");
    read.feed({ type: "claim", action: 0, verdict: { state: "unknown" } });
    expect(rowOf(read.machine)).toMatchObject({ status: "failed", reason: "in_doubt" });
  });

  /** One that can be asked about, and that was taken over for that. */
  const taken = (at = 0, policy = {}) => {
    const run = doubt("once", { canReconcile: true }, policy, at);
    expect(run.commands).toMatchObject([{ type: "claim_key", takeOver: true }]);
    const commands = run.feed({ type: "claim", action: 0, verdict: { state: "claimed", token: 2 } });
    return { ...run, commands };
  };
  const outcomes = (commands: readonly Command[]) =>
    commands.flatMap((command) => (command.type === "record_key" ? [command.outcome] : []));

  it("is reconciled by whoever holds it and can, before the deadline", () => {
    const { commands, events } = taken(6);
    expect(commands).toContainEqual({ type: "reconcile", action: 0, attempt: 0, limitAt: 7 });
    expect(byTheWay(events, "reconcile.started")).toMatchObject([{ actionIndex: 0, attemptNumber: 0 }]);
    const late = taken(7);
    expect(outcomes(late.commands)).toEqual(["unknown"]);
    late.feed({ type: "recorded", action: 0, ok: true });
    stillInDoubt(rowOf(late.machine));
  });

  it.each([
    ["unknown", ["unknown"]],
    ["not_applied", []],
    ["applied", ["complete"]],
  ] as const)("goes by what reconcile says: %s", (verdict, written) => {
    const { machine, feed } = taken();
    const commands = feed({ type: "reconciled", action: 0, verdict });
    expect(outcomes(commands)).toEqual(written);
    if (verdict === "not_applied") return expect(typesOf(commands)).toEqual(["intend"]);
    feed({ type: "recorded", action: 0, ok: true });
    if (verdict === "unknown") return stillInDoubt(rowOf(machine));
    expect(rowOf(machine)).toMatchObject({ status: "success", reason: "reconciled", attemptCount: 0 });
  });

  it.each([
    ["applied", "complete", "reconciled"],
    ["not_applied", "release", "kill_switch"],
    ["unknown", "unknown", "in_doubt"],
  ] as const)(
    "S2.4 what was found is stored although a halt came meanwhile; the rest is not begun: %s",
    (verdict, written, reason) => {
      const { machine, feed } = taken();
      feed(HALT);
      expect(outcomes(feed({ type: "reconciled", action: 0, verdict }))).toEqual([written]);
      expect(rowOf(machine)).toMatchObject({ reason });
    },
  );

  it("S2.4 stays in doubt where a halt came before anybody was asked", () => {
    const { feed } = doubt("once", { canReconcile: true });
    feed(HALT);
    expect(outcomes(feed({ type: "claim", action: 0, verdict: { state: "claimed", token: 2 } }))).toEqual(["unknown"]);
  });

  it.each([
    ["once", { canReconcile: true }, {}, "unasked"],
    ["idempotent", {}, {}, "unproven"],
    ["none", {}, {}, "not_applied"],
  ] as const)("is judged anew after somebody else was faster to take it over: %s", (effect, facts, policy, inDoubt) => {
    const idempotency = { enabled: true, onInProgress: "wait" } as const;
    const { machine, feed, commands } = doubt(effect, facts, { ...policy, ...idempotency });
    expect(commands).toMatchObject([{ type: "claim_key", takeOver: true }]);
    feed({ type: "claim", action: 0, verdict: { state: "in_progress" } });
    const [again] = feed({ type: "timer", at: 1, action: 0 }).filter(({ type }) => type === "claim_key");
    expect(again).toMatchObject({ takeOver: false });
    expect(feed({ type: "claim", action: 0, verdict: { state: "unknown" } })).toMatchObject([{ takeOver: true }]);
    expect(machine.actions[0]!.inDoubt).toBe(inDoubt);
  });

  it("of somebody else is asked for once more just before the deadline", () => {
    const run = doubt("once", {}, { onInProgress: "wait" });
    const asked = drive({
      plan: ["once"],
      policy: {
        idempotency: { enabled: true, onInProgress: "wait" },
        retry: { initialBackoffMs: 600, maxBackoffMs: 600 },
        timeout: { maxTotalTimeMs: 1000 },
      },
    });
    asked.feed(START);
    asked.feed({ type: "key_derived", action: 0, key: "k" });
    const inProgress = { type: "claim", action: 0, verdict: { state: "in_progress" } } as const;
    const waits = [0, 600, 999].map((at) => {
      if (at > 0) asked.feed({ type: "timer", at, action: 0 });
      return asked.feed(inProgress).flatMap((command) => (command.type === "set_timer" ? [command.at] : []));
    });
    expect(waits).toEqual([[600], [999], []]);
    expect(rowOf(asked.machine)).toMatchObject({ status: "denied", reason: "in_progress" });
    expect(rowOf(run.machine)).toMatchObject({ reason: "in_doubt" });
  });
});

describe("what a row says", () => {
  it("S7.5 that a replayed value was too large to be kept, where it was", () => {
    for (const valueOmitted of [true, false]) {
      const { machine, feed } = drive({ plan: ["once"], policy: KEYED });
      feed(START);
      feed({ type: "key_derived", action: 0, key: "k" });
      feed({ type: "claim", action: 0, verdict: { state: "completed", ...(valueOmitted && { valueOmitted }) } });
      expect(rowOf(machine)).toMatchObject({ status: "success", reason: "replayed", replayed: true, basis: "replay" });
      expect(Object.hasOwn(rowOf(machine)!, "valueOmitted")).toBe(valueOmitted);
    }
  });

  it("S10 how long its action took since it was begun, and that nothing was dispatched where nothing was", () => {
    const { machine, feed } = drive({
      plan: ["once", "once"],
      policy: { onFailure: "continue" },
      facts: { observed: false },
    });
    feed(START);
    feed({ type: "resume" });
    feed({ ...settled("applied"), at: 2 });
    feed({ type: "settled", at: 4, action: 1, attempt: 0, settlement: { ...BUSY, retryable: false } });
    expect([0, 1].map((index) => rowOf(machine, index)?.latencyMs)).toEqual([2, 2]);
    expect(rowOf(machine)).toEqual({
      id: "action-0",
      index: 0,
      action: "ACT",
      status: "success",
      reason: "completed",
      attemptCount: 1,
      latencyMs: 2,
      waitedMs: 0,
      basis: "result",
      replayed: false,
    });
    expect(rowOf(machine, 1)).toMatchObject({ status: "failed", reason: "rejected", errorCode: "busy" });
    const denied = drive({ plan: ["once"], facts: { hasGates: true } });
    denied.feed(START);
    denied.feed({ type: "gates", action: 0, verdict: { state: "unavailable" } });
    expect(rowOf(denied.machine)).toMatchObject({ basis: "none", attemptCount: 0 });
    expect(Object.keys(rowOf(denied.machine)!)).not.toContain("errorCode");
  });

  it("S3.1 the type of what was thrown, unless it was settled all the same", () => {
    const thrown = {
      type: "settled",
      action: 0,
      attempt: 0,
      settlement: { kind: "threw", errorType: "TypeError" },
    } as const;
    const plain = drive({ plan: ["once"] });
    plain.feed(START);
    plain.feed(INTENDED);
    plain.feed(thrown);
    expect(rowOf(plain.machine)).toMatchObject({
      status: "unknown",
      errorType: "TypeError",
      errorCode: "execution_exception",
    });
    const asked = drive({ plan: ["once"], facts: { canReconcile: true } });
    asked.feed(START);
    asked.feed(INTENDED);
    asked.feed(thrown);
    asked.feed({ type: "reconciled", action: 0, verdict: "applied" });
    expect(rowOf(asked.machine)).toMatchObject({ status: "success", reason: "reconciled" });
    expect(Object.keys(rowOf(asked.machine)!)).not.toContain("errorType");
    expect(Object.keys(rowOf(asked.machine)!)).not.toContain("errorCode");
  });

  it("S7.6 that its key could not be written, and only then", () => {
    for (const ok of [true, false]) {
      const { machine, feed, events } = claimed();
      feed(settled("applied"));
      feed({ type: "recorded", action: 0, ok });
      expect(Object.hasOwn(rowOf(machine)!, "recordError")).toBe(!ok);
      expect(byTheWay(events, "key.completed")).toMatchObject([{ actionIndex: 0, idempotencyKey: "k", recorded: ok }]);
    }
  });

  it("S3.7 refills the retry budget with every success of its own, and with no replay", () => {
    const own = drive({ plan: ["once"], facts: { hasRetryBudget: true } });
    own.feed(START);
    own.feed(INTENDED);
    expect(typesOf(own.feed(settled("applied")))).toContain("refill_retries");
    const without = drive({ plan: ["once"] });
    without.feed(START);
    without.feed(INTENDED);
    expect(typesOf(without.feed(settled("applied")))).not.toContain("refill_retries");
    const replayed = drive({ plan: ["once"], policy: KEYED, facts: { hasRetryBudget: true } });
    replayed.feed(START);
    replayed.feed({ type: "key_derived", action: 0, key: "k" });
    expect(typesOf(replayed.feed({ type: "claim", action: 0, verdict: { state: "completed" } }))).toEqual(["finish"]);
  });
});

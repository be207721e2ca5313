import { describe, expect, it } from "vitest";
import { type Settlement, snapshot } from "../../src/machine/index.js";
import { reportFromEvents } from "../../src/report/report-from-events.js";
import {
  BUSY,
  claimed,
  drive,
  INTENDED,
  KEYED,
  report,
  rowOf,
  START,
  settled,
  typesOf,
  type Unstamped,
} from "./drive.js";
import type { Scenario } from "./scenario.js";

describe("what the executor says", () => {
  it("S3.1 an invalid answer is never followed by another attempt, also after its limit and when reconcile knows nothing", () => {
    const { machine, feed } = drive({ plan: ["idempotent"], facts: { canReconcile: true } });
    feed(START);
    feed(INTENDED);
    feed({ type: "timer", at: 2, action: 0 });
    feed(settled("invalid"));
    feed({ type: "reconciled", action: 0, verdict: "unknown" });
    expect(rowOf(machine)).toMatchObject({ status: "unknown", reason: "invalid_result", attemptCount: 1 });
  });

  it("S3.6 a retry budget that takes its time leaves no wait that ends at the deadline", () => {
    const { machine, feed } = drive({ plan: ["once"], facts: { hasRetryBudget: true } });
    feed(START);
    feed(INTENDED);
    feed({ type: "settled", action: 0, attempt: 0, settlement: { ...BUSY, retryAfterMs: 3 } });
    const commands = feed({ type: "retry_budget", at: 4, action: 0, verdict: "granted" });
    expect(typesOf(commands)).toEqual(["finish"]);
    expect(rowOf(machine)).toMatchObject({ status: "failed", reason: "deadline_exceeded", waitedMs: 0 });
  });

  it("S3.6 takes nothing from the retry budget for a retry that would start at the deadline, or never", () => {
    const answer = (settlement: Settlement, at = 0, policy = {}) => {
      const { machine, feed } = drive({ plan: ["once"], policy, facts: { hasRetryBudget: true } });
      feed(START);
      feed(INTENDED);
      return [typesOf(feed({ type: "settled", at, action: 0, attempt: 0, settlement })), rowOf(machine)?.reason];
    };
    const timeout = { attemptTimeoutMs: 9 };
    expect(answer(BUSY, 1)).toEqual([["clear_timer", "take_retry"], undefined]);
    expect(answer(BUSY, 5, { timeout: { maxTotalTimeMs: 7, ...timeout } })[1]).toBeUndefined();
    expect(answer({ ...BUSY, retryAfterMs: 2 }, 5, { timeout: { maxTotalTimeMs: 7, ...timeout } })).toEqual([
      ["clear_timer", "finish"],
      "deadline_exceeded",
    ]);
    expect(answer({ ...BUSY, retryAfterMs: 4 })).toEqual([["clear_timer", "finish"], "retry_after_too_long"]);
    expect(answer(BUSY, 0, { retry: { maxRetries: 0 } })).toEqual([["clear_timer", "finish"], "retries_exhausted"]);
  });

  it("S3.5 jitter is drawn anew for every attempt, action and execution", () => {
    const firstWait = (facts: { executionId?: string; seed?: string }, attempts = 1) => {
      const retry = {
        maxRetries: 3,
        initialBackoffMs: 1000,
        backoffMultiplier: 1,
        maxBackoffMs: 1000,
        jitter: "full" as const,
      };
      const { machine, feed } = drive({ plan: ["once"], policy: { retry, timeout: { maxTotalTimeMs: 9999 } }, facts });
      feed(START);
      for (let attempt = 0; ; attempt++) {
        feed(INTENDED);
        feed({ type: "settled", action: 0, attempt, settlement: BUSY });
        const at = machine.actions[0]!.timerAt!;
        if (attempt === attempts - 1) return at - machine.at;
        feed({ type: "timer", at, action: 0 });
      }
    };
    const waits = [firstWait({}), firstWait({}, 2), firstWait({ seed: "other" }), firstWait({ executionId: "other" })];
    expect(new Set(waits).size).toBe(4);
    expect(firstWait({})).toBe(waits[0]);
  });

  it("S2.4 a rejection that comes in the grace of a halt is followed by no retry: the halt is why", () => {
    const { machine, feed } = drive({ plan: ["idempotent"] });
    feed(START);
    feed(INTENDED);
    feed({ type: "halt", cause: "kill_switch" });
    expect(typesOf(feed({ type: "settled", action: 0, attempt: 0, settlement: BUSY }))).toEqual([
      "clear_timer",
      "finish",
    ]);
    expect(rowOf(machine)).toMatchObject({ status: "failed", reason: "kill_switch", attemptCount: 1 });
  });

  it("S8.1 a settlement between the row and the writing of its key does not change the row that the events tell", () => {
    const { machine, feed, events } = claimed();
    feed({ type: "halt", cause: "cancelled" });
    feed({ type: "timer", at: 1, action: 0 });
    feed(settled("applied"));
    feed({ type: "recorded", action: 0, ok: true });
    expect(report(machine).attempts).toMatchObject([{ status: "unknown", errorCode: "aborted" }]);
    expect(reportFromEvents(events)).toEqual({ ...report(machine) });
  });
});

describe("waits and halts", () => {
  it("S1.7 nothing else is begun before the throttle is over", () => {
    const { feed } = drive({
      plan: ["once", "once"],
      policy: { ...KEYED, maxConcurrency: 2 },
      facts: { throttleMs: 3 },
    });
    feed(START);
    expect(typesOf(feed({ type: "resume" }))).toEqual([]);
    expect(typesOf(feed({ type: "key_derived", action: 0, key: "k0" }))).toEqual(["set_timer"]);
    expect(typesOf(feed({ type: "timer", at: 3, action: 0 }))).toEqual(["claim_key", "yield"]);
    expect(typesOf(feed({ type: "resume", at: 3 }))).toEqual(["derive_key"]);
    expect(typesOf(feed({ type: "key_derived", at: 3, action: 1, key: "k1" }))).toEqual(["claim_key"]);
  });

  it("S1.8 an expiry is measured by the wall clock of the input that leads to the dispatch, not by an older one", () => {
    const { machine, feed } = drive({ plan: ["once"], facts: { approval: { matches: true, expiresAtMs: 1004 } } });
    feed({ ...START, wallMs: 1000 });
    feed({ ...INTENDED, at: 5 });
    expect(rowOf(machine)?.reason).toBe("approval_expired");
  });

  it.each([
    ["queued", ["abandon_bulkhead", "finish"]],
    ["full", ["finish"]],
    ["unavailable", ["finish"]],
    ["entered", ["leave_bulkhead", "finish"]],
  ] as const)(
    "S2.4 a halt that comes while the bulkhead is asked is why nothing is dispatched: %s",
    (verdict, commands) => {
      const { machine, feed } = drive({ plan: ["once"], facts: { hasBulkhead: true } });
      feed(START);
      feed({ type: "halt", cause: "kill_switch" });
      expect(typesOf(feed({ type: "bulkhead", action: 0, verdict }))).toEqual(commands);
      expect(rowOf(machine)).toMatchObject({ status: "denied", reason: "kill_switch" });
    },
  );

  it("S2.4 a halt that has nothing left to stop has a latency of 0", () => {
    const { machine, feed } = claimed();
    feed(settled("applied"));
    feed({ type: "halt", at: 2, cause: "cancelled" });
    feed({ type: "recorded", action: 0, ok: true });
    expect(report(machine)).toMatchObject({ status: "success", haltLatencyMs: 0 });
  });

  it("S4.4 of those who wait for a slot each is denied at its own deadline, in whatever order the timers come", () => {
    const scenario: Omit<Scenario, "name"> = {
      plan: ["once", "once", "once"],
      policy: { onFailure: "continue" },
      facts: { observed: false },
    };
    const { machine, feed } = drive(scenario);
    feed(START);
    // The first two go into backoff, and the third takes the slot until the deadline.
    for (const action of [0, 1]) {
      feed({ type: "settled", action, attempt: 0, settlement: BUSY });
      feed({ type: "resume" });
    }
    for (const action of [0, 1]) feed({ type: "timer", at: 1, action });
    expect(machine.actions.map(({ phase }) => phase)).toEqual(["slot", "slot", "in_flight"]);
    feed({ type: "timer", at: 7, action: 1 });
    expect(machine.actions.map(({ phase }) => phase)).toEqual(["slot", "done", "in_flight"]);
    feed({ type: "timer", action: 0 });
    expect([0, 1].map((index) => rowOf(machine, index)?.reason)).toEqual(["deadline_exceeded", "deadline_exceeded"]);
  });

  it("S4.7 a timer that comes a hair early is set again: an action's, and the execution's own", () => {
    const { machine, feed } = drive({ plan: ["once", "once"], policy: { onFailure: "continue" } });
    feed(START);
    feed({ type: "resume" });
    feed(INTENDED);
    feed({ type: "resume" });
    expect(feed({ type: "timer", at: 1, action: 0 })).toEqual([{ type: "set_timer", action: 0, at: 2 }]);
    feed({ type: "timer", at: 2, action: 0 });
    // The unsettled dispatch keeps the only slot: the deadline is the next event.
    expect(feed({ type: "timer", at: 3, action: 0 })).toContainEqual({ type: "set_timer", action: -1, at: 7 });
    expect(feed({ type: "timer", at: 6, action: -1 })).toEqual([{ type: "set_timer", action: -1, at: 7 }]);
    feed({ type: "timer", at: 7, action: -1 });
    expect(rowOf(machine, 1)).toMatchObject({ status: "denied", reason: "deadline_exceeded" });
  });

  it("S8.1 a slow start is told as starting at 0, and rebuilds the report", () => {
    const { machine, feed, events } = drive({ plan: ["hold"] });
    feed({ ...START, at: 5 });
    expect(events[0]).toMatchObject({ type: "execution.started", atMs: 1000 });
    expect(reportFromEvents(events)).toEqual({ ...report(machine) });
  });
});

describe("an input that does not fit", () => {
  it.each<[string, Unstamped & { at?: number; wallMs?: number }]>([
    ["a time that is not a number", { type: "resume", at: Number.NaN }],
    ["a time without end", { type: "resume", at: Number.POSITIVE_INFINITY }],
    ["a time before the last", { type: "resume", at: -1 }],
    ["a wall clock that is not a number", { type: "resume", wallMs: Number.NaN }],
    ["a second start", START],
    ["a type that does not exist", { type: "approved", action: 0 } as never],
    ["an action that does not exist", { type: "intent", action: 1, ok: true }],
    ["an answer that nobody asked for", { type: "gates", action: 0, verdict: { state: "allowed" } }],
    ["a settlement of what was not dispatched", settled("applied")],
    ["a timer that is not set", { type: "timer", action: 0 }],
    ["the execution's timer, not set", { type: "timer", action: -1 }],
  ])("ends the execution, fail-closed, with protocol_error: %s", (_, input) => {
    const { machine, feed, events } = drive({ plan: ["once", "hold"] });
    feed(START);
    expect(typesOf(feed(input))).toEqual(["finish"]);
    expect(report(machine)).toMatchObject({ status: "denied", reason: "protocol_error", failClosed: true });
    expect(reportFromEvents(events)).toEqual({ ...report(machine) });
    expect(feed({ type: "approved", action: 0 } as never)).toEqual([]);
  });

  /** Answers that nobody asks for once an action has been dispatched. */
  const UNASKED: readonly Unstamped[] = [
    { type: "key_derived", action: 0, key: "k" },
    { type: "bulkhead", action: 0, verdict: "entered" },
    { type: "bulkhead", action: 0, verdict: "queued" },
    { type: "claim", action: 0, verdict: { state: "claimed", token: 1 } },
    { type: "gates", action: 0, verdict: { state: "allowed" } },
    { type: "permit", action: 0, verdict: { state: "granted" } },
    { type: "permit_turn", action: 0 },
    INTENDED,
    { type: "key_started", action: 0, verdict: "done" },
    { type: "switch", action: 0, verdict: "open" },
    { type: "reconciled", action: 0, verdict: "applied" },
    { type: "retry_budget", action: 0, verdict: "granted" },
    { type: "recorded", action: 0, ok: true },
    { type: "timer", action: -1 },
    settled("applied", 1),
    settled("applied", 0, 1),
    { type: "approved", action: 0 } as never,
  ];

  it.each(UNASKED.map((input) => [JSON.stringify(input), input] as const))(
    "ends the execution also in flight, its outcome unknown, and is nothing after the end: %s",
    (_, input) => {
      const { machine, feed, events } = drive({ plan: ["once", "once"] });
      feed(START);
      feed(INTENDED);
      expect(typesOf(feed(input))).toEqual(["abort", "clear_timer", "finish"]);
      expect(report(machine)).toMatchObject({ status: "unknown", reason: "protocol_error", failClosed: true });
      expect(reportFromEvents(events)).toEqual({ ...report(machine) });

      const ended = drive({ plan: ["once"] });
      ended.feed(START);
      ended.feed(INTENDED);
      ended.feed(settled("applied"));
      const before = JSON.stringify(snapshot(ended.machine));
      expect(ended.feed(input)).toEqual([]);
      expect(ended.feed({ type: "halt", cause: "cancelled" })).toEqual([]);
      expect(JSON.stringify(snapshot(ended.machine))).toBe(before);
    },
  );

  it("S2.4 a second halt is none: the first is why", () => {
    const { machine, feed, events } = drive({ plan: ["once"] });
    feed(START);
    feed(INTENDED);
    feed({ type: "halt", cause: "cancelled" });
    expect(feed({ type: "halt", at: 1, cause: "kill_switch" })).toEqual([]);
    feed({ type: "timer", at: 1, action: 0 });
    expect(report(machine)).toMatchObject({ reason: "cancelled", haltLatencyMs: 1 });
    expect(events.filter(({ type }) => type === "halt.observed")).toHaveLength(1);
  });

  it("is told with a start, also when it is the first", () => {
    const { machine, feed, events } = drive({ plan: ["once"] });
    feed({ type: "resume" });
    expect(reportFromEvents(events)).toEqual({ ...report(machine) });
    expect(report(machine)).toMatchObject({ reason: "protocol_error", failClosed: true });
  });

  it("S3.9 leaves unknown what reconcile was being asked about, and its key in doubt", () => {
    const { machine, feed } = claimed({ facts: { canReconcile: true } });
    feed({ type: "settled", action: 0, attempt: 0, settlement: { kind: "threw", errorType: "TypeError" } });
    const commands = feed(START);
    expect(commands).toContainEqual(expect.objectContaining({ type: "record_key", outcome: "unknown" }));
    expect(report(machine)).toMatchObject({ status: "unknown", reason: "protocol_error", unknownCount: 1 });
  });

  it("waits for no write, and says that it does not know of it", () => {
    const { machine, feed } = claimed();
    feed(settled("applied"));
    expect(typesOf(feed(START))).toEqual(["finish"]);
    expect(report(machine)).toMatchObject({ status: "success", reason: "protocol_error", failClosed: true });
    expect(rowOf(machine)?.recordError).toBe("idempotency_store_unavailable");
    expect(feed({ type: "recorded", action: 0, ok: true })).toEqual([]);
  });

  it("is one even where its kind was asked for before: a write that is answered twice", () => {
    const { machine, feed } = claimed({ plan: ["once", "once"] });
    feed(settled("applied"));
    feed({ type: "recorded", action: 0, ok: true });
    feed({ type: "recorded", action: 0, ok: true });
    expect(report(machine).reason).toBe("protocol_error");
  });

  it("who is in the queue of a bulkhead can only get in", () => {
    const { machine, feed } = drive({ plan: ["once"], facts: { hasBulkhead: true } });
    feed(START);
    feed({ type: "bulkhead", action: 0, verdict: "queued" });
    expect(typesOf(feed({ type: "bulkhead", action: 0, verdict: "queued" }))).toContain("abandon_bulkhead");
    expect(report(machine).reason).toBe("protocol_error");
  });

  it("S8.1 ends what was begun: an action whose key is being made", () => {
    const { machine, feed, events } = drive({ plan: ["once"], policy: KEYED });
    feed(START);
    feed(START);
    expect(events.map(({ type }) => type)).toEqual([
      "execution.started",
      "action.started",
      "action.finished",
      "execution.finished",
    ]);
    expect(reportFromEvents(events)).toEqual({ ...report(machine) });
  });
});

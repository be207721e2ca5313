import { describe, expect, it } from "vitest";
import type { Settlement } from "../../src/machine/index.js";
import type { ExecutionEvent } from "../../src/report/events.js";
import { reportFromEvents } from "../../src/report/report-from-events.js";
import { BUSY, claimed, drive, INTENDED, report, rowOf, START, settled, typesOf } from "./drive.js";
import { type Scenario, TIGHT } from "./scenario.js";

const HALT = { type: "halt", cause: "kill_switch" } as const;
const FINAL = { ...BUSY, retryable: false } as const;
const THREW: Settlement = { kind: "threw", errorType: "TypeError" };
/** No deadline in sight: attempts of 2 ms, with a grace of 1. */
const LONG = { timeout: { ...TIGHT.timeout, maxTotalTimeMs: 100 } };

const answer = (settlement: Settlement, attempt = 0) => ({ type: "settled", action: 0, attempt, settlement }) as const;

/** A machine whose only action has been dispatched, at 0. */
function dispatched(scenario: Partial<Scenario> = {}) {
  const run = drive({ plan: ["once"], ...scenario });
  run.feed(START);
  run.feed(INTENDED);
  const only = <T extends ExecutionEvent["type"]>(type: T) =>
    run.events.filter((event): event is ExecutionEvent & { type: T } => event.type === type);
  return { ...run, only };
}

/** The same, its limit and its grace over. */
function givenUp(scenario: Partial<Scenario> = {}) {
  const run = dispatched(scenario);
  run.feed({ type: "timer", at: 2, action: 0 });
  run.feed({ type: "timer", at: 3, action: 0 });
  return run;
}

describe("S3.1 what an attempt is told to have come to", () => {
  it.each([
    [{ kind: "applied" }, "success", "result", undefined, undefined],
    [FINAL, "failed", "result", "busy", undefined],
    [{ ...FINAL, errorType: "NotAppliedError" }, "failed", "result", "busy", "NotAppliedError"],
    [THREW, "unknown", "exception", "execution_exception", "TypeError"],
    [{ kind: "invalid" }, "unknown", "result", "invalid_result", undefined],
  ] as [Settlement, string, string, string?, string?][])("%o", (settlement, status, basis, code, type) => {
    const { machine, feed, only } = dispatched();
    feed({ ...answer(settlement), at: 1 });
    const told = {
      status,
      startedAtMs: 1000,
      latencyMs: 1,
      ...(code && { errorCode: code }),
      ...(type && { errorType: type }),
    };
    expect(only("attempt.finished")).toEqual([
      { ...only("attempt.finished")[0], actionIndex: 0, attemptNumber: 0, action: "ACT", ...told },
    ]);
    const keys = ["seq", "atMs", "executionId", "type", "actionIndex", "attemptNumber", "action", ...Object.keys(told)];
    expect(Object.keys(only("attempt.finished")[0]!).sort()).toEqual(keys.sort());
    expect(rowOf(machine)).toMatchObject({ basis });
  });

  it("how long it took is measured from its own start", () => {
    const { feed, only } = dispatched({ policy: LONG });
    feed({ ...answer(BUSY), at: 1 });
    feed({ type: "timer", at: 2, action: 0 });
    feed({ ...INTENDED, at: 2 });
    feed({ ...answer({ kind: "applied" }, 1), at: 3 });
    expect(only("attempt.finished").map(({ startedAtMs, latencyMs }) => [startedAtMs, latencyMs])).toEqual([
      [1000, 1],
      [1002, 1],
    ]);
  });

  it("with its key, where it has one", () => {
    const { feed, events } = claimed();
    feed(settled("applied"));
    expect(events.find(({ type }) => type === "attempt.finished")).toMatchObject({ idempotencyKey: "k" });
  });

  it("an abort explains an unknown outcome better than what it made the executor throw", () => {
    for (const [cause, reason] of [
      ["kill_switch", "kill_switch"],
      ["cancelled", "cancelled"],
    ] as const) {
      const { machine, feed, only } = dispatched({ policy: LONG });
      feed({ type: "halt", cause });
      feed({ ...answer(THREW), at: 1 });
      expect(only("attempt.finished")).toMatchObject([{ status: "unknown", errorCode: "aborted" }]);
      expect(rowOf(machine)).toMatchObject({ status: "unknown", reason, basis: "abort" });
      expect(report(machine).failClosed).toBe(false);
    }
    const late = dispatched({ policy: LONG });
    late.feed({ type: "timer", at: 2, action: 0 });
    late.feed({ ...answer(THREW), at: 3 });
    expect(late.only("attempt.finished")).toMatchObject([{ status: "unknown", errorCode: "timeout", late: true }]);
    expect(rowOf(late.machine)).toMatchObject({ reason: "attempt_timeout", basis: "timeout" });
  });
});

describe("S4.3 an answer after the limit", () => {
  const within = (at: number, settlement: Settlement, scenario: Partial<Scenario> = {}, aborted = true) => {
    const run = dispatched({ policy: LONG, ...scenario });
    if (aborted) run.feed({ type: "timer", at: 2, action: 0 });
    const commands = typesOf(run.feed({ ...answer(settlement), at }));
    return { ...run, commands, late: run.only("attempt.finished")[0]?.late };
  };

  it("is late after its abort, or past its limit by the clock, and not at the limit itself", () => {
    expect(within(2, { kind: "applied" }).late).toBe(true);
    expect(within(3, { kind: "applied" }, {}, false).late).toBe(true);
    expect(within(2, { kind: "applied" }, {}, false).late).toBeUndefined();
    const short = { policy: { timeout: { ...TIGHT.timeout, maxTotalTimeMs: 2, attemptTimeoutMs: 50 } } };
    expect(within(3, { kind: "applied" }, short, false).late).toBe(true);
    expect(within(2, { kind: "applied" }, short).late).toBe(true);
    expect(within(2, { kind: "applied" }, short, false).late).toBeUndefined();
  });

  it("measures the limit from the attempt's own start", () => {
    const { feed, only } = dispatched({ policy: LONG });
    feed({ ...answer(BUSY), at: 1 });
    feed({ type: "timer", at: 9, action: 0 });
    feed({ ...INTENDED, at: 9 });
    feed({ ...answer({ kind: "applied" }, 1), at: 11 });
    expect(only("attempt.finished")[1]!.late).toBeUndefined();
  });

  it("ends a once-only action whatever it says; another may be tried again", () => {
    expect(within(3, BUSY)).toMatchObject({ commands: ["clear_timer", "finish"] });
    expect(rowOf(within(3, BUSY).machine)).toMatchObject({ status: "failed", reason: "attempt_timeout" });
    expect(within(3, BUSY, { plan: ["idempotent"] }).commands).toEqual(["clear_timer", "set_timer"]);
    expect(within(1, BUSY, {}, false).commands).toEqual(["clear_timer", "set_timer"]);
    expect(rowOf(within(3, { kind: "applied" }).machine)).toMatchObject({ status: "success", reason: "completed" });
  });

  it("is waited for until the deadline where another attempt may follow, and is given up where none may", () => {
    expect(rowOf(givenUp({ policy: LONG }).machine)).toMatchObject({
      status: "unknown",
      reason: "attempt_timeout",
      basis: "timeout",
    });
    const waiting = givenUp({ plan: ["idempotent"], policy: LONG });
    expect(waiting.only("wait.started")).toMatchObject([{ cause: "settlement", untilMs: 1100, attemptNumber: 0 }]);
    expect(waiting.machine.actions[0]!.waitedMs).toBe(0);
    expect(typesOf(waiting.feed({ ...answer(THREW), at: 9 }))).toEqual(["clear_timer", "set_timer"]);
    expect(waiting.machine.actions[0]!.waitedMs).toBe(0);
    const halted = dispatched({ plan: ["idempotent"], policy: { ...LONG, onHalt: "finish" } });
    halted.feed({ type: "timer", at: 2, action: 0 });
    halted.feed(HALT);
    halted.feed({ type: "timer", at: 3, action: 0 });
    expect(rowOf(halted.machine)).toMatchObject({ status: "unknown", reason: "kill_switch" });
    const byHalt = dispatched({ plan: ["idempotent"], policy: LONG });
    byHalt.feed(HALT);
    byHalt.feed({ type: "timer", at: 1, action: 0 });
    expect(rowOf(byHalt.machine)).toMatchObject({ status: "unknown", reason: "kill_switch", basis: "abort" });
    const atDeadline = dispatched({
      plan: ["idempotent"],
      policy: { timeout: { ...TIGHT.timeout, maxTotalTimeMs: 3 } },
    });
    atDeadline.feed({ type: "timer", at: 2, action: 0 });
    expect(typesOf(atDeadline.feed({ type: "timer", at: 3, action: 0 }))).toEqual(["finish"]);
    expect(atDeadline.only("wait.started")).toEqual([]);
    expect(rowOf(atDeadline.machine)).toMatchObject({ status: "unknown", reason: "attempt_timeout" });
  });
});

describe("S3.3 reconcile", () => {
  const CAN = { facts: { canReconcile: true } };

  it("is asked of an unknown outcome before the deadline, and not at it", () => {
    const asked = dispatched({ ...CAN, policy: LONG });
    expect(asked.feed({ ...answer(THREW), at: 1 })).toContainEqual({
      type: "reconcile",
      action: 0,
      attempt: 0,
      limitAt: 3,
    });
    const late = dispatched({ ...CAN, policy: { timeout: { ...TIGHT.timeout, maxTotalTimeMs: 2 } } });
    expect(typesOf(late.feed({ ...answer(THREW), at: 2 }))).toEqual(["clear_timer", "finish"]);
    expect(late.only("reconcile.started")).toEqual([]);
  });

  it("is told with its verdict, and what it threw", () => {
    for (const errorType of ["RangeError", undefined]) {
      const { feed, only } = dispatched(CAN);
      feed(answer(THREW));
      feed({ type: "reconciled", action: 0, verdict: "unknown", ...(errorType && { errorType }) });
      expect(only("reconcile.finished")).toMatchObject([{ verdict: "unknown", attemptNumber: 0, actionIndex: 0 }]);
      expect(Object.keys(only("reconcile.finished")[0]!).includes("errorType")).toBe(errorType !== undefined);
      expect(only("reconcile.finished")[0]!.errorType).toBe(errorType);
      expect(Object.keys(only("reconcile.finished")[0]!)).not.toContain("whileRunning");
    }
  });

  it("believes what the executor itself said in the meantime", () => {
    for (const [settlement, status, reason] of [
      [{ kind: "applied" }, "success", "completed"],
      [FINAL, "failed", "attempt_timeout"],
    ] as const) {
      const { machine, feed, only, events } = givenUp({ ...CAN, policy: LONG });
      feed(answer(settlement));
      feed({ type: "reconciled", action: 0, verdict: "not_applied" });
      expect(only("reconcile.finished")).toMatchObject([{ whileRunning: true }]);
      expect(rowOf(machine)).toMatchObject({ status, reason });
      expect(reportFromEvents(events)).toEqual({ ...report(machine) });
    }
  });

  it("does not take over while it still runs, also not where it may be repeated", () => {
    for (const verdict of ["not_applied", "unknown"] as const) {
      const { machine, feed } = givenUp({ ...CAN, policy: LONG });
      feed({ type: "reconciled", action: 0, verdict });
      expect(rowOf(machine)).toMatchObject({ status: "unknown", reason: "attempt_timeout" });
    }
    const halted = dispatched({ ...CAN, plan: ["idempotent"], policy: LONG });
    halted.feed({ type: "halt", cause: "cancelled" });
    halted.feed({ type: "timer", at: 1, action: 0 });
    halted.feed({ type: "reconciled", action: 0, verdict: "not_applied" });
    expect(rowOf(halted.machine)).toMatchObject({ status: "unknown", reason: "cancelled", attemptCount: 1 });
  });

  it("names the halt where it would have been tried again", () => {
    const { machine, feed } = dispatched({ ...CAN, plan: ["idempotent"], policy: LONG });
    feed(answer(THREW));
    feed(HALT);
    feed({ type: "reconciled", action: 0, verdict: "unknown" });
    expect(rowOf(machine)).toMatchObject({ status: "unknown", reason: "kill_switch", attemptCount: 1 });
  });
});

describe("S4.5 a settlement after the end of its attempt", () => {
  it.each([
    [{ kind: "applied" }, { status: "success" }],
    [FINAL, { status: "failed", errorCode: "busy" }],
    [
      { ...FINAL, errorType: "NotAppliedError" },
      { status: "failed", errorCode: "busy", errorType: "NotAppliedError" },
    ],
    [THREW, { status: "unknown", errorType: "TypeError" }],
    [{ kind: "invalid" }, { status: "unknown" }],
  ] as [Settlement, object][])("is told as what it is, and changes no report: %o", (settlement, told) => {
    const { machine, feed, only } = givenUp({ policy: LONG });
    const before = { ...report(machine) };
    expect(typesOf(feed({ ...answer(settlement), at: 9 }))).toEqual([]);
    const [late] = only("attempt.settled_late");
    expect(late).toMatchObject({ actionIndex: 0, attemptNumber: 0, ...told });
    expect(Object.keys(late!).includes("errorCode")).toBe("errorCode" in told);
    expect(Object.keys(late!).includes("errorType")).toBe("errorType" in told);
    expect({ ...report(machine) }).toEqual(before);
  });

  it.each([
    [{ kind: "applied" }, "complete"],
    [FINAL, "release"],
    [THREW, undefined],
  ] as [Settlement, string?][])(
    "corrects what is stored of the key, where it proves anything: %o",
    (settlement, outcome) => {
      const held = claimed({ policy: { idempotency: { enabled: true }, ...LONG } });
      held.feed({ type: "timer", at: 2, action: 0 });
      expect(held.feed({ type: "timer", at: 3, action: 0 })).toContainEqual(
        expect.objectContaining({ type: "record_key", outcome: "unknown" }),
      );
      // While the first write is under way, the correction waits for it.
      expect(typesOf(held.feed({ ...answer(settlement), at: 4 }))).toEqual([]);
      const after = held.feed({ type: "recorded", action: 0, ok: true });
      const corrections = after.filter(({ type }) => type === "record_key");
      expect(corrections).toMatchObject(outcome === undefined ? [] : [{ outcome }]);
      if (outcome === undefined) return;
      expect(held.feed({ type: "recorded", action: 0, ok: true }).map(({ type }) => type)).toEqual(["emit"]);

      const recorded = claimed({ policy: { idempotency: { enabled: true }, ...LONG } });
      recorded.feed({ type: "timer", at: 2, action: 0 });
      recorded.feed({ type: "timer", at: 3, action: 0 });
      recorded.feed({ type: "recorded", action: 0, ok: true });
      expect(recorded.feed({ ...answer(settlement), at: 4 })).toContainEqual(
        expect.objectContaining({ type: "record_key", outcome }),
      );
    },
  );
});

describe("S8.1 an attempt whose driver cannot be trusted", () => {
  it("is aborted, unknown, on record, and nobody is asked", () => {
    const { machine, feed, only, events } = dispatched({ facts: { canReconcile: true }, policy: LONG });
    const commands = feed(START);
    expect(commands).toContainEqual({ type: "abort", action: 0, attempt: 0, cause: "halt" });
    expect(typesOf(commands)).toEqual(["abort", "clear_timer", "finish"]);
    expect(only("attempt.finished")).toMatchObject([{ status: "unknown", errorCode: "aborted", latencyMs: 0 }]);
    expect(rowOf(machine)).toMatchObject({ status: "unknown", reason: "protocol_error", basis: "abort" });
    expect(reportFromEvents(events)).toEqual({ ...report(machine) });
  });

  it("is aborted but once", () => {
    const { machine, feed, only } = dispatched({ policy: LONG });
    feed({ type: "timer", at: 2, action: 0 });
    expect(typesOf(feed(START))).toEqual(["clear_timer", "finish"]);
    expect(only("attempt.finished")).toMatchObject([{ status: "unknown", errorCode: "timeout" }]);
    expect(rowOf(machine)).toMatchObject({ reason: "protocol_error", basis: "timeout" });
  });

  it("ends its wait for a settlement", () => {
    const { feed, only } = givenUp({ plan: ["idempotent"], policy: LONG });
    feed({ type: "resume", at: 5 });
    feed(START);
    expect(only("wait.finished")).toMatchObject([{ cause: "settlement", waitedMs: 2 }]);
  });
});

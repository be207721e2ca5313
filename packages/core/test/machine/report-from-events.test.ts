import { describe, expect, it } from "vitest";
import type { ExecutionEvent } from "../../src/report/events.js";
import { reportFromEvents } from "../../src/report/report-from-events.js";

const stamp = { atMs: 1000, executionId: "e" };
const about = { ...stamp, actionIndex: 0, attemptNumber: 0 };
const STARTED: ExecutionEvent = { ...stamp, seq: 0, type: "execution.started", planHash: "h", actionCount: 1 };
const FINISHED: ExecutionEvent = {
  ...stamp,
  seq: 9,
  type: "execution.finished",
  status: "unknown",
  totalLatencyMs: 5,
  failClosed: true,
  planHash: "h",
};

describe("reportFromEvents (S8.1)", () => {
  it.each([
    ["execution.started", [FINISHED]],
    ["execution.finished", [STARTED]],
    ["execution.started", []],
  ])("says that there is no %s", (type, events) => {
    expect(() => reportFromEvents(events)).toThrow(
      expect.objectContaining({
        code: "invalid_option",
        message: `the events have no ${type}`,
        issues: [{ path: "events", expected: `an event of type ${type}` }],
      }),
    );
  });

  it("says which end of an action or attempt is missing, and makes up no report without it", () => {
    const row: ExecutionEvent = {
      ...stamp,
      seq: 8,
      type: "action.finished",
      actionIndex: 0,
      id: "action-0",
      action: "ACT",
      status: "unknown",
      reason: "reconciled",
      attemptCount: 2,
      latencyMs: 5,
      waitedMs: 0,
      basis: "reconcile",
      replayed: false,
    };
    const attempt: ExecutionEvent = {
      ...about,
      seq: 3,
      type: "attempt.finished",
      action: "ACT",
      status: "failed",
      startedAtMs: 1000,
      latencyMs: 1,
    };
    const asked: ExecutionEvent[] = [
      { ...about, attemptNumber: 1, seq: 4, type: "reconcile.started" },
      { ...about, attemptNumber: 1, seq: 5, type: "attempt.settled_late", status: "success" },
      { ...about, attemptNumber: 1, seq: 6, type: "reconcile.finished", verdict: "applied" },
    ];
    const second = { ...attempt, attemptNumber: 1 };
    const says = (missing: string) => `the events have no ${missing} of action 0`;
    expect(() => reportFromEvents([STARTED, attempt, ...asked, FINISHED])).toThrow(says("action.finished"));
    expect(() => reportFromEvents([STARTED, attempt, ...asked, row, FINISHED])).toThrow(says("attempt.finished"));
    expect(() => reportFromEvents([STARTED, second, ...asked, row, FINISHED])).toThrow(says("attempt.finished"));
    expect(reportFromEvents([STARTED, attempt, second, ...asked, row, FINISHED]).attemptCount).toBe(2);
  });
});

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

  it("makes do with what there is where the record of an attempt is missing", () => {
    const report = reportFromEvents([
      STARTED,
      { ...about, seq: 1, type: "reconcile.started" },
      { ...about, seq: 2, type: "attempt.settled_late", status: "success" },
      { ...about, seq: 3, type: "reconcile.finished", verdict: "applied" },
      FINISHED,
    ]);
    expect(report).toMatchObject({ status: "unknown", attempts: [], attemptCount: 0, startedAtMs: 1000 });
  });
});

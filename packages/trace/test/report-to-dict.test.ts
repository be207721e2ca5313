import { describe, expect, it } from "vitest";
import { reportToDict } from "../src/index.js";
import { casesOf, reportFromFields } from "./reference.js";
import { anAttempt, aReport, aRow } from "./support.js";

describe("reportToDict, reference profile", () => {
  for (const { name, input, expected } of casesOf("report_wire")) {
    it(`agrees with the reference: ${name}`, () => {
      expect(reportToDict(reportFromFields(input.fields), { profile: "reference" })).toStrictEqual(expected.value);
    });
  }

  for (const { name, input, expected } of casesOf("attempt")) {
    it(`agrees with the reference: ${name}`, () => {
      const wire = reportToDict(reportFromFields({ attempts: [input.fields] }), { profile: "reference" });
      const [attempt] = wire["attempts"] as Record<string, unknown>[];
      expect(attempt).toStrictEqual(expected.value);
      expect(Object.keys(attempt!)).toEqual(expected.key_order);
    });
  }

  it("S10 writes an unknown attempt as failed, with fail_closed", () => {
    const report = aReport({
      attempts: [anAttempt({ status: "unknown", errorCode: "aborted", errorType: "AbortError" })],
      failClosed: false,
    });
    expect(reportToDict(report, { profile: "reference" })).toMatchObject({
      attempts: [{ status: "failed", error_type: "AbortError", error_code: "aborted" }],
      failed_count: 1,
      fail_closed: true,
    });
  });

  it("S10 says fail_closed for an action in doubt that was never dispatched", () => {
    const report = aReport({
      status: "unknown",
      attempts: [],
      actions: [aRow({ status: "unknown", reason: "in_doubt", attemptCount: 0 })],
    });
    expect(reportToDict(report, { profile: "reference" })).toMatchObject({ attempts: [], fail_closed: true });
  });

  it("names a rejection without a class executor_rejected, and keeps a class that there is", () => {
    const attempts = [
      anAttempt({ status: "failed", errorCode: "http_503" }),
      anAttempt({ status: "failed", errorCode: "http_503", errorType: "NotAppliedError", attemptNumber: 1 }),
      anAttempt({ attemptNumber: 2 }),
    ];
    const wire = reportToDict(aReport({ attempts }), { profile: "reference" });
    expect((wire["attempts"] as { error_type: unknown }[]).map((attempt) => attempt.error_type)).toEqual([
      "executor_rejected",
      "NotAppliedError",
      null,
    ]);
  });

  it("has the reference's keys and no other", () => {
    const wire = reportToDict(aReport({ cooldownUntilMs: 9, haltLatencyMs: 1 }), { profile: "reference" });
    expect(Object.keys(wire)).toEqual([
      "attempts",
      "total_latency_ms",
      "success_count",
      "failed_count",
      "skipped_count",
      "denied_count",
      "fail_closed",
    ]);
  });
});

describe("reportToDict, extended profile", () => {
  const report = aReport({
    status: "unknown",
    reason: "deadline_exceeded",
    haltLatencyMs: 3,
    cooldownUntilMs: 99,
    attempts: [anAttempt({ status: "unknown", errorCode: "timeout", late: true, idempotencyKey: "k" })],
    actions: [aRow({ status: "unknown", reason: "attempt_timeout", errorCode: "timeout", idempotencyKey: "k" })],
    recordError: "journal_unavailable",
    issues: [{ path: "retry.maxRetries", expected: "an integer >= 0", received: "NaN" }],
  });

  it("is the default, keeps the word unknown and the report's own failClosed", () => {
    expect(reportToDict(report)).toMatchObject({
      attempts: [{ status: "unknown", error_type: null, action_index: 0, late: true, error_message: null }],
      fail_closed: false,
      status: "unknown",
      reason: "deadline_exceeded",
    });
  });

  it("says everything that the report says, in snake_case", () => {
    const words = (camel: string) => camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const wire = reportToDict(report);
    expect(Object.keys(wire).sort()).toEqual(Object.keys(report).map(words).sort());
    const everyField = {
      ...report.actions[0],
      errorType: "",
      retryAfterMs: 0,
      valueOmitted: false,
      recordError: "in_progress",
    };
    expect(Object.keys((wire["actions"] as object[])[0]!).sort()).toEqual(Object.keys(everyField).map(words).sort());
  });

  it("has the same keys whatever the report lacks: what is absent is null", () => {
    expect(Object.keys(reportToDict(aReport()))).toEqual(Object.keys(reportToDict(report)));
    expect(reportToDict(aReport())).toMatchObject({ reason: null, halt_latency_ms: null, issues: null });
  });

  it("S9.2 leaves the executor's value out, even one that is enumerable", () => {
    const withValue = aReport({ actions: [aRow({ value: "c4n4ry" })] });
    expect(JSON.stringify(reportToDict(withValue))).not.toContain("c4n4ry");
  });

  it("cuts times to whole milliseconds, as the reference does", () => {
    const wire = reportToDict(aReport({ totalLatencyMs: 12.9, attempts: [anAttempt({ latencyMs: 0.7 })] }));
    expect(wire).toMatchObject({ total_latency_ms: 12, attempts: [{ latency_ms: 0 }] });
  });

  it("refuses a profile that there is not", () => {
    expect(() => reportToDict(report, { profile: "Reference" as "reference" })).toThrow(
      'profile must be one of extended, reference, not "Reference"',
    );
  });
});

import { TERMINAL_REASONS, type TerminalReason } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { explainReport } from "../src/index.js";
import { unknownReport } from "./scenarios.js";
import { anAttempt, aReport, aRow } from "./support.js";

describe("explainReport", () => {
  it("tells the story of a report, as its golden file", async () => {
    await expect(explainReport(unknownReport())).toMatchFileSnapshot("golden/explained.txt");
  });

  it("never calls an unknown outcome safe, and gives the key to look for", () => {
    const row = aRow({ status: "unknown", reason: "attempt_timeout", idempotencyKey: "refund-7" });
    const text = explainReport(
      aReport({ status: "unknown", actions: [row], attempts: [anAttempt({ status: "unknown" })] }),
    );
    expect(text).toContain(
      "NOT safe to run again: find out first whether it was applied. Its idempotency key is refund-7.",
    );
    expect(text).not.toContain("Safe to run");
  });

  it("does not send anybody to repeat what is done", () => {
    expect(explainReport(aReport())).toContain("Do not run it again: it is done.");
  });

  it("calls what was not applied safe to run again", () => {
    const attempts = [0, 1, 2].map((attemptNumber) =>
      anAttempt({ attemptNumber, status: "failed", errorCode: "http_503" }),
    );
    const text = explainReport(
      aReport({ attempts, actions: [aRow({ status: "failed", reason: "retries_exhausted" })] }),
    );
    expect(text).toContain("Attempts 0 to 2 were not applied (http_503).");
    expect(text).toContain("Safe to run again: nothing was applied.");
  });

  it("tells attempts apart that differ in one thing", () => {
    const failed = { status: "failed", errorCode: "http_503" } as const;
    const attempts = [
      anAttempt(failed),
      anAttempt({ ...failed, attemptNumber: 1, late: true }),
      anAttempt({ ...failed, attemptNumber: 2, errorCode: "busy" }),
    ];
    const text = explainReport(aReport({ attempts, actions: [aRow({ status: "failed", reason: "rejected" })] }));
    expect(text.split("\n").slice(3, 6)).toEqual([
      "  Attempt 0 was not applied (http_503).",
      "  Attempt 1, answered after the limit, was not applied (http_503).",
      "  Attempt 2 was not applied (busy).",
    ]);
  });

  it("S3.9 calls a failed action with an unknown attempt one that only reads", () => {
    const attempts = [anAttempt({ status: "unknown", errorCode: "timeout" })];
    const text = explainReport(aReport({ attempts, actions: [aRow({ status: "failed", reason: "attempt_timeout" })] }));
    expect(text).toContain("Safe to run again: it only reads.");
  });

  it("warns of another execution that is at work under the same key", () => {
    const row = aRow({ status: "denied", reason: "in_progress", attemptCount: 0, idempotencyKey: "k" });
    const text = explainReport(aReport({ attempts: [], actions: [row] }));
    expect(text).toContain("Do not run it again before the other one has ended. Its idempotency key is k.");
    expect(text).not.toContain("Safe to run");
  });

  it("sends nobody to do it under another key, or before what stopped it is settled", () => {
    const saysOf = (reason: TerminalReason) =>
      explainReport(aReport({ attempts: [], actions: [aRow({ status: "denied", reason, attemptCount: 0 })] }));
    expect(saysOf("idempotency_conflict")).toContain(
      "Do not run it again, under no other key either, before it is known which of the two is meant.",
    );
    for (const reason of ["kill_switch", "approval_mismatch", "gate_denied", "rate_limited"] as const)
      expect(saysOf(reason)).toContain("Safe to run again once that is settled: it was never dispatched.");
  });

  it("tells of an attempt that ended after the limit, and of a halt only where there was something to settle", () => {
    const attempts = [anAttempt({ status: "unknown", errorCode: "timeout", late: true })];
    const actions = [aRow({ status: "unknown", reason: "attempt_timeout" })];
    const text = explainReport(aReport({ status: "unknown", attempts, actions, haltLatencyMs: 3 }));
    expect(text).toContain("Attempt 0, ended after the limit, left no word on whether it was applied (timeout).");
    expect(text).toContain("The last effect settled 3 ms after the halt.");
    const denied = [aRow({ status: "denied", reason: "kill_switch", attemptCount: 0 })];
    expect(explainReport(aReport({ attempts: [], actions: denied, haltLatencyMs: 0 }))).not.toContain("settled 0 ms");
  });

  it("names the gate's code of an action that was never dispatched", () => {
    const row = aRow({ status: "denied", reason: "gate_denied", errorCode: "over_budget", attemptCount: 0 });
    expect(explainReport(aReport({ attempts: [], actions: [row] }))).toContain("Its code is over_budget.");
  });

  it("tells of answers after the limit and of records that could not be written", () => {
    const row = aRow({ recordError: "idempotency_store_unavailable", valueOmitted: true });
    const text = explainReport(
      aReport({ actions: [row], attempts: [anAttempt({ late: true })], recordError: "journal_unavailable" }),
    );
    expect(text).toContain("Attempt 0, answered after the limit, was applied.");
    expect(text).toContain("could not be written to the idempotency store");
    expect(text).toContain("replayed without one");
    expect(text).toContain("Events are missing from the journal");
  });

  it("S1.2 tells what is wrong with an input", () => {
    const issues = [
      { path: "retry.maxRetries", expected: "an integer >= 0", received: "NaN" },
      { path: "", expected: "an object" },
    ];
    const report = aReport({
      status: "denied",
      reason: "invalid_policy",
      actions: [],
      attempts: [],
      issues,
      failClosed: true,
    });
    expect(explainReport(report)).toBe(
      [
        "Execution run-42 ended denied after 5 ms.",
        "The policy is invalid.",
        "retry.maxRetries must be an integer >= 0, not NaN.",
        "It must be an object.",
        "Nothing was dispatched.",
        "",
        "Something abnormal stopped or denied an action (fail closed).",
        "",
      ].join("\n"),
    );
  });

  it("S3.8 has a sentence for every reason", () => {
    for (const reason of Object.keys(TERMINAL_REASONS) as TerminalReason[]) {
      const text = explainReport(
        aReport({ attempts: [], actions: [aRow({ status: "denied", reason, attemptCount: 0 })] }),
      );
      expect(text.split("\n")[3]).toMatch(/^ {2}[A-Z].*\.$/);
    }
  });

  it("lets no id or key break a line or hide anything", () => {
    const hostile = "a\n\u001b[2Kb";
    const row = aRow({ id: hostile, status: "unknown", reason: "in_doubt", attemptCount: 0, idempotencyKey: hostile });
    const text = explainReport(aReport({ executionId: hostile, attempts: [], actions: [row] }));
    expect(text).not.toContain("\u001b");
    expect(text.split("\n").filter((line) => line.includes("b"))).not.toContain("b");
  });
});

import { checkEffects } from "./effects.js";
import { checkHygiene } from "./hygiene.js";
import { checkFailClosed, checkRow } from "./outcomes.js";
import { checkRatedStarts } from "./rates.js";
import { checkCounts, checkRows } from "./record.js";
import type { Run } from "./run.js";
import { type Find, finder, type Violation } from "./violation.js";

/** What can be checked where nothing but the report was kept: what it says of itself, its bounds, and the world. */
export function checkReport(run: Run, violations: Violation[]): void {
  const record = finder(violations, "INV-EXE-1");
  checkRows(run, record);
  checkCounts(run.report, record);
  checkReportedBounds(run, finder(violations, "INV-EXE-2"));
  const outcomes = finder(violations, "INV-EXE-3");
  for (const row of run.report.actions) checkRow(run, row, outcomes);
  checkFailClosed(run, outcomes);
  checkEffects(run, outcomes);
  checkHygiene(run, finder(violations, "INV-EXE-5"));
  const starts = run.report.attempts.map(({ startedAtMs, ...attempt }) => ({ ...attempt, atMs: startedAtMs }));
  checkRatedStarts(run.policy, starts, "S6.1", finder(violations, "INV-EXE-6"));
}

/** Attempts as the report dates them. What was given up may have gone on: the least is assumed. */
function checkReportedBounds({ policy, report, slackMs }: Run, find: Find): void {
  const { maxTotalTimeMs, abortGraceMs, portTimeoutMs } = policy.timeout;
  const longestMs = maxTotalTimeMs + abortGraceMs + portTimeoutMs;
  if (report.totalLatencyMs > longestMs + slackMs) {
    find("S4.1", `the execution took ${report.totalLatencyMs} ms; its bound is ${longestMs} ms`);
  }
  const deadlineMs = report.startedAtMs + maxTotalTimeMs;
  const limit = 1 + policy.retry.maxRetries;
  const last = new Map<number, (typeof report.attempts)[number]>();
  const inOrder = [...report.attempts].sort(
    (a, b) => a.startedAtMs - b.startedAtMs || a.attemptNumber - b.attemptNumber,
  );
  let open: (typeof report.attempts)[number][] = [];
  for (const attempt of inOrder) {
    const { actionIndex, attemptNumber, startedAtMs } = attempt;
    const place = { actionIndex };
    const previous = last.get(actionIndex);
    last.set(actionIndex, attempt);
    const number = previous === undefined ? 0 : previous.attemptNumber + 1;
    if (attemptNumber !== number) find("S3.4", `attempt ${attemptNumber} is the dispatch number ${number}`, place);
    if (attemptNumber === limit) {
      find("S3.4", `dispatch ${limit + 1} of the action; the policy allows ${limit} (1 + maxRetries)`, place);
    }
    if (previous !== undefined && startedAtMs < endOf(previous)) {
      find("S4.3", `attempt ${attemptNumber} started before attempt ${previous.attemptNumber} had ended`, place);
    }
    if (previous?.status === "success") {
      find("S3.1", `dispatched again although attempt ${previous.attemptNumber} had succeeded`, place);
    }
    if (startedAtMs >= deadlineMs + slackMs) {
      find("S3.6", `a dispatch started ${startedAtMs - deadlineMs} ms after the deadline`, place);
    }
    // Of two within one millisecond, nobody knows which came first.
    if (attempt.latencyMs === 0) continue;
    open = [...open.filter((earlier) => endOf(earlier) > startedAtMs), attempt];
    if (open.length > policy.maxConcurrency) {
      find("S4.4", `${open.length} dispatches were in flight; maxConcurrency is ${policy.maxConcurrency}`, place);
    }
  }
}

function endOf({ startedAtMs, latencyMs }: { startedAtMs: number; latencyMs: number }): number {
  return startedAtMs + latencyMs;
}

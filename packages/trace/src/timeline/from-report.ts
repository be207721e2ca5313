import type { ExecutionReport } from "@eoc/core";
import {
  actionOutcome,
  attemptOutcome,
  counted,
  executionOutcome,
  type Lane,
  type Span,
  shownMs,
  type Timeline,
} from "./timeline.js";

/** The timeline of what a report knows: attempts with their times, waits only as a sum, no halt but its latency. */
export function timelineFromReport(report: ExecutionReport): Timeline {
  const lanes: Lane[] = report.actions.map((row) => ({
    title: `${row.index} ${row.action} ${row.id}`,
    outcome: actionOutcome(row),
    spans: [],
  }));
  for (const attempt of report.attempts) {
    const outcome = attemptOutcome(attempt);
    lanes[attempt.actionIndex]?.spans.push({
      label: `attempt ${attempt.attemptNumber}`,
      tone: outcome.tone,
      fromMs: attempt.startedAtMs - report.startedAtMs,
      tookMs: attempt.latencyMs,
      outcome,
    });
  }
  for (const { index, waitedMs } of report.actions) {
    const waits: Span = { label: "waits, in all", tone: "waiting", tookMs: waitedMs };
    if (waitedMs > 0) lanes[index]?.spans.push(waits);
  }
  return {
    title: report.executionId,
    outcome: executionOutcome(report),
    facts: [
      ...factsOf(report.actions.length, report.attempts.length, report.totalLatencyMs),
      ...(report.haltLatencyMs === undefined ? [] : [haltFact(report.haltLatencyMs)]),
    ],
    totalMs: report.totalLatencyMs,
    lanes,
    halts: [],
  };
}

/** @param shown how many of the actions there is anything to draw of */
export function factsOf(actions: number, dispatches: number, totalMs: number, shown = actions): string[] {
  const missing = shown < actions ? `, ${actions - shown} not on record` : "";
  return [`${counted(actions, "action")}${missing}`, counted(dispatches, "dispatch"), `${shownMs(totalMs)} ms`];
}

export function haltFact(latencyMs: number): string {
  return `${shownMs(latencyMs)} ms from the halt to the last effect`;
}

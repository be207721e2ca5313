import { type PlannedAction, planOfOne } from "../plan.js";
import type { ActionReport, ExecutionAttempt, ExecutionReport } from "./execution-report.js";
import { count, emptyReport, withPlanHash } from "./summary.js";

/** An execution whose only action was dispatched once. */
export interface DispatchedOnce {
  readonly action: PlannedAction;
  readonly executionId: string;
  readonly startedAtMs: number;
  /** Since the start. */
  readonly dispatchedAt: number;
  readonly waitedMs: number;
}

/** What `reportOf` makes of the machine of such an execution when it has succeeded, without the machine. */
export function reportOfOne(
  { action: planned, executionId, startedAtMs, dispatchedAt, waitedMs }: DispatchedOnce,
  finishedAt: number,
  value: unknown,
): ExecutionReport {
  const { id, action, idempotencyKey } = planned;
  const row: ActionReport = {
    id,
    index: 0,
    action,
    status: "success",
    reason: "completed",
    attemptCount: 1,
    latencyMs: finishedAt,
    waitedMs,
    basis: "result",
    replayed: false,
  };
  const attempt: ExecutionAttempt = {
    actionIndex: 0,
    attemptNumber: 0,
    action,
    status: "success",
    startedAtMs: startedAtMs + dispatchedAt,
    latencyMs: finishedAt - dispatchedAt,
  };
  const report = emptyReport(executionId, startedAtMs, [row], [attempt]);
  report.status = "success";
  report.totalLatencyMs = finishedAt;
  if (idempotencyKey !== undefined) row.idempotencyKey = attempt.idempotencyKey = idempotencyKey;
  if (value !== undefined) Object.defineProperty(row, "value", { value });
  count(report.actions, report.attempts, report);
  return withPlanHash(report, planned, hashOfOne);
}

const hashOfOne = (action: PlannedAction) => planOfOne(action).planHash;

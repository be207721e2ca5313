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
  readonly cancelledAt: number | undefined;
}

/**
 * What `reportOf` makes of the machine of such an execution, without the machine: its executor said that it was applied, or was told
 * that the caller had cancelled, and threw an `errorType`.
 */
export function reportOfOne(
  { action: planned, executionId, startedAtMs, dispatchedAt, waitedMs, cancelledAt }: DispatchedOnce,
  finishedAt: number,
  value: unknown,
  errorType: string | undefined,
): ExecutionReport {
  const { id, action, effect, idempotencyKey } = planned;
  const isSuccess = cancelledAt === undefined;
  const status = isSuccess ? "success" : "unknown";
  const row: ActionReport = {
    id,
    index: 0,
    action,
    status: !isSuccess && effect === "none" ? "failed" : status,
    reason: isSuccess ? "completed" : "cancelled",
    attemptCount: 1,
    latencyMs: finishedAt,
    waitedMs,
    basis: isSuccess ? "result" : "abort",
    replayed: false,
  };
  const attempt: ExecutionAttempt = {
    actionIndex: 0,
    attemptNumber: 0,
    action,
    status,
    startedAtMs: startedAtMs + dispatchedAt,
    latencyMs: finishedAt - dispatchedAt,
  };
  const report = emptyReport(executionId, startedAtMs, [row], [attempt]);
  report.status = row.status;
  report.totalLatencyMs = finishedAt;
  if (!isSuccess) {
    row.errorCode = attempt.errorCode = "aborted";
    row.errorType = attempt.errorType = errorType!;
    report.reason = "cancelled";
    report.haltLatencyMs = finishedAt - cancelledAt;
  }
  if (idempotencyKey !== undefined) row.idempotencyKey = attempt.idempotencyKey = idempotencyKey;
  if (value !== undefined) Object.defineProperty(row, "value", { value });
  count(report.actions, report.attempts, report);
  return withPlanHash(report, planned, hashOfOne);
}

const hashOfOne = (action: PlannedAction) => planOfOne(action).planHash;

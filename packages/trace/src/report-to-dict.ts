import { type ActionReport, checkOptionNames, type ExecutionAttempt, type ExecutionReport } from "@eoc/core";
import { checkReport } from "./check-report.js";
import { inReferenceProfile, type TraceProfile, wholeMs } from "./trace-profile.js";

/**
 * The wire form of a report: `snake_case` keys, `null` for what is absent, whole milliseconds. Never changes `report`, and never
 * carries an executor's `value` or a message of its (S9): `error_message` is always `null`.
 *
 * The `reference` profile is exactly what the reference's readers know; an unknown outcome is written `failed` there, with
 * `fail_closed` (S10). The `extended` profile has the same keys, then everything else that the report says.
 *
 * @throws EocError `invalid_option`, also for what is no report
 */
export function reportToDict(
  report: ExecutionReport,
  options: { /** @defaultValue "extended" */ profile?: TraceProfile } = {},
): Record<string, unknown> {
  checkReport(report);
  checkOptionNames(options, { profile: true });
  const known = inReferenceProfile(options.profile);
  const wire: Record<string, unknown> = {
    attempts: report.attempts.map(known ? referenceAttempt : extendedAttempt),
    total_latency_ms: wholeMs(report.totalLatencyMs),
    success_count: report.successCount,
    failed_count: report.failedCount,
    skipped_count: report.skippedCount,
    denied_count: report.deniedCount,
    fail_closed: report.failClosed || (known && hasUnknown(report)),
  };
  if (known) return wire;
  return {
    ...wire,
    execution_id: report.executionId,
    status: report.status,
    reason: report.reason ?? null,
    actions: report.actions.map(actionRow),
    started_at_ms: wholeMs(report.startedAtMs),
    attempt_count: report.attempts.length,
    unknown_count: report.unknownCount,
    replayed_count: report.replayedCount,
    halt_latency_ms: wholeMs(report.haltLatencyMs),
    cooldown_until_ms: wholeMs(report.cooldownUntilMs),
    issues:
      report.issues?.map(({ path, expected, received }) => ({ path, expected, received: received ?? null })) ?? null,
    record_error: report.recordError ?? null,
    plan_hash: report.planHash,
  };
}

/** Whether anything in the report is of unknown outcome: what readers of the reference have no word for. */
export function hasUnknown(report: ExecutionReport): boolean {
  return (
    report.status === "unknown" || report.unknownCount > 0 || report.attempts.some(({ status }) => status === "unknown")
  );
}

function referenceAttempt(attempt: ExecutionAttempt): Record<string, unknown> {
  const rejected = attempt.status === "failed" && attempt.errorType === undefined;
  return {
    action: attempt.action,
    status: attempt.status === "unknown" ? "failed" : attempt.status,
    attempt_number: attempt.attemptNumber,
    latency_ms: wholeMs(attempt.latencyMs),
    error_type: rejected ? "executor_rejected" : (attempt.errorType ?? null),
    error_code: attempt.errorCode ?? null,
    error_message: null,
    idempotency_key: attempt.idempotencyKey ?? null,
  };
}

function extendedAttempt(attempt: ExecutionAttempt): Record<string, unknown> {
  return {
    ...referenceAttempt(attempt),
    status: attempt.status,
    error_type: attempt.errorType ?? null,
    action_index: attempt.actionIndex,
    started_at_ms: wholeMs(attempt.startedAtMs),
    late: attempt.late === true,
  };
}

function actionRow(row: ActionReport): Record<string, unknown> {
  return {
    id: row.id,
    index: row.index,
    action: row.action,
    status: row.status,
    reason: row.reason,
    error_code: row.errorCode ?? null,
    error_type: row.errorType ?? null,
    retry_after_ms: row.retryAfterMs === undefined ? null : wholeMs(row.retryAfterMs),
    attempt_count: row.attemptCount,
    latency_ms: wholeMs(row.latencyMs),
    waited_ms: wholeMs(row.waitedMs),
    basis: row.basis,
    replayed: row.replayed,
    idempotency_key: row.idempotencyKey ?? null,
    value_omitted: row.valueOmitted === true,
    record_error: row.recordError ?? null,
  };
}

import { checkOptionNames, type ExecutionReport } from "@eoc/core";
import { checkOption, isRecord } from "./check-option.js";
import { checkReport } from "./check-report.js";
import { hasUnknown } from "./report-to-dict.js";
import { inReferenceProfile, type TraceProfile, wholeMs } from "./trace-profile.js";

/** What the extended profile adds to the reference's keys. */
const EXTENDED_KEYS: ReadonlySet<string> = new Set([
  "exec.status",
  "exec.reason",
  "exec.plan_hash",
  "exec.execution_id",
  "exec.unknown_count",
  "exec.replayed_count",
  "exec.halt_latency_ms",
  "exec.cooldown_until_ms",
]);

/**
 * A copy of `external` with the execution's `exec.*` keys; what an earlier execution wrote under them goes, in either profile, and
 * everything else is kept, secrets too: it is for whoever decides next, and to be redacted before it is written down. Every key is
 * registered (`EXTERNAL_KEY_REGISTRY`).
 *
 * The `reference` profile writes exactly the seven keys that the reference registers, with `exec.fail_closed` also true where an
 * outcome is unknown (S10). The `extended` profile adds `exec.status`, `exec.reason`, `exec.plan_hash`, `exec.execution_id`,
 * `exec.unknown_count`, `exec.replayed_count`, `exec.halt_latency_ms` and `exec.cooldown_until_ms`, each where the report has it.
 *
 * @throws EocError `invalid_option`, also for what is no report
 */
export function addExecutionTrace(
  external: Readonly<Record<string, unknown>> | null | undefined,
  report: ExecutionReport,
  options: { /** @defaultValue "extended" */ profile?: TraceProfile } = {},
): Record<string, unknown> {
  checkOption(isRecord(external ?? {}), "external", "an object", external);
  checkReport(report);
  checkOptionNames(options, { profile: true });
  return { ...withoutExtendedKeys(external), ...executionKeys(report, inReferenceProfile(options.profile)) };
}

/** A copy without what only the extended profile writes: not every execution overwrites it. */
export function withoutExtendedKeys(external: Readonly<Record<string, unknown>> | null | undefined): object {
  // Defines properties, so that a `__proto__` key stays an ordinary key.
  return Object.fromEntries(Object.entries(external ?? {}).filter(([key]) => !EXTENDED_KEYS.has(key)));
}

function executionKeys(report: ExecutionReport, reference: boolean): Record<string, unknown> {
  const keys: Record<string, unknown> = {
    "exec.total_latency_ms": wholeMs(report.totalLatencyMs),
    "exec.success_count": report.successCount,
    "exec.failed_count": report.failedCount,
    "exec.skipped_count": report.skippedCount,
    "exec.denied_count": report.deniedCount,
    "exec.fail_closed": report.failClosed || (reference && hasUnknown(report)),
    "exec.attempt_count": report.attempts.length,
  };
  if (reference) return keys;
  keys["exec.status"] = report.status;
  if (report.reason !== undefined) keys["exec.reason"] = report.reason;
  keys["exec.plan_hash"] = report.planHash;
  keys["exec.execution_id"] = report.executionId;
  keys["exec.unknown_count"] = report.unknownCount;
  keys["exec.replayed_count"] = report.replayedCount;
  if (report.haltLatencyMs !== undefined) keys["exec.halt_latency_ms"] = wholeMs(report.haltLatencyMs);
  if (report.cooldownUntilMs !== undefined) keys["exec.cooldown_until_ms"] = wholeMs(report.cooldownUntilMs);
  return keys;
}

import { readFileSync } from "node:fs";
import type { ExecutionAttempt, ExecutionReport } from "@eoc/core";
import { anAttempt, aReport } from "./support.js";

interface ReferenceCase {
  name: string;
  input: {
    op: string;
    fields: Record<string, unknown>;
    external: Record<string, unknown> | null;
    report: Record<string, unknown>;
  };
  expected: { value: Record<string, unknown>; key_order: string[] };
}

const { cases } = JSON.parse(readFileSync(new URL("./vectors/report.json", import.meta.url), "utf8")) as {
  cases: ReferenceCase[];
};

export function casesOf(op: string): ReferenceCase[] {
  return cases.filter(({ input }) => input.op === op);
}

/** A report of ours with the fields of one of the reference's. */
export function reportFromFields(fields: Record<string, unknown>): ExecutionReport {
  const attempts = ((fields["attempts"] as Record<string, unknown>[] | undefined) ?? []).map(attemptFromFields);
  const { total_latency_ms, success_count, failed_count, skipped_count, denied_count, fail_closed } = fields;
  return aReport({
    actions: [],
    attempts,
    totalLatencyMs: (total_latency_ms ?? 0) as number,
    successCount: (success_count ?? 0) as number,
    failedCount: (failed_count ?? 0) as number,
    skippedCount: (skipped_count ?? 0) as number,
    deniedCount: (denied_count ?? 0) as number,
    failClosed: (fail_closed ?? false) as boolean,
  });
}

function attemptFromFields(fields: Record<string, unknown>): ExecutionAttempt {
  return anAttempt({
    action: fields["action"] as ExecutionAttempt["action"],
    status: fields["status"] as ExecutionAttempt["status"],
    attemptNumber: fields["attempt_number"] as number,
    latencyMs: fields["latency_ms"] as number,
    ...(fields["error_type"] === undefined ? undefined : { errorType: fields["error_type"] as string }),
    ...(fields["error_code"] === undefined ? undefined : { errorCode: fields["error_code"] as string }),
  });
}

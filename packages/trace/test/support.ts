import type { ActionReport, ExecutionAttempt, ExecutionEvent, ExecutionReport } from "@eoc/core";

export const STARTED_AT = 1_700_000_000_000;
export const PLAN_HASH = "5f".repeat(32);

type Unstamped<T> = T extends unknown ? Omit<T, "seq" | "atMs" | "executionId"> : never;

/** Events of one execution, numbered and stamped: `[offsetMs, body]`. */
export function eventsOf(
  executionId: string,
  steps: readonly (readonly [offsetMs: number, body: Unstamped<ExecutionEvent>])[],
): ExecutionEvent[] {
  return steps.map(
    ([offsetMs, body], seq) => ({ seq, atMs: STARTED_AT + offsetMs, executionId, ...body }) as ExecutionEvent,
  );
}

export function anAttempt(fields: Partial<ExecutionAttempt> = {}): ExecutionAttempt {
  return {
    actionIndex: 0,
    attemptNumber: 0,
    action: "ACT",
    status: "success",
    startedAtMs: STARTED_AT,
    latencyMs: 5,
    ...fields,
  };
}

export function aRow(fields: Partial<ActionReport> = {}): ActionReport {
  const index = fields.index ?? 0;
  return {
    id: `action-${index}`,
    index,
    action: "ACT",
    status: "success",
    reason: "completed",
    attemptCount: 1,
    latencyMs: 5,
    waitedMs: 0,
    basis: "result",
    replayed: false,
    ...fields,
  };
}

/** A report whose counts follow from its rows and attempts (S10). */
export function aReport(fields: Partial<ExecutionReport> = {}): ExecutionReport {
  const { actions = [aRow()], attempts = [anAttempt()] } = fields;
  const rows = (status: string) => actions.filter((row) => row.status === status).length;
  return {
    executionId: "run-42",
    status: "success",
    actions,
    attempts,
    totalLatencyMs: 5,
    startedAtMs: STARTED_AT,
    successCount: attempts.filter(({ status }) => status === "success").length,
    failedCount: attempts.filter(({ status }) => status !== "success").length,
    attemptCount: attempts.length,
    skippedCount: rows("skipped"),
    deniedCount: rows("denied"),
    unknownCount: rows("unknown"),
    replayedCount: actions.filter(({ replayed }) => replayed).length,
    failClosed: false,
    planHash: PLAN_HASH,
    ...fields,
  };
}

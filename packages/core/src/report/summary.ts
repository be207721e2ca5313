import { isAbnormal } from "../machine/conclude.js";
import type { Machine } from "../machine/state.js";
import type {
  ActionReport,
  ActionStatus,
  ExecutionAttempt,
  ExecutionReport,
  ExecutionStatus,
} from "./execution-report.js";
import { TERMINAL_REASONS, type TerminalReason } from "./terminal-reason.js";

/** The status of an execution from those of its actions (S10). `hold` rows count only when there is nothing else. */
function overallStatus(rows: readonly Pick<ActionReport, "status" | "reason">[]): ExecutionStatus {
  let counted = 0;
  let best: ActionStatus = "skipped";
  let successes = 0;
  for (const { status, reason } of rows) {
    if (reason === "hold") continue;
    counted++;
    if (status === "success") successes++;
    else if (SEVERITY[status] > SEVERITY[best]) best = status;
  }
  if (best === "unknown") return "unknown";
  if (counted === 0 || successes === 0) return best;
  return successes === counted ? "success" : "partial";
}

const SEVERITY: Record<ActionStatus, number> = { success: 0, skipped: 1, denied: 2, failed: 3, unknown: 4 };

/** The one cause that stopped everything, where there is one. */
function overallReason(rows: readonly Pick<ActionReport, "status" | "reason">[]): TerminalReason | undefined {
  const first = rows[0];
  if (first === undefined || first.status === "success") return undefined;
  return rows.every(({ status, reason }) => status !== "success" && reason === first.reason) ? first.reason : undefined;
}

/** The halt, when it kept anything from happening. */
function haltReason({ halt, actions }: Machine): TerminalReason | undefined {
  return halt !== undefined && actions.some(({ row }) => row!.reason === halt.cause) ? halt.cause : undefined;
}

/** What `execution.finished` says of a finished machine. */
export function summarize(
  machine: Machine,
): Pick<ExecutionReport, "status" | "totalLatencyMs"> &
  Partial<Pick<ExecutionReport, "reason" | "deniedCount" | "haltLatencyMs" | "cooldownUntilMs" | "issues">> {
  const { facts, halt, finishedAt } = machine;
  const rows = machine.actions.map((action) => action.row!);
  const rowless = rows.length === 0 ? facts.verdict : undefined;
  const reason =
    facts.verdict?.reason ?? (machine.broken ? "protocol_error" : (haltReason(machine) ?? overallReason(rows)));
  return {
    status: rowless?.status ?? overallStatus(rows),
    ...(reason === undefined ? undefined : { reason }),
    totalLatencyMs: finishedAt,
    ...(rowless?.status === "denied" ? { deniedCount: 1 } : undefined),
    ...(halt === undefined ? undefined : { haltLatencyMs: Math.max(0, machine.lastRowAt - halt.at) }),
    ...(facts.cooldownMs === undefined
      ? undefined
      : { cooldownUntilMs: facts.startedAtMs + finishedAt + facts.cooldownMs }),
    ...(facts.verdict?.issues === undefined ? undefined : { issues: facts.verdict.issues }),
  };
}

/** True when something abnormal stopped or denied an action (S10). */
export function failClosed(machine: Machine): boolean {
  const { verdict } = machine.facts;
  if (machine.broken) return true;
  if (machine.actions.length === 0) return verdict !== undefined && TERMINAL_REASONS[verdict.reason];
  return machine.actions.some(isAbnormal);
}

/** The report's counters (S10). */
export function countRows(
  rows: readonly ActionReport[],
  attempts: readonly ExecutionAttempt[],
): Pick<
  ExecutionReport,
  "successCount" | "failedCount" | "attemptCount" | "skippedCount" | "deniedCount" | "unknownCount" | "replayedCount"
> {
  let successCount = 0;
  for (const { status } of attempts) if (status === "success") successCount++;
  let skippedCount = 0;
  let deniedCount = 0;
  let unknownCount = 0;
  let replayedCount = 0;
  for (const { status, replayed } of rows) {
    if (status === "skipped") skippedCount++;
    else if (status === "denied") deniedCount++;
    else if (status === "unknown") unknownCount++;
    if (replayed) replayedCount++;
  }
  const attemptCount = attempts.length;
  const failedCount = attemptCount - successCount;
  return { successCount, failedCount, attemptCount, skippedCount, deniedCount, unknownCount, replayedCount };
}

/** The report of a finished machine. `heldBy` gives the executor's value of an action, which the machine never sees. */
export function reportOf(machine: Machine, heldBy: (index: number) => { value: unknown } | undefined): ExecutionReport {
  const { plan, facts } = machine;
  const actions: ActionReport[] = [];
  const attempts: ExecutionAttempt[] = [];
  for (const action of machine.actions) {
    const row = action.row!;
    const held = row.status === "success" ? heldBy(action.index) : undefined;
    if (held !== undefined) Object.defineProperty(row, "value", { value: held.value });
    actions.push(row);
    for (let number = 0; number < action.attempts.length; number++) {
      const { startedAt, latencyMs, status, errorCode, errorType, late } = action.attempts[number]!;
      const attempt: ExecutionAttempt = {
        actionIndex: action.index,
        attemptNumber: number,
        action: row.action,
        status: status as ExecutionAttempt["status"],
        startedAtMs: facts.startedAtMs + startedAt,
        latencyMs,
      };
      if (errorCode !== undefined) attempt.errorCode = errorCode;
      if (errorType !== undefined) attempt.errorType = errorType;
      if (action.key !== undefined) attempt.idempotencyKey = action.key;
      if (late) attempt.late = true;
      attempts.push(attempt);
    }
  }
  return {
    executionId: facts.executionId,
    actions,
    attempts,
    startedAtMs: facts.startedAtMs,
    ...countRows(actions, attempts),
    ...summarize(machine),
    failClosed: failClosed(machine),
    get planHash() {
      return plan.planHash;
    },
  };
}

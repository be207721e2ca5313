import { isAbnormal } from "../machine/conclude.js";
import type { ActionState, Machine } from "../machine/state.js";
import type { ExecutionPlan } from "../plan.js";
import type {
  ActionReport,
  ActionStatus,
  ExecutionAttempt,
  ExecutionReport,
  ExecutionStatus,
} from "./execution-report.js";
import { TERMINAL_REASONS, type TerminalReason } from "./terminal-reason.js";

type Counters = Pick<
  ExecutionReport,
  "successCount" | "failedCount" | "attemptCount" | "skippedCount" | "deniedCount" | "unknownCount" | "replayedCount"
>;

/** The report's counters, and what the rows say together. */
export interface Tally {
  readonly counters: Counters;
  status: ExecutionStatus;
  /** The one cause that stopped everything, where there is one. */
  reason: TerminalReason | undefined;
}

/** Counts, and derives the execution's status from its rows (S10): `hold` counts only when there is nothing else. */
export function tally(rows: readonly ActionReport[], attempts: readonly ExecutionAttempt[]): Tally {
  let counted = 0;
  let successes = 0;
  let worst: ActionStatus = "skipped";
  let reason = rows[0]?.reason;
  const total: Counters = {
    successCount: 0,
    failedCount: 0,
    attemptCount: attempts.length,
    skippedCount: 0,
    deniedCount: 0,
    unknownCount: 0,
    replayedCount: 0,
  };
  for (const { status } of attempts) {
    if (status === "success") total.successCount++;
    else total.failedCount++;
  }
  for (const row of rows) {
    const { status } = row;
    if (status === "skipped") total.skippedCount++;
    else if (status === "denied") total.deniedCount++;
    else if (status === "unknown") total.unknownCount++;
    if (row.replayed) total.replayedCount++;
    if (status === "success" || row.reason !== reason) reason = undefined;
    if (row.reason === "hold") continue;
    counted++;
    if (status === "success") successes++;
    else if (SEVERITY[status] > SEVERITY[worst]) worst = status;
  }
  const mixed = successes === counted ? "success" : "partial";
  return { counters: total, status: worst === "unknown" || successes === 0 ? worst : mixed, reason };
}

const SEVERITY: Record<ActionStatus, number> = { success: 0, skipped: 1, denied: 2, failed: 3, unknown: 4 };

/** The halt, when it kept anything from happening. */
function haltReason({ halt, actions }: Machine): TerminalReason | undefined {
  return halt !== undefined && actions.some(({ row }) => row!.reason === halt.cause) ? halt.cause : undefined;
}

/** What `execution.finished` says of a finished machine. */
export function summarize(
  machine: Machine,
  rows: Tally,
): Pick<ExecutionReport, "status" | "totalLatencyMs"> &
  Partial<Pick<ExecutionReport, "reason" | "deniedCount" | "haltLatencyMs" | "cooldownUntilMs" | "issues">> {
  const { facts, halt, finishedAt } = machine;
  const { verdict, cooldownMs } = facts;
  const rowless = machine.actions.length === 0 ? verdict : undefined;
  const reason = verdict?.reason ?? (machine.broken ? "protocol_error" : (haltReason(machine) ?? rows.reason));
  const summary: ReturnType<typeof summarize> = { status: rowless?.status ?? rows.status, totalLatencyMs: finishedAt };
  if (reason !== undefined) summary.reason = reason;
  if (rowless?.status === "denied") summary.deniedCount = 1;
  if (halt !== undefined) summary.haltLatencyMs = Math.max(0, machine.lastRowAt - halt.at);
  if (cooldownMs !== undefined) summary.cooldownUntilMs = facts.startedAtMs + finishedAt + cooldownMs;
  if (verdict?.issues !== undefined) summary.issues = verdict.issues;
  return summary;
}

/** True when something abnormal stopped or denied an action (S10). */
export function failClosed(machine: Machine): boolean {
  const { verdict } = machine.facts;
  if (machine.broken) return true;
  if (machine.actions.length === 0) return verdict !== undefined && TERMINAL_REASONS[verdict.reason];
  return machine.actions.some(isAbnormal);
}

/** The rows of a finished machine, in plan order. */
export function rowsOf(machine: Machine): ActionReport[] {
  return machine.actions.map(({ row }) => row!);
}

/** The report of a finished machine. `heldBy` gives the executor's value of an action, which the machine never sees. */
export function reportOf(machine: Machine, heldBy: (index: number) => { value: unknown } | undefined): ExecutionReport {
  const { facts } = machine;
  const actions = rowsOf(machine);
  const attempts: ExecutionAttempt[] = [];
  for (const action of machine.actions) {
    const row = action.row!;
    const held = row.status === "success" ? heldBy(action.index) : undefined;
    if (held !== undefined) Object.defineProperty(row, "value", { value: held.value });
    for (let number = 0; number < action.attempts.length; number++) attempts.push(attemptOf(machine, action, number));
  }
  const rows = tally(actions, attempts);
  const report = {
    executionId: facts.executionId,
    status: rows.status,
    actions,
    attempts,
    totalLatencyMs: machine.finishedAt,
    startedAtMs: facts.startedAtMs,
    ...rows.counters,
    failClosed: failClosed(machine),
  } as ExecutionReport;
  Object.assign(report, summarize(machine, rows));
  return hashLazily(report, machine.plan);
}

function attemptOf({ facts, plan }: Machine, action: ActionState, number: number): ExecutionAttempt {
  const { startedAt, latencyMs, status, errorCode, errorType, late } = action.attempts[number]!;
  const attempt: ExecutionAttempt = {
    actionIndex: action.index,
    attemptNumber: number,
    action: plan.actions[action.index]!.action,
    status: status as ExecutionAttempt["status"],
    startedAtMs: facts.startedAtMs + startedAt,
    latencyMs,
  };
  if (errorCode !== undefined) attempt.errorCode = errorCode;
  if (errorType !== undefined) attempt.errorType = errorType;
  if (action.key !== undefined) attempt.idempotencyKey = action.key;
  if (late) attempt.late = true;
  return attempt;
}

const PLAN = Symbol("plan");

/** Hashing takes longer than everything else: it is done for those who look. One getter serves all reports. */
const PLAN_HASH: PropertyDescriptor & ThisType<{ [PLAN]: ExecutionPlan }> = {
  enumerable: true,
  get() {
    return this[PLAN].planHash;
  },
};

function hashLazily(report: ExecutionReport, plan: ExecutionPlan): ExecutionReport {
  Object.defineProperty(report, PLAN, { value: plan });
  return Object.defineProperty(report, "planHash", PLAN_HASH);
}

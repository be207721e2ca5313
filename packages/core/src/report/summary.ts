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

type Summary = Pick<ExecutionReport, "status" | "totalLatencyMs" | "failClosed"> &
  Partial<Pick<ExecutionReport, "reason" | "deniedCount" | "haltLatencyMs" | "cooldownUntilMs" | "issues">>;

/** What `execution.finished` says of a finished machine. */
export function summarize(machine: Machine): Summary {
  return conclude({} as Summary, machine, tally(rowsOf(machine), []));
}

/** Adds to `summary` what the machine and its rows come to. */
function conclude<T extends Summary>(summary: T, machine: Machine, rows: Tally): T {
  const { facts, halt, finishedAt } = machine;
  const { verdict, cooldownMs } = facts;
  const rowless = machine.actions.length === 0 ? verdict : undefined;
  const reason = verdict?.reason ?? (machine.broken ? "protocol_error" : (haltReason(machine) ?? rows.reason));
  summary.status = rowless?.status ?? rows.status;
  summary.totalLatencyMs = finishedAt;
  summary.failClosed = failClosed(machine);
  if (reason !== undefined) summary.reason = reason;
  if (rowless?.status === "denied") summary.deniedCount = 1;
  if (halt !== undefined) summary.haltLatencyMs = Math.max(0, machine.lastRowAt - halt.at);
  if (cooldownMs !== undefined) summary.cooldownUntilMs = facts.startedAtMs + finishedAt + cooldownMs;
  if (verdict?.issues !== undefined) summary.issues = verdict.issues;
  return summary;
}

/** True when something abnormal stopped or denied an action (S10). */
function failClosed(machine: Machine): boolean {
  const { verdict } = machine.facts;
  if (machine.broken) return true;
  if (machine.actions.length === 0) return verdict !== undefined && TERMINAL_REASONS[verdict.reason];
  return machine.actions.some(isAbnormal);
}

/** The rows of a finished machine, in plan order. */
function rowsOf(machine: Machine): ActionReport[] {
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
  const { counters } = rows;
  const report = {
    executionId: facts.executionId,
    status: rows.status,
    actions,
    attempts,
    totalLatencyMs: 0,
    startedAtMs: facts.startedAtMs,
    successCount: counters.successCount,
    failedCount: counters.failedCount,
    attemptCount: counters.attemptCount,
    skippedCount: counters.skippedCount,
    deniedCount: counters.deniedCount,
    unknownCount: counters.unknownCount,
    replayedCount: counters.replayedCount,
    failClosed: false,
  } as ExecutionReport;
  new PlanBehind(conclude(report, machine, rows), machine.plan);
  return Object.defineProperty(report, "planHash", PLAN_HASH);
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

class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the subclass puts its field on the object that is returned.
    return object;
  }
}

/** Gives an object a field that only this class sees: a third of the time of a symbol's. */
class PlanBehind extends Given {
  readonly #plan: ExecutionPlan;

  constructor(report: ExecutionReport, plan: ExecutionPlan) {
    super(report);
    this.#plan = plan;
  }

  static hashOf(report: PlanBehind): string {
    return report.#plan.planHash;
  }
}

/** Hashing takes longer than all the rest: it is done for those who look. One getter serves all reports. */
const PLAN_HASH: PropertyDescriptor & ThisType<PlanBehind> = {
  enumerable: true,
  get() {
    return PlanBehind.hashOf(this);
  },
};

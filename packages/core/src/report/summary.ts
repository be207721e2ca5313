import { Given } from "../given.js";
import { isAbnormal } from "../machine/conclude.js";
import type { ActionState, Machine } from "../machine/state.js";
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

/** What the rows say together. */
interface Tally {
  status: ExecutionStatus;
  /** The one cause that stopped everything, where there is one. */
  reason: TerminalReason | undefined;
}

/** The counters of an empty report. */
export function noCounters(): Counters {
  return {
    successCount: 0,
    failedCount: 0,
    attemptCount: 0,
    skippedCount: 0,
    deniedCount: 0,
    unknownCount: 0,
    replayedCount: 0,
  };
}

/** Counts attempts and rows into `total`. */
export function count(rows: readonly ActionReport[], attempts: readonly ExecutionAttempt[], total: Counters): void {
  total.attemptCount = attempts.length;
  for (const { status } of attempts) {
    if (status === "success") total.successCount++;
    else total.failedCount++;
  }
  for (const { status, replayed } of rows) {
    if (status === "skipped") total.skippedCount++;
    else if (status === "denied") total.deniedCount++;
    else if (status === "unknown") total.unknownCount++;
    if (replayed) total.replayedCount++;
  }
}

/** Derives the execution's status from its rows (S10): `hold` counts only when there is nothing else. */
function tally(rows: readonly ActionReport[]): Tally {
  let counted = 0;
  let successes = 0;
  let worst: ActionStatus = "skipped";
  let reason = rows[0]?.reason;
  for (const row of rows) {
    const { status } = row;
    if (status === "success" || row.reason !== reason) reason = undefined;
    if (row.reason === "hold") continue;
    counted++;
    if (status === "success") successes++;
    else if (SEVERITY[status] > SEVERITY[worst]) worst = status;
  }
  const mixed = successes === counted ? "success" : "partial";
  return { status: worst === "unknown" || successes === 0 ? worst : mixed, reason };
}

const SEVERITY: Record<ActionStatus, number> = { success: 0, skipped: 1, denied: 2, failed: 3, unknown: 4 };

/** The halt, when it kept anything from happening. */
function haltReason({ halt, actions }: Machine): TerminalReason | undefined {
  return halt !== undefined && actions.some(({ row }) => row!.reason === halt.cause) ? halt.cause : undefined;
}

type Summary = Pick<ExecutionReport, "status" | "totalLatencyMs" | "failClosed"> &
  Partial<Pick<ExecutionReport, "reason" | "deniedCount" | "haltLatencyMs" | "cooldownUntilMs" | "issues">>;

/** Adds to `summary` what a finished machine and its rows come to. */
export function summarize<T extends Summary>(summary: T, machine: Machine, actions = rowsOf(machine)): T {
  const rows = tally(actions);
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
  for (const { row, index } of machine.actions) {
    const held = row!.status === "success" ? heldBy(index) : undefined;
    if (held !== undefined) Object.defineProperty(row, "value", { value: held.value });
  }
  const attempts = attemptsOf(machine);
  const report = emptyReport(facts.executionId, facts.startedAtMs, actions, attempts);
  count(actions, attempts, report);
  return withPlanHash(summarize(report, machine, actions), machine.plan, hashOfPlan);
}

const hashOfPlan = ({ planHash }: Machine["plan"]) => planHash;

/** With everything in its place, and nothing counted. */
export function emptyReport(
  executionId: string,
  startedAtMs: number,
  actions: ActionReport[],
  attempts: ExecutionAttempt[],
): Omit<ExecutionReport, "planHash"> {
  return {
    executionId,
    status: "skipped",
    actions,
    attempts,
    totalLatencyMs: 0,
    startedAtMs,
    successCount: 0,
    failedCount: 0,
    attemptCount: 0,
    skippedCount: 0,
    deniedCount: 0,
    unknownCount: 0,
    replayedCount: 0,
    failClosed: false,
  };
}

/** Hashing takes longer than all the rest: `hashOf` is called for those who look. */
export function withPlanHash<T>(
  report: Omit<ExecutionReport, "planHash">,
  of: T,
  hashOf: (of: T) => string,
): ExecutionReport {
  new HashBehind(report, of, hashOf);
  return Object.defineProperty(report, "planHash", PLAN_HASH) as ExecutionReport;
}

/** All attempts, in plan order. */
function attemptsOf(machine: Machine): ExecutionAttempt[] {
  let count = 0;
  for (const { attempts } of machine.actions) count += attempts.length;
  const all = new Array<ExecutionAttempt>(count);
  let next = 0;
  for (const action of machine.actions) {
    for (let number = 0; number < action.attempts.length; number++) all[next++] = attemptOf(machine, action, number);
  }
  return all;
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

/** Gives an object fields that only this class sees: a third of the time of a symbol's. */
class HashBehind extends Given {
  #of: unknown;
  #hashOf: (of: never) => string;

  constructor(report: object, of: unknown, hashOf: (of: never) => string) {
    super(report);
    this.#of = of;
    this.#hashOf = hashOf;
  }

  static read(report: HashBehind): string {
    const hash = report.#hashOf(report.#of as never);
    report.#of = hash;
    report.#hashOf = itself;
    return hash;
  }
}

const itself = (hash: string) => hash;

/** One getter serves all reports. */
const PLAN_HASH: PropertyDescriptor & ThisType<HashBehind> = {
  enumerable: true,
  get() {
    return HashBehind.read(this);
  },
};

import { type Answer, Attempt, isUnknown, THREW } from "./attempt.ts";
import { canonicalHash } from "./canonical-hash.ts";
import { Deadlines } from "./deadlines.ts";
import { frozenCopy, type Members } from "./frozen-copy.ts";
import type { LeanFloorOptions } from "./lean-floor.ts";
import { Slots } from "./slots.ts";

type Action = (typeof ACTIONS)[number];

interface Planned {
  readonly id: string;
  readonly index: number;
  readonly action: Action;
  readonly params: Members;
  readonly effect: "once";
}

/** What a task is handed of its attempt. */
class Handed extends Attempt {
  readonly actionIndex = 0;
  readonly attempt: number;
  readonly executionId: string;
  readonly context: Members;
  readonly deadlineMs: number;

  constructor(number: number, { executionId, context }: Execution, deadlineMs: number) {
    super(number);
    this.attempt = number;
    this.executionId = executionId;
    this.context = context;
    this.deadlineMs = deadlineMs;
  }
}

export type PlannedTask = (action: Planned, attempt: Handed) => Answer | Promise<Answer>;

interface Execution {
  readonly planned: Planned;
  readonly context: Members;
  readonly executionId: string;
  readonly startedAtMs: number;
  readonly startedAt: number;
  readonly attempts: AttemptRow[];
}

type Status = "success" | "failed" | "unknown" | "denied";

interface AttemptRow {
  readonly actionIndex: number;
  readonly attemptNumber: number;
  readonly action: string;
  readonly status: Status;
  readonly startedAtMs: number;
  readonly latencyMs: number;
  errorCode?: string;
}

interface ActionRow {
  readonly id: string;
  readonly index: number;
  readonly action: string;
  readonly status: Status;
  readonly reason: string;
  readonly attemptCount: number;
  readonly latencyMs: number;
  readonly waitedMs: number;
  readonly basis: "result";
  readonly replayed: boolean;
  errorCode?: string;
  readonly value?: unknown;
}

/** A report as the contract has it. */
export interface ContractReport {
  readonly executionId: string;
  readonly status: Status;
  readonly actions: readonly [ActionRow];
  readonly attempts: readonly AttemptRow[];
  readonly totalLatencyMs: number;
  readonly startedAtMs: number;
  readonly successCount: number;
  readonly failedCount: number;
  readonly attemptCount: number;
  readonly skippedCount: number;
  readonly deniedCount: number;
  readonly unknownCount: number;
  readonly replayedCount: number;
  readonly failClosed: boolean;
  readonly planHash: string;
}

const ACTIONS = ["HOLD", "ACT", "EXIT", "CANCEL", "STOP"] as const;
const NO_PARAMS = Object.freeze({});
const NO_REASONS = Object.freeze([]);
const PROCESS = crypto.randomUUID();
let executions = 0;

/**
 * The lean floor with the arguments and the report of the contract, for one action that succeeds or fails: decision and context are copied
 * and frozen, so that what is carried out is what was checked; the executor is handed a frozen action, and an attempt; every attempt
 * and the action have a row; a value stays out of records, and the plan's hash is made for who looks. Left out is what may go wrong besides:
 * ports, options, halts between attempts, late answers, clocks that fail, what is to be said of what is refused.
 */
export function createContractFloor(options: LeanFloorOptions) {
  const { maxRetries, initialBackoffMs, attemptTimeoutMs, signal } = options;
  const slots = new Slots(options.slots);
  const deadlines = new Deadlines(attemptTimeoutMs);
  signal?.addEventListener("abort", () => deadlines.stopAll(), { once: true });

  return async (decision: unknown, context: unknown, task: PlannedTask): Promise<ContractReport> => {
    const execution = begin(decision, context);
    for (let number = 0; ; number++) {
      if (!slots.tryEnter()) await slots.wait();
      if (signal?.aborted) {
        slots.leave();
        const status = number === 0 ? "denied" : "failed";
        return reportOf(execution, { status }, "cancelled", performance.now());
      }
      const dispatchedAt = number === 0 ? execution.startedAt : performance.now();
      const attempt = new Handed(number, execution, dispatchedAt + attemptTimeoutMs);
      let answer: Answer;
      try {
        const given = task(execution.planned, attempt);
        answer = given instanceof Promise ? await attempt.answerOf(given, deadlines) : given;
      } catch {
        answer = THREW;
      }
      slots.leave();
      const endedAt = performance.now();
      const row = addRow(execution, number, answer, dispatchedAt, endedAt);
      if (row.status === "unknown" && answer !== THREW) attempt.abort(row.errorCode!);
      if (answer.ok) return reportOf(execution, row, "completed", endedAt, answer.value);
      if (row.status === "unknown") return reportOf(execution, row, row.errorCode!, endedAt);
      if (number === maxRetries) return reportOf(execution, row, "retries_exhausted", endedAt);
      const backoffMs = initialBackoffMs * 2 ** number;
      if (backoffMs > 0) await new Promise((resolve) => setTimeout(resolve, backoffMs));
    }
  };
}

function begin(decision: unknown, context: unknown): Execution {
  const { action, params } = readDecision(decision);
  return {
    planned: Object.freeze({ id: "action-0", index: 0, action, params, effect: "once" }),
    context: frozenCopy(context) as Members,
    executionId: `${PROCESS}-${++executions}`,
    startedAtMs: Date.now(),
    startedAt: performance.now(),
    attempts: [],
  };
}

/** Of the decisions that this floor carries out. */
function readDecision(decision: unknown): Pick<Planned, "action" | "params"> {
  const { action, allowed = true, reasons = NO_REASONS, params = NO_PARAMS } = frozenCopy(decision) as Members;
  const isOne = ACTIONS.includes(action as Action) && allowed === true && Array.isArray(reasons);
  if (!isOne || typeof params !== "object" || params === null) throw new Error("no decision");
  return { action: action as Action, params: params as Members };
}

function addRow(
  { planned, startedAtMs, startedAt, attempts }: Execution,
  attemptNumber: number,
  answer: Answer,
  dispatchedAt: number,
  endedAt: number,
): AttemptRow {
  const row: AttemptRow = {
    actionIndex: 0,
    attemptNumber,
    action: planned.action,
    status: answer.ok ? "success" : isUnknown(answer) ? "unknown" : "failed",
    startedAtMs: startedAtMs + Math.floor(dispatchedAt - startedAt),
    latencyMs: Math.floor(endedAt - dispatchedAt),
  };
  if (!answer.ok) row.errorCode = answer === THREW ? "execution_exception" : answer.code;
  attempts.push(row);
  return row;
}

function reportOf(
  { planned, attempts, executionId, startedAtMs, startedAt }: Execution,
  { status, errorCode }: Pick<ActionRow, "status" | "errorCode">,
  reason: string,
  endedAt: number,
  value?: unknown,
): ContractReport {
  const row: ActionRow = {
    id: planned.id,
    index: 0,
    action: planned.action,
    status,
    reason,
    attemptCount: attempts.length,
    latencyMs: Math.floor(endedAt - startedAt),
    waitedMs: 0,
    basis: "result",
    replayed: false,
  };
  if (errorCode !== undefined) row.errorCode = errorCode;
  if (value !== undefined) Object.defineProperty(row, "value", { value });
  const successCount = status === "success" ? 1 : 0;
  const report: Omit<ContractReport, "planHash"> & { reason?: string } = {
    executionId,
    status,
    actions: [row],
    attempts,
    totalLatencyMs: row.latencyMs,
    startedAtMs,
    successCount,
    failedCount: attempts.length - successCount,
    attemptCount: attempts.length,
    skippedCount: 0,
    deniedCount: status === "denied" ? 1 : 0,
    unknownCount: status === "unknown" ? 1 : 0,
    replayedCount: 0,
    failClosed: status === "unknown",
  };
  if (status !== "success") report.reason = reason;
  return withHash(report, planned);
}

class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the subclass puts its field on the object that is returned.
    return object;
  }
}

/** Gives a report a field that only this class sees: a report is plain data, and few look at its hash. */
class PlanBehind extends Given {
  readonly #planned: Planned;

  constructor(report: object, planned: Planned) {
    super(report);
    this.#planned = planned;
  }

  static hashOf(report: PlanBehind): string {
    return canonicalHash([report.#planned]);
  }
}

const PLAN_HASH: PropertyDescriptor & ThisType<PlanBehind> = {
  enumerable: true,
  get() {
    return PlanBehind.hashOf(this);
  },
};

function withHash(report: Omit<ContractReport, "planHash">, planned: Planned): ContractReport {
  new PlanBehind(report, planned);
  return Object.defineProperty(report, "planHash", PLAN_HASH) as ContractReport;
}

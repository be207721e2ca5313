import type { ExecutionContext } from "@eoc/decision-schema/read";
import type { PlannedAction } from "../plan.js";

/**
 * What became of one dispatch, in the executor's words. `ok: false` promises that the effect was **not** applied; when
 * that is not known, throw (S3.1).
 */
export type ExecutorResult =
  | { ok: true; value?: unknown }
  | {
      ok: false;
      /** `^[a-z0-9_.:-]{1,64}$`; anything else is recorded as `invalid_code`. */
      code: string;
      /** @defaultValue true */
      retryable?: boolean;
      /** Lower bound on the wait before the next attempt, in milliseconds. What is no time, such as NaN or a date, ends the action. */
      retryAfterMs?: number;
    };

/** What an executor is handed with each dispatch. */
export interface AttemptContext {
  /** Aborted with an `EocError` whose code is `attempt_timeout`, `deadline`, `halt` or `cancelled` (S4.2). */
  readonly signal: AbortSignal;
  /** 0 for the first dispatch of the action. */
  readonly attempt: number;
  readonly idempotencyKey?: string | undefined;
  /** The attempt's limit on the clock's monotonic scale. */
  readonly deadlineMs: number;
  /** A frozen copy of the caller's context. */
  readonly context: Readonly<ExecutionContext>;
  readonly executionId: string;
  readonly actionIndex: number;
}

/** Carries one action out and says what is known of its effect. Throwing says that nothing is known (S3.1). */
export type ExecuteFn = (action: PlannedAction, attempt: AttemptContext) => ExecutorResult | Promise<ExecutorResult>;

/** What became of a dispatch, as far as the outside world says (S3.3). */
export type ReconcileVerdict = { state: "applied"; value?: unknown } | { state: "not_applied" } | { state: "unknown" };

/** Asks the outside world whether a dispatch of unknown outcome was applied (S3.3). */
export type ReconcileFn = (
  action: PlannedAction,
  attempt: AttemptContext,
) => ReconcileVerdict | Promise<ReconcileVerdict>;

/** Carries one action out. */
export type Executor = ExecuteFn | { execute: ExecuteFn; reconcile?: ReconcileFn; name?: string };

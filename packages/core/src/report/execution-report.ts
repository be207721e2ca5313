import type { Action, Issue } from "@eoc/decision-schema/read";
import type { TerminalReason } from "./terminal-reason.js";

/** What is known of an action at the end (S3). */
export type ActionStatus = "success" | "failed" | "denied" | "skipped" | "unknown";

/** What is known of all actions together (S10); `partial`: some succeeded, others did not, and none is unknown. */
export type ExecutionStatus = ActionStatus | "partial";

/** What the status of an action rests on. */
export type OutcomeBasis = "result" | "reconcile" | "replay" | "exception" | "timeout" | "abort" | "none";

/** One dispatch and what came of it. */
export interface ExecutionAttempt {
  actionIndex: number;
  /** 0-based, as in the reference. */
  attemptNumber: number;
  action: Action;
  status: "success" | "failed" | "unknown";
  startedAtMs: number;
  latencyMs: number;
  /** The executor's code, or `execution_exception`, `timeout`, `aborted`, `invalid_result`, `invalid_code`. */
  errorCode?: string;
  /** Sanitised class name of what was thrown (S9.1). */
  errorType?: string;
  idempotencyKey?: string;
  /** True when the outcome arrived after the attempt's limit. */
  late?: boolean;
}

/** One row of the report: every action of the plan has exactly one (S5.3). */
export interface ActionReport {
  id: string;
  index: number;
  action: Action;
  status: ActionStatus;
  reason: TerminalReason;
  errorCode?: string;
  errorType?: string;
  /** In how many whole milliseconds it may be worth trying again, by the word of the limiter, the gate or the executor that refused it. */
  retryAfterMs?: number;
  attemptCount: number;
  latencyMs: number;
  /** Time spent waiting for a slot, a claim, a permit or a backoff. */
  waitedMs: number;
  basis: OutcomeBasis;
  replayed: boolean;
  idempotencyKey?: string;
  /** A replayed record had a value that could not be stored (S7.5). */
  valueOmitted?: boolean;
  /** The effect happened but the idempotency record could not be written (S7.6): the reason. */
  recordError?: TerminalReason;
  /** What the executor returned. Not enumerable (S9.2). */
  readonly value?: unknown;
}

/** What happened (S10). */
export interface ExecutionReport {
  executionId: string;
  status: ExecutionStatus;
  /** Present when there are no rows, or when one cause stopped everything. */
  reason?: TerminalReason;
  actions: ActionReport[];
  attempts: ExecutionAttempt[];
  totalLatencyMs: number;
  startedAtMs: number;
  /** Attempts that succeeded. */
  successCount: number;
  /** Attempts that failed or whose outcome is unknown. */
  failedCount: number;
  /** All attempts. */
  attemptCount: number;
  /** Actions. */
  skippedCount: number;
  deniedCount: number;
  unknownCount: number;
  replayedCount: number;
  failClosed: boolean;
  haltLatencyMs?: number;
  cooldownUntilMs?: number;
  issues?: readonly Issue[];
  /** Events are missing from the journal; what happened is as this report says. */
  recordError?: TerminalReason;
  /** SHA-256 over the plan's actions. */
  planHash: string;
}

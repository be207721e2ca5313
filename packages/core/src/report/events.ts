import type { Action, Issue } from "@eoc/decision-schema/read";
import type { ActionStatus, ExecutionStatus, OutcomeBasis } from "./execution-report.js";
import type { TerminalReason } from "./terminal-reason.js";

/** What an action can wait for. */
export type WaitCause = "throttle" | "slot" | "bulkhead" | "claim" | "gate" | "rate_limit" | "backoff" | "settlement";

/** What stopped an execution for good. */
export type HaltCause = "kill_switch" | "cancelled";

interface EventBase {
  /** Dense, from 0. */
  seq: number;
  /** Start of the execution on the wall clock plus monotonic time since: never goes back within an execution. */
  atMs: number;
  executionId: string;
}

interface ActionEvent extends EventBase {
  actionIndex: number;
}

interface AttemptEvent extends ActionEvent {
  attemptNumber: number;
}

/** One step of an execution (S8.1): a closed union, told apart by `type`. Frozen, and free of values and messages. */
export type ExecutionEvent =
  | (EventBase & { type: "execution.started"; planHash: string; actionCount: number })
  | (EventBase & {
      type: "execution.finished";
      status: ExecutionStatus;
      reason?: TerminalReason;
      totalLatencyMs: number;
      failClosed: boolean;
      planHash: string;
      deniedCount?: number;
      haltLatencyMs?: number;
      cooldownUntilMs?: number;
      issues?: readonly Issue[];
    })
  | (ActionEvent & { type: "action.started"; id: string; action: Action; idempotencyKey?: string })
  | (ActionEvent & {
      type: "action.finished";
      id: string;
      action: Action;
      status: ActionStatus;
      reason: TerminalReason;
      basis: OutcomeBasis;
      errorCode?: string;
      errorType?: string;
      retryAfterMs?: number;
      attemptCount: number;
      latencyMs: number;
      waitedMs: number;
      replayed: boolean;
      idempotencyKey?: string;
      valueOmitted?: boolean;
      recordError?: TerminalReason;
    })
  | (AttemptEvent & {
      type: "wait.started";
      cause: WaitCause /** Undefined: until something else happens. */;
      untilMs?: number;
    })
  | (AttemptEvent & { type: "wait.finished"; cause: WaitCause; waitedMs: number })
  | (AttemptEvent & { type: "attempt.intended"; action: Action; idempotencyKey?: string })
  | (AttemptEvent & { type: "attempt.withdrawn"; reason: TerminalReason })
  | (AttemptEvent & { type: "attempt.started"; limitMs: number })
  | (AttemptEvent & {
      type: "attempt.finished";
      action: Action;
      status: "success" | "failed" | "unknown";
      startedAtMs: number;
      latencyMs: number;
      errorCode?: string;
      errorType?: string;
      idempotencyKey?: string;
      late?: boolean;
    })
  | (AttemptEvent & {
      type: "attempt.settled_late";
      status: "success" | "failed" | "unknown";
      errorCode?: string;
      errorType?: string;
    })
  | (AttemptEvent & { type: "reconcile.started" })
  | (AttemptEvent & {
      type: "reconcile.finished";
      verdict: "applied" | "not_applied" | "unknown";
      /** The executor had not settled when it was asked: "not applied" proves nothing (S4.3). */
      whileRunning?: boolean;
      errorType?: string;
    })
  | (ActionEvent & { type: "key.claimed"; idempotencyKey: string })
  | (ActionEvent & {
      type: "key.completed" | "key.released" | "key.unknown";
      idempotencyKey: string;
      recorded: boolean;
    })
  | (EventBase & { type: "halt.observed"; cause: HaltCause })
  | (EventBase & { type: "listener.failed"; errorType: string });

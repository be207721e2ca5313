// For callers.
export type { Action, ExecutionContext, FinalDecision, FinalDecisionInput, Issue } from "@eoc/decision-schema/read";
// For authors of executors, adapters, stores and drivers.
export { checkOptionNames } from "./check-option-names.js";
export type { PreparedExecution } from "./driver/handover.js";
export {
  EOC_ERROR_CODES,
  EocError,
  type EocErrorCode,
  isEocError,
  isNotAppliedError,
  isUnknownOutcomeError,
  NotAppliedError,
  UnknownOutcomeError,
} from "./errors.js";
export { execute, prepareExecution } from "./execute.js";
export { deriveKey, fingerprintOf } from "./idempotency/key.js";
export { type BulkheadOptions, createBulkhead } from "./local/bulkhead.js";
export { createManualKillSwitch, type ManualKillSwitch } from "./local/manual-kill-switch.js";
export {
  createMemoryIdempotencyStore,
  type MemoryIdempotencyStore,
  type MemoryIdempotencyStoreOptions,
} from "./local/memory-idempotency-store.js";
export { createMemoryRateLimiter, type MemoryRateLimiterOptions } from "./local/memory-rate-limiter.js";
export { createRetryBudget, type RetryBudgetOptions } from "./local/retry-budget.js";
export { createSystemClock } from "./local/system-clock.js";
export type { ExecuteOptions } from "./options.js";
export { type ExecutionPlan, type PlannedAction, planExecution } from "./plan.js";
export { explainPolicy, type PolicyBounds } from "./policy/bounds.js";
export {
  definePolicy,
  type Effect,
  type ExecutionPolicy,
  type ExecutionPolicyInput,
  type IdempotencyPolicy,
  type KeyGenerator,
  type RateLimit,
  type RateLimitPolicy,
  type RetryPolicy,
  type TimeoutPolicy,
} from "./policy/execution-policy.js";
export type { Bulkhead } from "./ports/bulkhead.js";
export type { Clock } from "./ports/clock.js";
export type {
  AttemptContext,
  ExecuteFn,
  Executor,
  ExecutorResult,
  ReconcileFn,
  ReconcileVerdict,
} from "./ports/executor.js";
export type { Gate, GateInfo, GateVerdict } from "./ports/gate.js";
export type {
  ClaimRequest,
  ClaimVerdict,
  IdempotencyEntry,
  IdempotencyRecord,
  IdempotencyState,
  IdempotencyStore,
  StoreWrite,
} from "./ports/idempotency-store.js";
export type { Journal } from "./ports/journal.js";
export type { KillSwitch, KillSwitchState } from "./ports/kill-switch.js";
export type { RateLimiter, RateRequest, RateVerdict } from "./ports/rate-limiter.js";
export type { RetryBudget } from "./ports/retry-budget.js";
export { HARMLESS_KEYS } from "./redaction/key-names.js";
export type { RedactionCause, RedactionEntry, RedactionManifest } from "./redaction/manifest.js";
export { createRedactor, type Redactor, type RedactorOptions } from "./redaction/redactor.js";
export type { ExecutionEvent, HaltCause, WaitCause } from "./report/events.js";
export type {
  ActionReport,
  ActionStatus,
  ExecutionAttempt,
  ExecutionReport,
  ExecutionStatus,
  OutcomeBasis,
} from "./report/execution-report.js";
export { reportFromEvents } from "./report/report-from-events.js";
export { TERMINAL_REASONS, type TerminalReason } from "./report/terminal-reason.js";

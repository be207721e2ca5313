import type { Bulkhead } from "./ports/bulkhead.js";
import type { Clock } from "./ports/clock.js";
import type { Gate } from "./ports/gate.js";
import type { IdempotencyStore } from "./ports/idempotency-store.js";
import type { Journal } from "./ports/journal.js";
import type { KillSwitch } from "./ports/kill-switch.js";
import type { RateLimiter } from "./ports/rate-limiter.js";
import type { RetryBudget } from "./ports/retry-budget.js";
import type { ExecutionEvent } from "./report/events.js";

/**
 * What `execute` may be given besides its four arguments. A policy that needs a port which is not here is denied with
 * `missing_port`: nothing is kept in hidden state.
 */
export interface ExecuteOptions {
  /** Cancels like a halt (S4.8). */
  signal?: AbortSignal;
  /** No two executions that share a journal at a time have the same. @defaultValue a random UUID */
  executionId?: string;
  /** Keys the jitter (S3.5). @defaultValue the execution's id */
  seed?: string;
  /**
   * What was approved: compared with the decision immediately before every dispatch (S1.8). `undefined`, such as of one that was
   * looked up and not found, is refused: leave it out where no approval is needed.
   */
  approval?: {
    /** `digestDecision(decision)` of the approved decision. */
    digest: string;
    /** Wall-clock time from which the approval no longer holds. */
    expiresAtMs?: number;
  };
  /** @defaultValue the system clock */
  clock?: Clock;
  killSwitch?: KillSwitch;
  rateLimiter?: RateLimiter;
  idempotencyStore?: IdempotencyStore;
  retryBudget?: RetryBudget;
  /** Slots shared with other executions. */
  bulkhead?: Bulkhead;
  journal?: Journal;
  gates?: readonly Gate[];
  /** Observes only: what it throws, returns or mutates changes nothing (S8.3). */
  onEvent?: (event: ExecutionEvent) => void;
}

/**
 * Why an action, or the whole execution, ended as it did (S3.8). A closed list: the words are part of the contract, and
 * `docs/codes.md` is made of it. The value says whether such an end is abnormal, that is, makes the report `failClosed`
 * (S10).
 */
export const TERMINAL_REASONS = {
  /** The executor said that the effect was applied. */
  completed: false,
  /** The outcome was unknown, and reconcile found the effect applied. */
  reconciled: false,
  /** The key was completed before: nothing was dispatched. */
  replayed: false,

  /** The executor said that nothing was applied, and that it is not to be retried. */
  rejected: false,
  /** The last dispatch that the policy allows did not succeed. */
  retries_exhausted: false,
  /** The executor asked for a longer wait than the policy allows. */
  retry_after_too_long: false,
  /** The retry budget has no token left. */
  retry_budget_exhausted: false,
  /** The time is up, or would be before the next dispatch. */
  deadline_exceeded: true,

  /** The executor threw: whether the effect was applied is not known. */
  execution_exception: true,
  /** No answer within the attempt's limit, or one too late to go on from. */
  attempt_timeout: true,
  /** The executor answered with something that is no answer. */
  invalid_result: true,
  /** An earlier execution left the key without a known outcome. */
  in_doubt: true,

  /** A kill switch halted the execution. */
  kill_switch: false,
  /** The caller's signal was aborted. */
  cancelled: false,
  /** The decision is not the one that was approved. */
  approval_mismatch: false,
  /** The approval no longer holds. */
  approval_expired: false,
  /** A gate refused; its code is the row's `errorCode`. */
  gate_denied: false,
  /** No permit, and the policy does not wait, or waiting would take too long. */
  rate_limited: false,
  /** The bulkhead's queue is full. */
  bulkhead_full: false,
  /** Somebody else is executing the same key, or the claim on it was lost. */
  in_progress: false,
  /** The same key was used for another payload. */
  idempotency_conflict: false,

  /** The kill switch could not be read. */
  kill_switch_unavailable: true,
  /** A gate failed or did not answer. */
  gate_unavailable: true,
  /** The rate limiter failed or did not answer. */
  rate_limiter_unavailable: true,
  /** The bulkhead failed. */
  bulkhead_unavailable: true,
  /** The retry budget failed. */
  retry_budget_unavailable: true,
  /** The idempotency store failed or did not answer. */
  idempotency_store_unavailable: true,
  /** The intent of the dispatch could not be made durable. */
  journal_unavailable: true,
  /** The policy needs a port that was not given. */
  missing_port: true,
  /** Something happened that cannot happen: a driver's or a clock's fault. */
  protocol_error: true,

  /** The decision was refused; `issues` say why. */
  invalid_decision: true,
  /** The context was refused. */
  invalid_context: true,
  /** The policy was refused. */
  invalid_policy: true,
  /** The executor was refused. */
  invalid_executor: true,
  /** The options were refused. */
  invalid_options: true,
  /** The policy's key generator gave no usable key. */
  invalid_idempotency_key: true,

  /** The decision does not allow its actions. */
  not_allowed: false,
  /** HOLD means that nothing is to be done. */
  hold: false,
  /** The decision has an empty list of actions. */
  no_actions: false,
  /** An earlier action did not succeed, and the policy stops there. */
  prior_action_failed: false,
} as const;

/** One of {@link TERMINAL_REASONS}. */
export type TerminalReason = keyof typeof TERMINAL_REASONS;

/**
 * Why an action, or the whole execution, ended as it did (S3.8). A closed list: the words are part of the contract.
 * The value says whether such an end is abnormal, that is, makes the report `failClosed` (S10).
 */
export const TERMINAL_REASONS = {
  // The effect was applied.
  completed: false,
  reconciled: false,
  replayed: false,
  // The executor said no.
  rejected: false,
  retries_exhausted: false,
  retry_after_too_long: false,
  retry_budget_exhausted: false,
  // Not known.
  execution_exception: true,
  attempt_timeout: true,
  invalid_result: true,
  in_doubt: true,
  // Somebody or something stopped it.
  kill_switch: false,
  cancelled: false,
  approval_mismatch: false,
  approval_expired: false,
  gate_denied: false,
  rate_limited: false,
  bulkhead_full: false,
  in_progress: false,
  idempotency_conflict: false,
  deadline_exceeded: true,
  // A port did not do its part.
  kill_switch_unavailable: true,
  gate_unavailable: true,
  rate_limiter_unavailable: true,
  bulkhead_unavailable: true,
  retry_budget_unavailable: true,
  idempotency_store_unavailable: true,
  journal_unavailable: true,
  missing_port: true,
  protocol_error: true,
  // The input was refused.
  invalid_decision: true,
  invalid_context: true,
  invalid_policy: true,
  invalid_executor: true,
  invalid_options: true,
  invalid_idempotency_key: true,
  // The decision or the plan says no.
  not_allowed: false,
  hold: false,
  no_actions: false,
  prior_action_failed: false,
} as const;

export type TerminalReason = keyof typeof TERMINAL_REASONS;

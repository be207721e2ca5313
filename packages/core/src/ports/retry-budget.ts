/** Limits retries over all executions that share it (S3.7). */
export interface RetryBudget {
  /** Takes one token for a retry; false when there is none. */
  tryTake(): boolean;
  /** An action succeeded: refills. */
  succeeded(): void;
}

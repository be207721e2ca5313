import { checkOptionNames } from "../check-option-names.js";
import type { RetryBudget } from "../ports/retry-budget.js";
import { refuseOption } from "../refuse-option.js";

/** Options of {@link createRetryBudget}. */
export interface RetryBudgetOptions {
  /** Tokens at the start, and at most. A retry takes one. */
  capacity: number;
  /** Tokens that an action's success gives back; may be a fraction. */
  refillPerSuccess: number;
}

const ROUNDING = 1e-9;

/**
 * A token bucket for retries, refilled by successes, not by time (S3.7).
 * @throws EocError `invalid_option`
 */
export function createRetryBudget(options: RetryBudgetOptions): RetryBudget {
  checkOptionNames(options, { capacity: true, refillPerSuccess: true });
  const { capacity, refillPerSuccess } = options;
  for (const [path, value] of Object.entries({ capacity, refillPerSuccess })) {
    if (!(Number.isFinite(value) && value >= 0)) refuseOption(path, "a finite number >= 0", String(value));
  }
  let tokens = capacity;
  return {
    tryTake() {
      // Ten tenths are one, also where a number in between cannot be written exactly.
      if (tokens < 1 - ROUNDING) return false;
      tokens--;
      return true;
    },
    succeeded() {
      tokens = Math.min(capacity, tokens + refillPerSuccess);
    },
  };
}

import { checkCount } from "../check-count.js";
import type { Bulkhead } from "../ports/bulkhead.js";
import { createFifo } from "./fifo.js";

export interface BulkheadOptions {
  /** Slots. */
  limit: number;
  /** How many may wait. @defaultValue no limit */
  queueLimit?: number;
}

/**
 * Slots shared by the executions of this process (S5.4): first come, first served; a freed slot is handed straight on.
 * @throws EocError `invalid_option`
 */
export function createBulkhead({ limit, queueLimit = Number.POSITIVE_INFINITY }: BulkheadOptions): Bulkhead {
  checkCount("limit", limit, 1);
  if (queueLimit !== Number.POSITIVE_INFINITY) checkCount("queueLimit", queueLimit, 0);
  const queue = createFifo<() => void>();
  let taken = 0;
  return {
    tryEnter() {
      if (taken >= limit) return false;
      taken++;
      return true;
    },
    queue(waiter) {
      return queue.size() >= queueLimit ? undefined : queue.add(waiter);
    },
    leave() {
      const next = queue.take();
      if (next !== undefined) next();
      else if (taken > 0) taken--;
    },
  };
}

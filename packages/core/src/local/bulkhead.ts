import { checkCount } from "../check-count.js";
import { checkOptionNames } from "../check-option-names.js";
import { openWaitingRoom, type Waiting } from "../driver/waiting-room.js";
import type { Bulkhead } from "../ports/bulkhead.js";
import { Fifo, Place } from "./fifo.js";

/** Options of {@link createBulkhead}. */
export interface BulkheadOptions {
  /** Slots. */
  limit: number;
  /** How many may wait. @defaultValue no limit */
  queueLimit?: number;
}

class Caller extends Place implements Waiting {
  readonly enter: () => void;

  constructor(enter: () => void) {
    super();
    this.enter = enter;
  }
}

/**
 * Slots shared by the executions of this process (S5.4): first come, first served; a freed slot is handed straight on.
 * @throws EocError `invalid_option`
 */
export function createBulkhead(options: BulkheadOptions): Bulkhead {
  checkOptionNames(options, { limit: true, queueLimit: true });
  const { limit, queueLimit = Number.POSITIVE_INFINITY } = options;
  checkCount("limit", limit, 1);
  if (queueLimit !== Number.POSITIVE_INFINITY) checkCount("queueLimit", queueLimit, 0);
  const queue = new Fifo<Waiting>();
  let taken = 0;
  const bulkhead: Bulkhead = {
    tryEnter() {
      if (taken >= limit) return false;
      taken++;
      return true;
    },
    queue(waiter) {
      if (queue.size >= queueLimit) return undefined;
      const caller = new Caller(waiter);
      queue.add(caller);
      return () => queue.remove(caller);
    },
    leave() {
      const next = queue.take();
      if (next !== undefined) next.enter();
      else if (taken > 0) taken--;
    },
  };
  openWaitingRoom(
    bulkhead,
    queue,
    () => taken >= limit,
    () => queue.size < queueLimit,
  );
  return bulkhead;
}

import { Fifo, Place } from "../local/fifo.js";
import type { RateLimiter, RateRequest } from "../ports/rate-limiter.js";

/** A place in the line for the permits of one limiter. */
export interface Ticket {
  /** On the monotonic clock: when it is worth asking again. */
  dueMs: number;
  /** False once nobody waits with it any more. */
  readonly isAlive: () => boolean;
  readonly leave: () => void;
}

/** A ticket's place in the queue of one key. */
class Stand extends Place {
  readonly ticket: Ticket;

  constructor(ticket: Ticket) {
    super();
    this.ticket = ticket;
  }
}

/** Those who wait for each key, longest first. */
type Line = Map<string, Fifo<Stand>>;

const lines = new WeakMap<RateLimiter, Line>();

/**
 * The one who has to be served before a request for these keys, whichever execution he belongs to (S6.3). A permit that
 * has just become free is his, even if he has not woken up yet.
 */
export function whoIsBefore(
  limiter: RateLimiter,
  requests: readonly RateRequest[],
  own: Ticket | undefined,
): Ticket | undefined {
  const line = lines.get(limiter);
  if (line === undefined) return undefined;
  for (const { key } of requests) {
    const queue = line.get(key);
    for (let first = queue?.first?.ticket; first !== undefined && first !== own; first = queue?.first?.ticket) {
      if (first.isAlive()) return first;
      first.leave();
    }
  }
  return undefined;
}

/** Joins the line for all the keys at once. */
export function joinLine(
  limiter: RateLimiter,
  requests: readonly RateRequest[],
  dueMs: number,
  isAlive: () => boolean,
): Ticket {
  let line = lines.get(limiter);
  if (line === undefined) {
    line = new Map();
    lines.set(limiter, line);
  }
  const joined = line;
  const leaves: (() => void)[] = [];
  const ticket: Ticket = {
    dueMs,
    isAlive,
    leave: () => {
      for (const leave of leaves) leave();
    },
  };
  for (const { key } of requests) {
    const queue = joined.get(key) ?? new Fifo<Stand>();
    const stand = new Stand(ticket);
    joined.set(key, queue);
    queue.add(stand);
    leaves.push(() => {
      queue.remove(stand);
      if (queue.size === 0 && joined.get(key) === queue) joined.delete(key);
    });
  }
  return ticket;
}

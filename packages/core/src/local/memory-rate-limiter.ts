import { checkCount } from "../check-count.js";
import { checkOptionNames } from "../check-option-names.js";
import type { RateLimiter, RateRequest, RateVerdict } from "../ports/rate-limiter.js";

/** Options of {@link createMemoryRateLimiter}. */
export interface MemoryRateLimiterOptions {
  /** How many keys are remembered; those that have been idle for a whole window go first. @defaultValue 100000 */
  maxKeys?: number;
}

/** Keys that one request looks at when there are too many: more than it can add. */
const LOOKS = 8;

/** The starts of one key that still count, oldest first from `head`. A permit that is not stamped counts as infinite. */
interface Log {
  readonly starts: number[];
  head: number;
  /** Granted and neither stamped nor cancelled. */
  open: number;
  /** The longest that anybody has counted over. */
  windowMs: number;
}

/**
 * An exact sliding log in this process's memory (S6.1). Hand the same limiter to every execution that shares a limit.
 * @throws EocError `invalid_option`
 */
export function createMemoryRateLimiter(options: MemoryRateLimiterOptions = {}): RateLimiter {
  checkOptionNames(options, { maxKeys: true });
  const { maxKeys = 100_000 } = options;
  checkCount("maxKeys", maxKeys, 1);
  const logs = new Map<string, Log>();

  const logOf = ({ key, windowMs }: RateRequest): Log => {
    let log = logs.get(key);
    if (log === undefined) {
      log = { starts: [], head: 0, open: 0, windowMs };
      logs.set(key, log);
    }
    if (windowMs > log.windowMs) log.windowMs = windowMs;
    return log;
  };

  let sweep = logs.entries();

  /** A few at a time, going on where it left off: when none is idle, to look at all of 100,000 would take milliseconds. */
  const forgetIdle = (nowMs: number) => {
    for (let looks = 0; looks < LOOKS && logs.size > maxKeys; looks++) {
      let next = sweep.next();
      if (next.done) {
        sweep = logs.entries();
        next = sweep.next();
      }
      const [key, log] = next.value!;
      expire(log, nowMs);
      if (log.open === 0 && log.starts.length === log.head) logs.delete(key);
    }
  };

  return {
    acquire(requests, nowMs): RateVerdict {
      // A list that grows from nothing makes room for seventeen.
      const taken = new Array<Log>(requests.length);
      let retryAfterMs = 0;
      for (let index = 0; index < requests.length; index++) {
        const request = requests[index]!;
        const log = logOf(request);
        taken[index] = log;
        retryAfterMs = Math.max(retryAfterMs, waitFor(log, request.limit, request.windowMs, nowMs));
      }
      const granted = retryAfterMs === 0;
      if (granted) for (const log of taken) log.open++;
      // Not before: what is taken now would be idle still.
      if (logs.size > maxKeys) forgetIdle(nowMs);
      return granted ? new Permit(taken) : { granted, retryAfterMs };
    },
  };
}

class Permit {
  readonly granted = true;
  readonly #logs: readonly Log[];
  #open = true;

  constructor(logs: readonly Log[]) {
    this.#logs = logs;
  }

  dispatched(nowMs: number): void {
    if (this.#close()) for (const log of this.#logs) insert(log, nowMs);
  }

  cancel(): void {
    this.#close();
  }

  /** False when it was stamped or handed back before. */
  #close(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    for (const log of this.#logs) log.open--;
    return true;
  }
}

/** Starts are stamped nearly in order: the place is found from the end. */
function insert(log: Log, startMs: number): void {
  const { starts, head } = log;
  let at = starts.length;
  while (at > head && starts[at - 1]! > startMs) at--;
  if (at === starts.length) starts.push(startMs);
  else starts.splice(at, 0, startMs);
}

/** Milliseconds until `limit` allows one more; 0 when it does now. Windows are half-open. */
function waitFor(log: Log, limit: number, windowMs: number, nowMs: number): number {
  expire(log, nowMs);
  let first = log.head;
  while (first < log.starts.length && log.starts[first]! + windowMs <= nowMs) first++;
  const counted = log.starts.length - first;
  const excess = counted + log.open - limit;
  if (excess < 0) return 0;
  // One more fits once so many of the oldest have left the window. Those not stamped yet cannot leave before a window is over.
  return excess < counted ? log.starts[first + excess]! + windowMs - nowMs : windowMs;
}

function expire(log: Log, nowMs: number): void {
  while (log.head < log.starts.length && log.starts[log.head]! + log.windowMs <= nowMs) log.head++;
  if (log.head > 32 && log.head * 2 > log.starts.length) {
    log.starts.splice(0, log.head);
    log.head = 0;
  }
}

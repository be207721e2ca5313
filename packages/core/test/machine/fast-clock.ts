import type { Clock } from "../../src/index.js";

/** Whose timer it is: the one under test must leave none behind, executors and ports may. */
export type Owner = "execute" | "world";

/** Virtual time for many thousand executions: nothing real is waited for but the end of all promise jobs. */
export interface FastClock {
  /** What `execute` is handed. */
  readonly clock: Clock;
  now(): number;
  sleep(ms: number): Promise<void>;
  at(ms: number, act: () => void): void;
  /** The wall clock steps; durations do not. */
  step(ms: number): void;
  /** Moves time until the promise settles. @throws when nothing can happen any more. */
  run<T>(promise: Promise<T>): Promise<T>;
  /** Moves time until no timer is left. */
  idle(): Promise<void>;
  pending(owner: Owner): number;
}

interface Timer {
  readonly dueMs: number;
  readonly owner: Owner;
  readonly callback: () => void;
}

export function createFastClock(startMs = 1_000_000): FastClock {
  const timers = new Set<Timer>();
  let ms = 0;
  let wallMs = startMs;

  const setTimer = (owner: Owner, callback: () => void, delayMs: number) => {
    const timer: Timer = { dueMs: ms + Math.max(0, delayMs), owner, callback };
    timers.add(timer);
    return () => void timers.delete(timer);
  };

  /** The earliest timer, the first set among equals. */
  const fireNext = (): boolean => {
    let next: Timer | undefined;
    for (const timer of timers) if (next === undefined || timer.dueMs < next.dueMs) next = timer;
    if (next === undefined) return false;
    timers.delete(next);
    ms = next.dueMs;
    next.callback();
    return true;
  };

  const promiseJobs = () => new Promise<void>((resolve) => setImmediate(resolve));

  return {
    clock: {
      now: () => wallMs + ms,
      monotonic: () => ms,
      setTimer: (callback, delayMs) => setTimer("execute", callback, delayMs),
    },
    now: () => ms,
    sleep: (delayMs) => new Promise((resolve) => setTimer("world", resolve, delayMs)),
    at: (delayMs, act) => void setTimer("world", act, delayMs),
    step: (byMs) => {
      wallMs += byMs;
    },
    run: async (promise) => {
      let isOver = false;
      const over = () => {
        isOver = true;
      };
      promise.then(over, over);
      for (await promiseJobs(); !isOver; await promiseJobs()) {
        if (!fireNext()) throw new Error(`nothing can happen any more, at ${ms} ms`);
      }
      return promise;
    },
    idle: async () => {
      do await promiseJobs();
      while (fireNext());
    },
    pending: (owner) => [...timers].filter((timer) => timer.owner === owner).length,
  };
}

import type { Clock } from "@eoc/core";

/** A clock that stands still until it is moved by hand: for tests in which real sockets say what happens next. */
export interface HandClock extends Clock {
  /** Moves time on, firing what comes due on the way, in order. */
  advance(ms: number): void;
  /** Armed timers. */
  readonly pending: number;
}

export function createHandClock(): HandClock {
  const timers = new Set<{ dueAt: number; callback: () => void }>();
  let nowMs = 0;
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    get pending() {
      return timers.size;
    },
    setTimer(callback, delayMs) {
      const timer = { dueAt: nowMs + delayMs, callback };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    advance(ms) {
      const end = nowMs + ms;
      while (true) {
        const [next] = [...timers].filter(({ dueAt }) => dueAt <= end).sort((a, b) => a.dueAt - b.dueAt);
        if (next === undefined) break;
        timers.delete(next);
        nowMs = Math.max(nowMs, next.dueAt);
        next.callback();
      }
      nowMs = end;
    },
  };
}

import type { Clock } from "../ports/clock.js";
import { type Deadline, DeadlineHeap } from "./deadline-heap.js";

/** The longest delay that a native timer can hold; a longer one would fire at once (S4.7). */
const LONGEST_NATIVE_MS = 2 ** 31 - 1;

/**
 * Calls back when this turn of the event loop is over. Where there is no telling, a few promise jobs later: as many as nested `async`
 * functions take to settle.
 */
function atEndOfTurn(callback: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown };
  if (setImmediate !== undefined) setImmediate(callback);
  else void SOON.then().then().then(callback);
}

const SOON = /* @__PURE__ */ Promise.resolve();

/** The timers of a clock for those who are deadlines themselves. Times are on its monotonic clock. */
export interface DeadlineTimers {
  add(deadline: Deadline): void;
  remove(deadline: Deadline): void;
}

const timers = new WeakMap<Clock, { setTimer: Clock["setTimer"]; deadlines: DeadlineTimers }>();

/** The timers behind a clock that {@link createSystemClock} made; undefined when somebody has replaced its `setTimer`. */
export function timersOf(clock: Clock): DeadlineTimers | undefined {
  const known = timers.get(clock);
  return known?.setTimer === clock.setTimer ? known?.deadlines : undefined;
}

/**
 * The machine's clock: `Date.now`, the monotonic `performance.now`, and timers of any length. However many are armed,
 * they share one native timer, and there is none while none is armed.
 */
export function createSystemClock(): Clock {
  const heap = new DeadlineHeap();
  let orders = 0;
  let willArm = false;
  let native: ReturnType<typeof setTimeout> | undefined;
  /** When the native timer is due. */
  let nativeAt = Number.POSITIVE_INFINITY;

  const disarm = () => {
    clearTimeout(native);
    native = undefined;
    nativeAt = Number.POSITIVE_INFINITY;
  };

  const arm = () => {
    const { first } = heap;
    if (first === undefined) {
      if (native !== undefined) disarm();
      return;
    }
    // A native timer that is due earlier than needed only looks once more.
    if (first.dueAt >= nativeAt) return;
    clearTimeout(native);
    nativeAt = first.dueAt;
    // Native timers count whole milliseconds and may be a fraction early.
    native = setTimeout(fire, Math.min(Math.ceil(Math.max(0, first.dueAt - performance.now())), LONGEST_NATIVE_MS));
  };

  const fire = () => {
    native = undefined;
    nativeAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    try {
      // Those that are armed on the way have to wait for the next turn, however soon they are due.
      const before = orders;
      for (let next = heap.first; next !== undefined && next.dueAt <= now; next = heap.first) {
        if (next.order > before) break;
        heap.remove(next);
        next.callback();
      }
    } finally {
      arm();
    }
  };

  /** What settles within this turn needs no native timer: most of their cost is setting and clearing. */
  const armAtEnd = () => {
    if (willArm) return;
    willArm = true;
    atEndOfTurn(() => {
      willArm = false;
      arm();
    });
  };

  const deadlines: DeadlineTimers = {
    add(deadline) {
      deadline.order = ++orders;
      heap.add(deadline);
      if (deadline.dueAt < nativeAt) armAtEnd();
    },
    remove(deadline) {
      heap.remove(deadline);
      if (heap.first === undefined && native !== undefined) disarm();
    },
  };

  const clock: Clock = {
    // biome-ignore lint/plugin: this is where the wall clock is read.
    now: () => Date.now(),
    monotonic: () => performance.now(),
    setTimer(callback, delayMs) {
      const deadline: Deadline = { dueAt: performance.now() + Math.max(0, delayMs), callback, order: 0, place: -1 };
      deadlines.add(deadline);
      return () => deadlines.remove(deadline);
    },
  };
  timers.set(clock, { setTimer: clock.setTimer, deadlines });
  return clock;
}

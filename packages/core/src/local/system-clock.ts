import type { Clock } from "../ports/clock.js";

/** The longest delay a native timer can hold; a longer one would fire at once (S4.7). */
const LONGEST_NATIVE_MS = 2 ** 31 - 1;

/** The machine's clock: `Date.now`, the monotonic `performance.now`, and native timers that may be of any length. */
export function createSystemClock(): Clock {
  return {
    // biome-ignore lint/plugin: this is where the wall clock is read.
    now: () => Date.now(),
    monotonic: () => performance.now(),
    setTimer(callback, delayMs) {
      const dueAt = performance.now() + delayMs;
      let native: ReturnType<typeof setTimeout>;
      const arm = () => {
        const remaining = dueAt - performance.now();
        // Native timers count whole milliseconds and may be a fraction early.
        if (remaining <= 0) callback();
        else native = setTimeout(arm, Math.min(Math.ceil(remaining), LONGEST_NATIVE_MS));
      };
      native = setTimeout(arm, Math.min(Math.ceil(Math.max(0, delayMs)), LONGEST_NATIVE_MS));
      return () => clearTimeout(native);
    },
  };
}

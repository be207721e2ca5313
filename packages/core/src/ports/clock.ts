/**
 * Where all time comes from (S4.7). `createSystemClock()` is the real one; `@eoc/testkit` has a virtual one.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. Used for timestamps and expiries only; it may step. */
  now(): number;
  /** Milliseconds since an arbitrary origin. Never goes back. Used for every duration. */
  monotonic(): number;
  /** Calls `callback` once, `delayMs` from now (any length, also above 2^31−1). Returns a function that cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void;
}

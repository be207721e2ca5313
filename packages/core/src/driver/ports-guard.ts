import type { Clock } from "../ports/clock.js";

/** What came of a call to a port. */
export type PortAnswer<T> = { ok: true; value: T } | { ok: false; error?: unknown };

export interface PendingAnswer<T> {
  readonly promise: PromiseLike<T>;
  readonly clock: Clock;
  /** How long the answer may take, from now. May throw, as clocks do. */
  readonly limitMs: () => number;
  /** Told once, in the caller's asynchronous context or, when the time is up, in the timer's. */
  readonly answer: (answer: PortAnswer<T>, timedOut: boolean) => void;
  /** Told of a value that came after the time was up. */
  readonly tooLate?: ((value: T) => void) | undefined;
}

/** Calls a port: whatever it throws or gives is an answer, unless it has to be waited for. */
export function callPort<T>(call: () => T | Promise<T>): PortAnswer<T> | { ok: undefined; promise: PromiseLike<T> } {
  try {
    const result = call();
    return isThenable(result) ? { ok: undefined, promise: result as PromiseLike<T> } : { ok: true, value: result };
  } catch (error) {
    return { ok: false, error };
  }
}

/** Waits for a port: whatever it rejects with or withholds becomes an answer within the limit (S4.1). */
export function awaitPort<T>({ promise, clock, limitMs, answer, tooLate }: PendingAnswer<T>): void {
  let open = true;
  const timeIsUp = () => {
    if (!open) return;
    open = false;
    answer({ ok: false }, true);
  };
  let cancel: (() => void) | undefined;
  try {
    cancel = clock.setTimer(timeIsUp, limitMs());
  } catch (error) {
    Promise.resolve(promise).then(tooLate, () => undefined); // Nobody waits for it.
    throw error;
  }
  const close = () => {
    const first = open;
    open = false;
    // What goes off all the same is not listened to.
    if (first) callUnheard(cancel);
    return first;
  };
  Promise.resolve(promise).then(
    (value) => {
      if (close()) answer({ ok: true, value }, false);
      else tooLate?.(value);
    },
    (error: unknown) => {
      if (close()) answer({ ok: false, error }, false);
    },
  );
}

/** May throw where a hostile getter does. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

/** Calls what nobody waits for: what it throws or rejects with is its own (S8.3). */
export function callUnheard<S>(call: ((this: S) => unknown) | undefined, self?: S): void {
  try {
    const answer = call?.call(self as S);
    if (isThenable(answer)) Promise.resolve(answer).catch(() => {});
  } catch {
    // Whoever needs to know learns it from what the port says next.
  }
}

/** Something that the engine will know later, and will give again, the same, whenever the handler is replayed. */
export interface Pending<T> {
  /** The engine's own promise. Nobody else looks at it. */
  readonly handle: unknown;
  /** Never there: it keeps the type. */
  readonly value?: T;
}

/** An operator has cancelled the invocation. */
export const CANCELLED = Symbol("cancelled");

/** What the driver needs of a durable engine: journaled steps, timers, and one order in which they come. */
export interface Engine {
  /** The same for every attempt of this invocation, and for no other. */
  readonly id: string;
  /** Aborts when this attempt of the handler is over: whatever it still does goes unrecorded. */
  readonly attemptOver: AbortSignal;
  /**
   * Runs `work`, which must not throw and gives plain JSON, unless its result is on record already. When the process dies
   * before the result is on record, `work` runs again.
   */
  step<T>(name: string, work: () => Promise<T>): Pending<T>;
  /** Fires `delayMs` from now, a whole number, whatever becomes of this process. */
  timer(name: string, delayMs: number): Pending<void>;
  /** What comes first: the same on every replay. `CANCELLED` where a cancel comes before all of them, once. */
  first(pending: readonly Pending<unknown>[]): Promise<{ index: number; value: unknown } | typeof CANCELLED>;
}

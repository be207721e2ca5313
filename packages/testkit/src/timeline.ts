import type { Waiting, WaitingTimer } from "./deadlock-error.js";
import { type ArmedTimer, TimerHeap } from "./timer-heap.js";

/** Says which of several timers that are due together fires first, by its place among them. */
export type PickTimer = (timers: readonly ArmedTimer[]) => number;

/** Virtual time itself: what the hour is, which timers are armed, and who is known to wait. It never moves by itself. */
export class Timeline {
  /** Grows with everything that happens here: two equal readings mean that nothing did. */
  activity = 0;
  /** Declared real work under way. */
  readonly holds = new Set<object>();
  #monotonicMs = 0;
  #wallOffsetMs: number;
  #armedEver = 0;
  readonly #timers = new TimerHeap();
  readonly #waiting = new Set<Waiting>();
  readonly #pick: PickTimer | undefined;

  constructor(startMs: number, pick?: PickTimer) {
    this.#wallOffsetMs = startMs;
    this.#pick = pick;
  }

  get monotonicMs(): number {
    return this.#monotonicMs;
  }

  get wallMs(): number {
    return this.#monotonicMs + this.#wallOffsetMs;
  }

  get armedCount(): number {
    return this.#timers.size;
  }

  /** When the next timer is due; infinite when there is none. */
  get nextDueMs(): number {
    return this.#timers.first?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  stepWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Arms a timer and returns how to cancel it. @throws RangeError when the delay is not a number. */
  arm(callback: () => void, delayMs: number, name?: string): () => void {
    if (typeof delayMs !== "number" || Number.isNaN(delayMs)) throw new RangeError("a delay must be a number");
    const dueMs = this.#monotonicMs + Math.max(0, delayMs);
    const timer: ArmedTimer = { dueMs, order: this.#armedEver++, callback, name, slot: -1 };
    this.activity++;
    this.#timers.add(timer);
    return () => {
      this.activity++;
      this.#timers.remove(timer);
    };
  }

  moveTo(monotonicMs: number): void {
    this.activity++;
    this.#monotonicMs = monotonicMs;
  }

  /** Moves to the earliest timer and calls it. */
  fireNext(): void {
    const timer = this.#pick === undefined ? this.#timers.first! : this.#picked(this.#pick);
    this.#timers.remove(timer);
    this.moveTo(timer.dueMs);
    timer.callback();
  }

  #picked(pick: PickTimer): ArmedTimer {
    const { dueMs } = this.#timers.first!;
    const tied = this.#timers.inOrder().filter((timer) => timer.dueMs === dueMs);
    return tied[pick(tied)]!;
  }

  /** Notes that somebody waits; the returned function notes that the wait is over. */
  noteWaiting(who: string, waitsFor: string): () => void {
    const row: Waiting = { who, waitsFor, sinceMs: this.#monotonicMs };
    this.activity++;
    this.#waiting.add(row);
    return () => {
      this.activity++;
      this.#waiting.delete(row);
    };
  }

  waiting(): Waiting[] {
    return [...this.#waiting];
  }

  armed(): WaitingTimer[] {
    return this.#timers.inOrder().map(({ dueMs, name }) => (name === undefined ? { dueMs } : { name, dueMs }));
  }
}

import type { Deadline } from "../local/deadline-heap.js";
import type { Attempt } from "./attempt.js";
import type { Driver } from "./driver.js";

/** What the driver holds of one action: its attempt, its timer, its value. */
export class Track implements Deadline {
  readonly #driver: Driver;
  readonly #action: number;
  dueAt = 0;
  order = 0;
  place = -1;
  /** How often the timer was set or cleared. */
  #changes = 0;
  #cancel: (() => void) | undefined;
  /** The last that was dispatched. */
  attempt: Attempt | undefined;
  /** What the executor, reconcile or a replayed record gave. */
  held: { readonly value: unknown } | undefined;

  /** @param action −1 stands for the execution itself. */
  constructor(driver: Driver, action: number) {
    this.#driver = driver;
    this.#action = action;
  }

  /** Sets the timer, in place of the one that was set: `at` is on the execution's time. */
  setTimer(at: number): void {
    this.clearTimer();
    const driver = this.#driver;
    driver.awaitOutside();
    if (driver.timers !== undefined) {
      this.dueAt = driver.startedAt + at;
      driver.timers.add(this);
      return;
    }
    const changes = this.#changes;
    const callback = () => {
      if (this.#changes === changes) this.callback();
    };
    this.#cancel = driver.clock.setTimer(callback, Math.max(0, at - driver.elapsed()));
  }

  clearTimer(): void {
    this.#changes++;
    if (this.place >= 0) this.#driver.timers!.remove(this);
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** The time has come. */
  callback(): void {
    const changes = this.#changes;
    this.#driver.postOutside(() => {
      // What else has happened in the meantime may have cleared or replaced it.
      if (this.#changes !== changes) return;
      this.#changes++;
      this.#cancel = undefined;
      this.#driver.post({ type: "timer", action: this.#action });
    });
  }
}

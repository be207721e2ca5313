import type { Settlement } from "../machine/outcome.js";
import { Alarm } from "./alarm.js";
import type { Attempt } from "./attempt.js";
import type { Driver } from "./driver.js";
import type { Claim } from "./key-keeper.js";

/** What the driver holds of one action: its attempt, its timer, its value. */
export class Track extends Alarm {
  readonly #driver: Driver;
  readonly #action: number;
  /** The last that was dispatched. */
  attempt: Attempt | undefined;
  /** What its executor has answered. */
  settlement: Settlement | undefined;
  /** The last that it was given of its key. */
  claim: Claim | undefined;
  /** What the executor, reconcile or a replayed record gave. */
  held: { readonly value: unknown } | undefined;

  /** @param action −1 stands for the execution itself. */
  constructor(driver: Driver, action: number) {
    super();
    this.#driver = driver;
    this.#action = action;
  }

  /** Sets the timer, in place of the one that was set: `at` is on the execution's time. */
  setTimer(at: number): void {
    this.#driver.awaitOutside();
    this.set(this.#driver, at);
  }

  clearTimer(): void {
    this.clear(this.#driver);
  }

  callback(): void {
    const { changes } = this;
    this.#driver.postOutside(() => {
      // What else has happened in the meantime may have cleared or replaced it.
      if (this.changes !== changes) return;
      this.spend();
      this.#driver.post({ type: "timer", action: this.#action });
    });
  }
}

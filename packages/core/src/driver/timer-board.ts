import type { Driver } from "./driver.js";

/** The machine's timers: at most one an action, and one of the execution's own (−1). */
export class TimerBoard {
  readonly #driver: Driver;
  readonly #armed = new Map<number, () => void>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  set(action: number, at: number): void {
    const driver = this.#driver;
    this.clear(action);
    driver.awaitOutside();
    const cancel = driver.clock.setTimer(
      () => {
        driver.deferOutside(() => {
          // What else has happened in the meantime may have cleared or replaced it.
          if (this.#armed.get(action) !== cancel) return;
          this.#armed.delete(action);
          driver.post({ type: "timer", action });
        });
      },
      Math.max(0, at - driver.elapsed()),
    );
    this.#armed.set(action, cancel);
  }

  clear(action: number): void {
    const cancel = this.#armed.get(action);
    if (cancel === undefined) return;
    this.#armed.delete(action);
    cancel();
  }

  clearAll(): void {
    for (const cancel of this.#armed.values()) cancel();
    this.#armed.clear();
  }
}

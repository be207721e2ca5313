import type { Deadline } from "../local/deadline-heap.js";
import type { DeadlineTimers } from "../local/system-clock.js";
import type { Clock } from "../ports/clock.js";
import { callUnheard } from "./ports-guard.js";

/** Whose time an alarm is on. */
export interface Timed {
  readonly clock: Clock;
  /** On the monotonic clock. */
  readonly startedAt: number;
  /** Where the clock is one that takes deadlines themselves. */
  readonly timers: DeadlineTimers | undefined;
}

/** Whole milliseconds since the start. */
export function elapsed({ clock, startedAt }: Timed): number {
  return Math.floor(clock.monotonic() - startedAt);
}

/** One timer that can be set again and again: a deadline by itself where the clock takes those. */
export abstract class Alarm implements Deadline {
  dueAt = 0;
  order = 0;
  place = -1;
  /** How often it was set or cleared. */
  protected changes = 0;
  #cancel: (() => void) | undefined;

  /** The time has come. It may be in anybody's asynchronous context. */
  abstract callback(): void;

  /** Sets the alarm, in place of the one that was set: `at` is on the execution's time. */
  protected set(timed: Timed, at: number): void {
    this.clear(timed);
    if (timed.timers !== undefined) {
      this.dueAt = timed.startedAt + at;
      timed.timers.add(this);
      return;
    }
    const { changes } = this;
    const callback = () => {
      if (this.changes === changes) this.callback();
    };
    this.#cancel = timed.clock.setTimer(callback, Math.max(0, at - elapsed(timed)));
  }

  /** Never throws. */
  protected clear({ timers }: Timed): void {
    this.changes++;
    if (this.place >= 0) timers!.remove(this);
    if (this.#cancel !== undefined) this.#callOff();
  }

  /** What goes off all the same is not listened to. */
  #callOff(): void {
    callUnheard(this.#cancel);
    this.#cancel = undefined;
  }

  /** It has gone off: there is nothing to cancel. */
  protected spend(): void {
    this.changes++;
    this.#cancel = undefined;
  }
}

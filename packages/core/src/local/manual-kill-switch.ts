import type { KillSwitch, KillSwitchState } from "../ports/kill-switch.js";
import { Fifo, Place } from "./fifo.js";

/** A kill switch of this process, thrown by hand. */
export interface ManualKillSwitch extends KillSwitch {
  read(): KillSwitchState;
  subscribe(listener: (state: KillSwitchState) => void): () => void;
  /** Halts every execution that watches it, and keeps new ones from dispatching. */
  halt(reason?: string): void;
  /** Lets new executions dispatch again. Those that saw the halt stay halted (S2.2). */
  clear(): void;
}

/** One subscription: who subscribes twice is called twice, and leaves once at a time. */
class Subscriber extends Place {
  readonly listener: (state: KillSwitchState) => void;

  constructor(listener: (state: KillSwitchState) => void) {
    super();
    this.listener = listener;
  }
}

/** A kill switch that is not halted, for one process. */
export function createManualKillSwitch(): ManualKillSwitch {
  const subscribers = new Fifo<Subscriber>();
  let state: KillSwitchState = Object.freeze({ halted: false });
  const change = (next: KillSwitchState) => {
    state = Object.freeze(next);
    for (const { listener } of [...subscribers]) {
      try {
        listener(state);
      } catch {
        // One listener's failure keeps none of the others from hearing of a halt.
      }
    }
  };
  return {
    read: () => state,
    subscribe(listener) {
      const subscriber = new Subscriber(listener);
      subscribers.add(subscriber);
      return () => subscribers.remove(subscriber);
    },
    halt: (reason) => change(reason === undefined ? { halted: true } : { halted: true, reason }),
    clear: () => change({ halted: false }),
  };
}

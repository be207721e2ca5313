import type { KillSwitch, KillSwitchState } from "../ports/kill-switch.js";

/** A kill switch of this process, thrown by hand. */
export interface ManualKillSwitch extends KillSwitch {
  read(): KillSwitchState;
  subscribe(listener: (state: KillSwitchState) => void): () => void;
  /** Halts every execution that watches it, and keeps new ones from dispatching. */
  halt(reason?: string): void;
  /** Lets new executions dispatch again. Those that saw the halt stay halted (S2.2). */
  clear(): void;
}

export function createManualKillSwitch(): ManualKillSwitch {
  const listeners = new Set<(state: KillSwitchState) => void>();
  let state: KillSwitchState = Object.freeze({ halted: false });
  const change = (next: KillSwitchState) => {
    state = Object.freeze(next);
    for (const listener of [...listeners]) {
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
      // A wrapper of its own, so that a listener that subscribes twice is called twice and leaves once at a time.
      const own = (next: KillSwitchState) => listener(next);
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },
    halt: (reason) => change(reason === undefined ? { halted: true } : { halted: true, reason }),
    clear: () => change({ halted: false }),
  };
}

import type { ExecuteOptions } from "../options.js";
import type { HaltCause } from "../report/events.js";
import { member } from "./port-desks.js";
import { callUnheard } from "./ports-guard.js";
import { joinSignal } from "./signal-hub.js";

/** What can stop an execution from outside is being watched. */
export interface StopWatch {
  /** Leaves no listener behind. Never throws. */
  readonly leave: () => void;
  /** A kill switch that could not be subscribed to could not be obeyed in flight: it counts as unreadable (S2.3). */
  readonly switchBroken: boolean;
}

/** Watches the caller's signal and the kill switch; undefined where there is nothing to watch. */
export function watchStops(options: ExecuteOptions, halt: (cause: HaltCause) => void): StopWatch | undefined {
  const { signal, killSwitch } = options;
  if (signal === undefined && killSwitch?.subscribe === undefined) return undefined;
  const leaveSignal = signal && joinSignal(signal, () => halt("cancelled"));
  let unsubscribe: unknown;
  let switchBroken = false;
  try {
    unsubscribe = killSwitch?.subscribe?.((state: unknown) => {
      // Whatever is not plainly "go on" stops.
      if (member(state, "halted") !== false) halt("kill_switch");
    });
  } catch {
    switchBroken = true;
  }
  return {
    switchBroken,
    leave: () => {
      leaveSignal?.();
      if (typeof unsubscribe === "function") callUnheard(unsubscribe as () => unknown);
    },
  };
}

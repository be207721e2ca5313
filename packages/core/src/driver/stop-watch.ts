import { Place } from "../local/fifo.js";
import type { ExecuteOptions } from "../options.js";
import type { KillSwitch } from "../ports/kill-switch.js";
import type { HaltCause } from "../report/events.js";
import { member } from "./port-desks.js";
import { callUnheard, isThenable } from "./ports-guard.js";
import { type Listener, SignalHub } from "./signal-hub.js";

/** Who can be stopped. */
export interface Stoppable {
  halt(cause: HaltCause): void;
}

/** Watches what can stop an execution from outside: the caller's signal and the kill switch. */
export class StopWatch extends Place implements Listener {
  /** Who stands for the execution at the moment. */
  owner: Stoppable;
  #hub: SignalHub | undefined;
  #unsubscribe: unknown;
  /** A kill switch that could not be subscribed to could not be obeyed in flight: it counts as unreadable (S2.3). */
  switchBroken = false;

  private constructor(owner: Stoppable) {
    super();
    this.owner = owner;
  }

  /** Undefined where there is nothing to watch. */
  static start({ signal, killSwitch }: ExecuteOptions, owner: Stoppable): StopWatch | undefined {
    if (signal === undefined && killSwitch?.subscribe === undefined) return undefined;
    const watch = new StopWatch(owner);
    if (signal !== undefined) {
      watch.#hub = SignalHub.of(signal);
      watch.#hub.join(watch);
    }
    if (killSwitch !== undefined) watch.#subscribe(killSwitch);
    return watch;
  }

  /** Somebody else stands for the execution from now on. */
  static handOver(watch: StopWatch | undefined, owner: Stoppable): StopWatch | undefined {
    if (watch !== undefined) watch.owner = owner;
    return watch;
  }

  #subscribe(killSwitch: KillSwitch): void {
    try {
      this.#unsubscribe = killSwitch.subscribe?.((state: unknown) => {
        // Whatever is not plainly "go on" stops.
        if (member(state, "halted") !== false) this.owner.halt("kill_switch");
      });
      // Whoever has still to find out whether he can be subscribed to does not watch yet.
      if (isThenable(this.#unsubscribe)) {
        this.switchBroken = true;
        Promise.resolve(this.#unsubscribe).then(
          (leave) => callUnheard(leave as () => unknown),
          () => {},
        );
      }
    } catch {
      this.switchBroken = true;
    }
  }

  onAbort(): void {
    this.owner.halt("cancelled");
  }

  /** Leaves no listener behind. Never throws. */
  leave(): void {
    this.#hub?.leave(this);
    if (typeof this.#unsubscribe === "function") callUnheard(this.#unsubscribe as () => unknown);
  }
}

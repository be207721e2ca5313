import { attempt, member } from "../live/limited.js";
import { readSwitch } from "./port-steps.js";
import type { Shop } from "./shop.js";

/** What a vigil ended with. */
export interface Vigil {
  readonly at: number;
  readonly halted: boolean;
}

/** Listens to the kill switch for `spanMs`, or until `over` aborts or a halt is heard of. */
export function listenForHalt(shop: Shop, spanMs: number, over: readonly AbortSignal[]): Promise<Vigil> {
  return new Promise((resolve) => {
    let leave: unknown;
    let open = true;
    const end = (halted: boolean) => {
      if (!open) return;
      open = false;
      cancel();
      for (const signal of over) signal.removeEventListener("abort", quiet);
      if (typeof leave === "function") attempt(leave as () => unknown);
      resolve({ at: shop.now(), halted });
    };
    const quiet = () => end(false);
    const cancel = shop.clock.setTimer(quiet, Math.max(0, spanMs));
    for (const signal of over) {
      if (signal.aborted) return quiet();
      signal.addEventListener("abort", quiet, { once: true });
    }
    attempt(() => {
      leave = shop.ports.killSwitch!.subscribe!((state: unknown) => {
        if (member(state, "halted") !== false) end(true);
      });
      // The halt may have come while it was subscribed to.
      if (!open && typeof leave === "function") attempt(leave as () => unknown);
    });
    // … or before: nobody listened between the last dispatch and this.
    void readSwitch(shop, shop.machine.policy.timeout.portTimeoutMs).then((verdict) => {
      if (verdict === "halted") end(true);
    });
  });
}

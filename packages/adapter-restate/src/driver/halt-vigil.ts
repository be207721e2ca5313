import { canSubscribe, subscribe } from "../live/limited.js";
import { readSwitch } from "./port-steps.js";
import type { Shop } from "./shop.js";

/** What a vigil ended with. */
export interface Vigil {
  readonly at: number;
  readonly halted: boolean;
}

/** Reads the kill switch once; one that is broken halts nobody. */
export async function lookForHalt(shop: Shop): Promise<Vigil> {
  const { machine, ports } = shop;
  const listens = canSubscribe(ports.killSwitch);
  const verdict = listens ? await readSwitch(shop, machine.policy.timeout.portTimeoutMs) : "unavailable";
  return { halted: verdict === "halted", at: shop.now() };
}

/** Listens to the kill switch for `spanMs`, or until `over` aborts or a halt is heard of. */
export function listenForHalt(shop: Shop, spanMs: number, over: readonly AbortSignal[]): Promise<Vigil> {
  return new Promise((resolve) => {
    let leave: (() => void) | undefined;
    let open = true;
    const end = (halted: boolean) => {
      if (!open) return;
      open = false;
      cancel();
      for (const signal of over) signal.removeEventListener("abort", quiet);
      leave?.();
      resolve({ at: shop.now(), halted });
    };
    const quiet = () => end(false);
    const cancel = shop.clock.setTimer(quiet, Math.max(0, spanMs));
    for (const signal of over) {
      if (signal.aborted) return quiet();
      signal.addEventListener("abort", quiet, { once: true });
    }
    leave = subscribe(shop.ports.killSwitch, () => end(true));
    // A switch that is broken denies whoever asks it (S2.3); it halts nobody.
    if (leave === undefined) return;
    // The halt may have come while it was subscribed to.
    if (!open) return leave();
    // … or before: nobody listened between the last dispatch and this.
    void readSwitch(shop, shop.machine.policy.timeout.portTimeoutMs).then((verdict) => {
      if (verdict === "halted") end(true);
    });
  });
}

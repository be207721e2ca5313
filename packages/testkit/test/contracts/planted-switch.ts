import { createManualKillSwitch, type KillSwitch } from "@eoc/core";
import type { ContractBench, KillSwitchUnderTest } from "@eoc/testkit";

/** What can be wrong with a switch. */
export type SwitchFault =
  | "says that all is well when it cannot know"
  | "answers something like true"
  | "forgets a halt"
  | "lets readers change its state"
  | "lets one listener's failure deafen the others"
  | "tells those who left"
  | "tells nobody"
  | "cannot be thrown twice"
  | "loses the reason"
  | "is one for all"
  | "forgets in the dark that it was thrown"
  | "tells its listeners in the dark that all is well";

let one: ReturnType<typeof createManualKillSwitch> | undefined;

/** A switch with at most one thing wrong with it. */
export function plantedSwitch(clock: ContractBench["clock"], fault?: SwitchFault): KillSwitchUnderTest {
  if (fault === "is one for all") one ??= createManualKillSwitch();
  const inner = fault === "is one for all" ? one! : createManualKillSwitch();
  const listeners: ((state: { halted: boolean }) => void)[] = [];
  let isDark = false;
  let haltedAtMs = Number.NaN;
  let halts = 0;
  const state: { halted: boolean; reason?: string } = { halted: false };
  const killSwitch: KillSwitch = {
    read: async () => {
      if (isDark) {
        if (fault === "says that all is well when it cannot know") return { halted: false };
        if (fault === "forgets in the dark that it was thrown" && inner.read().halted) return { halted: false };
        throw new Error("out of reach");
      }
      const { halted } = inner.read();
      if (fault === "lets readers change its state") return state;
      if (fault === "answers something like true") return { halted: (halted ? "yes" : "") as never };
      if (fault === "forgets a halt" && clock.monotonic() - haltedAtMs > 1000) return { halted: false };
      return fault === "loses the reason" ? { halted } : { ...inner.read() };
    },
    subscribe: (listener) => {
      if (fault === "tells nobody") return () => {};
      if (fault === "lets one listener's failure deafen the others") {
        listeners.push(listener);
        return () => void listeners.splice(listeners.indexOf(listener), 1);
      }
      const unsubscribe = inner.subscribe(listener);
      return fault === "tells those who left" ? () => {} : unsubscribe;
    },
  };
  return {
    killSwitch,
    halt: (reason) => {
      haltedAtMs = clock.monotonic();
      if (fault === "cannot be thrown twice" && halts++ > 0) return;
      inner.halt(reason);
      Object.assign(state, { halted: true, reason });
      try {
        for (const listener of listeners) listener({ halted: true });
      } catch {
        // The others are not told.
      }
    },
    clear: () => {
      inner.clear();
      Object.assign(state, { halted: false });
      for (const listener of listeners) listener({ halted: false });
    },
    goDark: () => {
      isDark = true;
      if (fault === "tells its listeners in the dark that all is well") inner.clear();
    },
  };
}

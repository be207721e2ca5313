import type { KillSwitch, KillSwitchState } from "@eoc/core";

/** Collects what a listener hears, and waits for it. */
export function listenTo(killSwitch: KillSwitch) {
  const heard: KillSwitchState[] = [];
  const waiting = new Set<() => void>();
  killSwitch.subscribe!((state) => {
    heard.push(state);
    for (const look of waiting) look();
  });
  const until = (isIt: (state: KillSwitchState | undefined) => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!isIt(heard.at(-1))) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { heard, until };
}

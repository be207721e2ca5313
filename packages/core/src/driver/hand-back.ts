import type { Command } from "../machine/commands.js";
import { step } from "../machine/machine.js";
import type { Machine } from "../machine/state.js";
import type { SharedSlots } from "./port-desks.js";
import type { Track } from "./track.js";

/** Gives back what was granted, and hears what was answered, in a moment of which a machine that is broken off was not told. */
export function handBack(
  machine: Machine,
  tracks: readonly (Track | undefined)[],
  slots: SharedSlots | undefined,
  carryOut: (commands: readonly Command[]) => void,
): void {
  for (const { index, unsettled, claimed, inDoubt, attempts } of machine.actions) {
    const track = tracks[index];
    const { settlement } = track ?? {};
    if (unsettled && settlement !== undefined) {
      const attempt = attempts.length - 1;
      carryOut(step(machine, { type: "settled", at: machine.at, action: index, attempt, settlement }));
    }
    if (!claimed) track?.claim?.giveBack(inDoubt !== undefined);
  }
  slots?.close(machine.actions.filter(({ inBulkhead }) => inBulkhead).length);
}

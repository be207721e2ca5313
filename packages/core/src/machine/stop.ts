import type { AbortCause } from "./commands.js";
import { conclude, refuse, stopReason } from "./conclude.js";
import { begin, onKey } from "./schedule.js";
import { abort, giveUp, giveUpUnasked, onReconciled, onRecorded } from "./settle.js";
import type { ActionState, Machine } from "./state.js";

/** Something has stopped the execution: ends every wait at once, and what has not begun (S2.4, S5.2). */
export function stopOthers(machine: Machine): void {
  if (!machine.stopping) return;
  machine.stopping = undefined;
  const reason = stopReason(machine)!;
  for (let index = 0; index < machine.next; index++) {
    const action = machine.actions[index]!;
    if (action.phase !== "done") stopAction(machine, action);
  }
  for (; machine.next < machine.actions.length; machine.next++) {
    const action = machine.actions[machine.next]!;
    begin(machine, action);
    conclude(machine, action, reason);
  }
  // Concluding others may have been the first failure of this execution; everybody has heard of it by now.
  machine.stopping = undefined;
}

function stopAction(machine: Machine, action: ActionState): void {
  switch (action.phase) {
    case "throttle":
    case "slot":
    case "queued":
    case "claim_wait":
    case "gate_wait":
    case "permit_wait":
    case "permit_line":
    case "backoff":
      return refuse(machine, action, stopReason(machine)!);
    case "in_flight":
      if (machine.broken) return giveUpUnasked(machine, action);
      if (machine.halt !== undefined && machine.policy.onHalt === "abort") abort(machine, action, abortCause(machine));
      return;
    case "grace":
      if (machine.broken) giveUpUnasked(machine, action);
      return;
    case "settlement":
      if (machine.broken) return giveUpUnasked(machine, action);
      if (machine.halt !== undefined) giveUp(machine, action);
      return;
    case "recording":
      if (machine.broken) onRecorded(machine, action, false);
      return;
    case "key":
      if (machine.broken) onKey(machine, action, undefined);
      return;
    case "reconcile":
      if (machine.broken) {
        onReconciled(machine, action, { type: "reconciled", at: machine.at, action: action.index, verdict: "unknown" });
      }
      return;
    default:
      // A port is being asked: its answer is needed to hand back what it may have granted. Unless no answer can be trusted.
      if (machine.broken) refuse(machine, action, stopReason(machine)!);
  }
}

function abortCause(machine: Machine): AbortCause {
  return machine.halt?.cause === "cancelled" ? "cancelled" : "halt";
}

/** An input did not fit: nothing that the driver says can be trusted any more. */
export function breakOff(machine: Machine): void {
  machine.broken = true;
  machine.stopping = true;
}

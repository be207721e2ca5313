import type { TerminalReason } from "../report/terminal-reason.js";
import { conclude, portLimit, refuse, stopped, unavailable } from "./conclude.js";
import type { Input } from "./inputs.js";
import { type ActionState, type AttemptState, deadlineOf, type Machine } from "./state.js";
import { emit, tell, timeOf } from "./transcript.js";

/* The end of the way: the kill switch, the last look, the dispatch (S5.5). */

export function loseClaim(machine: Machine, action: ActionState): void {
  action.claimLost = true;
  refuse(machine, action, "in_progress");
}

export function readSwitch(machine: Machine, action: ActionState): void {
  if (!machine.facts.hasKillSwitch) return dispatch(machine, action);
  action.phase = "switch";
  tell(machine, { type: "read_switch", action: action.index, limitAt: portLimit(machine) });
}

export function onSwitch(
  machine: Machine,
  action: ActionState,
  { verdict, heldUntil }: Input & { type: "switch" },
): void {
  if (stopped(machine, action)) return;
  if (heldUntil !== undefined) action.heldUntil = heldUntil;
  if (verdict === "open") dispatch(machine, action);
  else refuse(machine, action, unavailable(machine, "kill_switch_unavailable"));
}

/** With no wait in between: deadline, approval, dispatch. A cancel would have been fed before (S5.5). */
function dispatch(machine: Machine, action: ActionState): void {
  const reason = lastObjection(machine);
  if (reason !== undefined) return refuse(machine, action, reason);
  if (action.replay) return conclude(machine, action, "replayed");
  // The store's word was long on its way, or the switch's: somebody else may have been given the key.
  if (action.heldUntil !== undefined && machine.at >= action.heldUntil) return loseClaim(machine, action);
  const attempt = action.attempts.length;
  const limitAt = Math.min(machine.at + machine.policy.timeout.attemptTimeoutMs, deadlineOf(machine));
  const started: AttemptState = { startedAt: machine.at, latencyMs: 0, status: "running", basis: "none" };
  // Most actions are dispatched once: a list made of its first item has no room to spare.
  if (attempt === 0) action.attempts = [started];
  else action.attempts.push(started);
  action.phase = "in_flight";
  if (action.intended) action.intended = undefined;
  if (action.hasPermit) action.hasPermit = undefined;
  action.timerAt = limitAt;
  machine.yielded = true;
  tell(machine, { type: "dispatch", action: action.index, attempt, limitAt });
  if (!machine.facts.observed) return;
  emit(machine, {
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: "attempt.started",
    actionIndex: action.index,
    attemptNumber: attempt,
    limitMs: limitAt - machine.at,
  });
}

function lastObjection(machine: Machine): TerminalReason | undefined {
  if (machine.at >= deadlineOf(machine)) return "deadline_exceeded";
  const { approval } = machine.facts;
  if (approval === undefined) return undefined;
  if (!approval.matches) return "approval_mismatch";
  const wallMs = machine.wallMs ?? machine.facts.startedAtMs + machine.at;
  // A clock that gives no number gives nobody more time.
  return approval.expiresAtMs === undefined || wallMs < approval.expiresAtMs ? undefined : "approval_expired";
}

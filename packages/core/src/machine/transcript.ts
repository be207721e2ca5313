import type { ExecutionEvent, WaitCause } from "../report/events.js";
import type { Command } from "./commands.js";
import { type ActionState, deadlineOf, type Machine, NO_COMMANDS } from "./state.js";

/** When an event happened: start on the wall clock plus monotonic time since. */
export function timeOf({ facts, at }: Machine): number {
  return facts.startedAtMs + at;
}

/** Adds a command to the answer of the step. Most have one or two: a list that grows by pushing keeps room for sixteen more. */
export function tell(machine: Machine, command: Command): void {
  const { out } = machine;
  if (out === NO_COMMANDS) machine.out = [command];
  else if (out.length === 1) machine.out = [out[0]!, command];
  else out.push(command);
}

/** Events are frozen: listeners share them (S8.3). */
export function emit(machine: Machine, event: ExecutionEvent): void {
  if (machine.facts.observed) tell(machine, { type: "emit", event: Object.freeze(event) });
}

/** The attempt that the action is at, or is about to make. */
export function attemptNumber(action: ActionState): number {
  const made = action.attempts.length;
  return made > 0 && action.attempts[made - 1]!.status === "running" ? made - 1 : made;
}

/** The action waits for `cause` until `until`; without it, for something that has no time of its own, until the deadline. */
export function startWait(machine: Machine, action: ActionState, cause: WaitCause, until?: number): void {
  action.waitCause = cause;
  action.waitingSince = machine.at;
  setTimer(machine, action, until ?? deadlineOf(machine));
  emit(machine, {
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: "wait.started",
    actionIndex: action.index,
    attemptNumber: attemptNumber(action),
    cause,
    ...(until === undefined ? undefined : { untilMs: machine.facts.startedAtMs + until }),
  });
}

export function endWait(machine: Machine, action: ActionState): void {
  if (action.waitCause === undefined) return;
  clearTimer(machine, action);
  const waitedMs = machine.at - action.waitingSince!;
  if (action.waitCause !== "settlement") action.waitedMs += waitedMs;
  emit(machine, {
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: "wait.finished",
    actionIndex: action.index,
    attemptNumber: attemptNumber(action),
    cause: action.waitCause,
    waitedMs,
  });
  action.waitCause = undefined;
}

export function setTimer(machine: Machine, action: ActionState, at: number): void {
  action.timerAt = at;
  tell(machine, { type: "set_timer", action: action.index, at });
}

export function clearTimer(machine: Machine, action: ActionState): void {
  if (action.timerAt === undefined) return;
  action.timerAt = undefined;
  tell(machine, { type: "clear_timer", action: action.index });
}

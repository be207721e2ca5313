import type { ExecutionEvent, WaitCause } from "../report/events.js";
import type { ActionState, Machine } from "./state.js";

type Unstamped<T> = T extends unknown ? Omit<T, "seq" | "atMs" | "executionId"> : never;

/** Numbers and stamps one event. Events are frozen: listeners share them (S8.3). */
export function stamp(machine: Machine, body: Unstamped<ExecutionEvent>): ExecutionEvent {
  const { executionId, startedAtMs } = machine.facts;
  return Object.freeze({
    seq: machine.seq++,
    atMs: startedAtMs + machine.at,
    executionId,
    ...body,
  }) as ExecutionEvent;
}

export function emit(machine: Machine, body: Unstamped<ExecutionEvent>): void {
  if (machine.facts.observed) machine.out.push({ type: "emit", event: stamp(machine, body) });
}

/** The attempt that the action is at, or is about to make. */
export function attemptNumber(action: ActionState): number {
  const made = action.attempts.length;
  return made > 0 && action.attempts[made - 1]!.status === "running" ? made - 1 : made;
}

/** The action waits for `cause`, at the longest until `until`. */
export function startWait(machine: Machine, action: ActionState, cause: WaitCause, until: number): void {
  action.waitCause = cause;
  action.waitingSince = machine.at;
  setTimer(machine, action, until);
  emit(machine, {
    type: "wait.started",
    actionIndex: action.index,
    attemptNumber: attemptNumber(action),
    cause,
    untilMs: machine.facts.startedAtMs + until,
  });
}

export function endWait(machine: Machine, action: ActionState): void {
  if (action.waitCause === undefined) return;
  clearTimer(machine, action);
  const waitedMs = machine.at - action.waitingSince!;
  if (action.waitCause !== "settlement") action.waitedMs += waitedMs;
  emit(machine, {
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
  machine.out.push({ type: "set_timer", action: action.index, at });
}

export function clearTimer(machine: Machine, action: ActionState): void {
  if (action.timerAt === undefined) return;
  action.timerAt = undefined;
  machine.out.push({ type: "clear_timer", action: action.index });
}

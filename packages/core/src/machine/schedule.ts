import { makesKeys } from "../policy/makes-keys.js";
import { approach } from "./approach.js";
import { conclude, refuse, stopReason } from "./conclude.js";
import { type ActionState, deadlineOf, type Machine, NOBODY } from "./state.js";
import { emit, endWait, startWait, tell, timeOf } from "./transcript.js";

/**
 * Gives free slots away: first to actions that were dispatched before, then to the next of the plan (S5.1). One is sent on its way
 * at a time: what its ports answer at once, and what its executor causes, is heard before the next one.
 */
export function schedule(machine: Machine): void {
  while (stopReason(machine) === undefined) {
    if (machine.yielded) return;
    const free = machine.slotsUsed < machine.policy.maxConcurrency;
    const waiting = nextWaiting(machine);
    if (waiting !== undefined) {
      if (!free) return awaitSlot(machine);
      machine.slotQueueHead++;
      if (machine.at >= deadlineOf(machine)) {
        refuse(machine, waiting, "deadline_exceeded");
        continue;
      }
      takeSlot(machine, waiting);
      endWait(machine, waiting);
      machine.yielded = true;
      approach(machine, waiting);
    } else if (!beginNext(machine, free)) return;
  }
}

/** True when a free slot could be given to somebody right away. */
export function canBegin(machine: Machine): boolean {
  return machine.next < machine.actions.length || nextWaiting(machine) !== undefined;
}

/** Begins the next action of the plan; false when there is none, or no room. */
function beginNext(machine: Machine, free: boolean): boolean {
  const action = machine.actions[machine.next];
  // Nothing of the plan overtakes an action whose key is being made (S5.1).
  if (action === undefined || machine.actions[machine.next - 1]?.phase === "key") return false;
  if (machine.plan.actions[action.index]!.action === "HOLD") {
    machine.next++;
    begin(machine, action);
    conclude(machine, action, "hold");
    return true;
  }
  if (machine.at >= deadlineOf(machine)) {
    machine.next++;
    begin(machine, action);
    refuse(machine, action, "deadline_exceeded");
    return true;
  }
  if (!free || machine.throttled || !mayOpen(machine)) {
    if (machine.open === 0) setExecutionTimer(machine);
    return false;
  }
  machine.next++;
  takeSlot(machine, action);
  action.startedAt = machine.at;
  machine.open++;
  machine.yielded = true;
  prepareKey(machine, action);
  return true;
}

/**
 * Under `onFailure: "stop"` the later actions rest on the earlier ones: an action in backoff keeps its place, so that
 * nothing is begun which a failure of it would have kept from being begun.
 */
function mayOpen(machine: Machine): boolean {
  return machine.policy.onFailure === "continue" || machine.open < machine.policy.maxConcurrency;
}

/** Marks an action as begun that will not be dispatched, so that its end has a start in the transcript. */
export function begin(machine: Machine, action: ActionState): void {
  action.startedAt = machine.at;
  machine.open++;
  action.phase = "key";
  announce(machine, action);
}

function announce(machine: Machine, action: ActionState): void {
  if (!machine.facts.observed) return;
  const { id, action: name } = machine.plan.actions[action.index]!;
  emit(machine, {
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: "action.started",
    actionIndex: action.index,
    id,
    action: name,
    ...(action.key === undefined ? undefined : { idempotencyKey: action.key }),
  });
}

function prepareKey(machine: Machine, action: ActionState): void {
  action.phase = "key";
  const own = machine.plan.actions[action.index]!.idempotencyKey;
  if (own === undefined && makesKeys(machine.policy)) {
    tell(machine, { type: "derive_key", action: action.index });
  } else onKey(machine, action, own);
}

/** The action's key is known, or it has none. */
export function onKey(machine: Machine, action: ActionState, key: string | undefined): void {
  if (key !== undefined) action.key = key;
  announce(machine, action);
  const stop = stopReason(machine);
  if (stop !== undefined) return refuse(machine, action, stop);
  if (key === undefined && makesKeys(machine.policy)) {
    return refuse(machine, action, "invalid_idempotency_key");
  }
  const throttleMs = machine.facts.throttleMs ?? 0;
  if (throttleMs > machine.at) return throttle(machine, action, throttleMs);
  approach(machine, action);
}

/** The decision asks for a pause before its first dispatch (S1.7). */
function throttle(machine: Machine, action: ActionState, until: number): void {
  if (until >= deadlineOf(machine)) return refuse(machine, action, "deadline_exceeded");
  machine.throttled = true;
  action.phase = "throttle";
  startWait(machine, action, "throttle", until);
}

function takeSlot(machine: Machine, action: ActionState): void {
  action.hasSlot = true;
  machine.slotsUsed++;
}

function nextWaiting(machine: Machine): ActionState | undefined {
  const { slotQueue } = machine;
  while (machine.slotQueueHead < slotQueue.length) {
    const action = machine.actions[slotQueue[machine.slotQueueHead]!]!;
    if (action.phase === "slot") return action;
    machine.slotQueueHead++;
  }
  if (slotQueue.length > 0) {
    machine.slotQueue = NOBODY;
    machine.slotQueueHead = 0;
  }
  return undefined;
}

/** Those who have to wait say so, once, and are bounded by the deadline. */
function awaitSlot(machine: Machine): void {
  for (let i = machine.slotQueue.length - 1; i >= machine.slotQueueHead; i--) {
    const action = machine.actions[machine.slotQueue[i]!]!;
    if (action.phase !== "slot") continue;
    if (action.waitCause !== undefined) return; // Those before it were told when it was.
    startWait(machine, action, "slot", deadlineOf(machine));
  }
}

/** Nothing is under way that could go on, but executors that have not settled: the deadline is the next event. */
function setExecutionTimer(machine: Machine): void {
  if (machine.executionTimerAt !== undefined) return;
  machine.executionTimerAt = deadlineOf(machine);
  tell(machine, { type: "set_timer", action: -1, at: machine.executionTimerAt });
}

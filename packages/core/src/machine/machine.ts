import type { HaltCause } from "../report/events.js";
import type { ExecutionStatus } from "../report/execution-report.js";
import { summarize } from "../report/summary.js";
import { approach, onBulkhead, onClaim, onGates, onIntent, onKeyStarted, onPermit } from "./approach.js";
import type { Command } from "./commands.js";
import { conclude, refuse } from "./conclude.js";
import { onSwitch } from "./dispatch.js";
import type { Input } from "./inputs.js";
import { onRetryBudget, queueForSlot } from "./retry.js";
import { begin, canBegin, onKey, schedule } from "./schedule.js";
import { giveUp, onGraceOver, onLimit, onReconciled, onRecorded, onSettled } from "./settle.js";
import { type ActionState, type Machine, NO_COMMANDS, type Phase } from "./state.js";
import { breakOff, stopOthers } from "./stop.js";
import { emit, endWait, setTimer, tell, timeOf } from "./transcript.js";

type ActionInput = Extract<Input, { action: number }>;

/**
 * Takes one input and says what is to be done. Total and deterministic; it changes the machine alone and never throws:
 * an input that does not fit ends the execution, fail-closed, with `protocol_error`.
 */
export function step(machine: Machine, input: Input): Command[] {
  if (input.type === "resume") machine.yielded = false;
  const isDue = machine.yielded;
  const fits = accept(machine, input);
  if (machine.status === "running") {
    if (!fits) breakOff(machine);
    stopOthers(machine);
    schedule(machine);
    stopOthers(machine);
    if (machine.yielded && !isDue) askToResume(machine);
    if (machine.rows === machine.actions.length && machine.recording === 0) finish(machine);
  }
  const commands = machine.out;
  machine.out = NO_COMMANDS;
  return commands;
}

/** Only where there is somebody to go on with. */
function askToResume(machine: Machine): void {
  if (canBegin(machine)) tell(machine, { type: "yield" });
  else machine.yielded = false;
}

function accept(machine: Machine, input: Input): boolean {
  const isFirst = machine.status === "new";
  if (isFirst) announce(machine);
  if (!isInTime(machine, input) || isFirst !== (input.type === "start")) return machine.status === "finished";
  machine.at = input.at;
  if (machine.wallMs !== input.wallMs) machine.wallMs = input.wallMs;
  switch (input.type) {
    case "start":
      return start(machine);
    case "resume":
      return true;
    case "halt":
      return halt(machine, input.cause);
    case "listener_failed":
      return listenerFailed(machine, input.errorType);
    default:
      return forAction(machine, input);
  }
}

/** Time goes forward, and is a number: the state has to survive JSON. */
function isInTime(machine: Machine, { at, wallMs = 0 }: Input): boolean {
  return at >= machine.at && Number.isFinite(at) && Number.isFinite(wallMs);
}

/** Every transcript has a start, whatever the first input is. */
function announce(machine: Machine): void {
  machine.status = "running";
  if (!machine.facts.observed) return;
  const { planHash } = machine.plan;
  emit(machine, {
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: "execution.started",
    planHash,
    actionCount: machine.actions.length,
  });
}

function start(machine: Machine): boolean {
  const { verdict } = machine.facts;
  if (verdict !== undefined) {
    for (; machine.next < machine.actions.length; machine.next++) {
      const action = machine.actions[machine.next]!;
      begin(machine, action);
      conclude(machine, action, verdict.reason);
    }
  }
  return true;
}

function halt(machine: Machine, cause: HaltCause): boolean {
  if (machine.halt !== undefined || machine.status === "finished") return true;
  machine.halt = { cause, at: machine.at };
  machine.stopping = true;
  emit(machine, {
    seq: machine.seq++,
    atMs: timeOf(machine),
    executionId: machine.facts.executionId,
    type: "halt.observed",
    cause,
  });
  return true;
}

/** Told once: a listener that fails on being told would otherwise go on for ever. */
function listenerFailed(machine: Machine, errorType: string): boolean {
  if (!machine.listenerFailed)
    emit(machine, {
      seq: machine.seq++,
      atMs: timeOf(machine),
      executionId: machine.facts.executionId,
      type: "listener.failed",
      errorType,
    });
  machine.listenerFailed = true;
  return true;
}

function forAction(machine: Machine, input: ActionInput): boolean {
  if (input.type === "timer" && input.action === -1) return onExecutionTimer(machine);
  const action = machine.actions[input.action];
  if (action === undefined) return machine.status === "finished";
  if (input.type === "settled") {
    const expected = action.unsettled || AT_THE_EXECUTOR.includes(action.phase);
    if (!expected || input.attempt !== action.attempts.length - 1) return machine.status === "finished";
    onSettled(machine, action, input.settlement);
  } else if (input.type === "recorded") {
    if (!action.writing) return machine.status === "finished";
    onRecorded(machine, action, input.ok);
  } else if (machine.status === "running") {
    return input.type === "timer" ? onTimer(machine, action) : onAnswer(machine, action, input);
  }
  return true;
}

const AT_THE_EXECUTOR: readonly Phase[] = ["in_flight", "grace", "settlement"];

/** The answers of ports, each in the phase that asked. */
function onAnswer(machine: Machine, action: ActionState, input: ActionInput): boolean {
  const { phase } = action;
  switch (input.type) {
    case "key_derived":
      if (phase !== "key") return false;
      onKey(machine, action, input.key);
      return true;
    case "bulkhead":
      // Who is in the queue can only get in.
      if (phase !== "bulkhead" && !(phase === "queued" && input.verdict === "entered")) return false;
      onBulkhead(machine, action, input);
      return true;
    case "claim":
      if (phase !== "claim") return false;
      onClaim(machine, action, input.verdict);
      return true;
    case "gates":
      if (phase !== "gates") return false;
      onGates(machine, action, input.verdict);
      return true;
    case "permit":
      if (phase !== "permit") return false;
      onPermit(machine, action, input.verdict);
      return true;
    case "permit_turn":
      if (phase !== "permit_line") return false;
      endWait(machine, action);
      approach(machine, action);
      return true;
    case "intent":
      if (phase !== "intent") return false;
      onIntent(machine, action, input.ok);
      return true;
    case "key_started":
      if (phase !== "key_start") return false;
      onKeyStarted(machine, action, input);
      return true;
    case "switch":
      if (phase !== "switch") return false;
      if (input.verdict === "halted") halt(machine, "kill_switch");
      onSwitch(machine, action, input);
      return true;
    case "reconciled":
      if (phase !== "reconcile") return false;
      onReconciled(machine, action, input);
      return true;
    case "retry_budget":
      if (phase !== "retry_budget") return false;
      onRetryBudget(machine, action, input.verdict);
      return true;
    default:
      return false;
  }
}

function onTimer(machine: Machine, action: ActionState): boolean {
  const { timerAt } = action;
  if (timerAt === undefined) return false;
  if (machine.at < timerAt) {
    setTimer(machine, action, timerAt); // A clock may be a hair early.
    return true;
  }
  action.timerAt = undefined;
  switch (action.phase) {
    case "throttle":
      machine.throttled = undefined;
      // Nothing else is begun before it has had its answers.
      machine.yielded = true;
      endWait(machine, action);
      approach(machine, action);
      return true;
    case "slot":
    case "queued":
      refuse(machine, action, "deadline_exceeded");
      return true;
    case "claim_wait":
    case "gate_wait":
    case "permit_wait":
      endWait(machine, action);
      approach(machine, action);
      return true;
    case "permit_line":
      refuse(machine, action, "rate_limited");
      return true;
    case "backoff":
      endWait(machine, action);
      queueForSlot(machine, action);
      return true;
    case "in_flight":
      onLimit(machine, action);
      return true;
    case "grace":
      onGraceOver(machine, action);
      return true;
    default: // settlement
      giveUp(machine, action);
      return true;
  }
}

/** The deadline came while nothing could go on: the scheduler now denies what has not begun. */
function onExecutionTimer(machine: Machine): boolean {
  if (machine.executionTimerAt === undefined) return machine.status === "finished";
  if (machine.at < machine.executionTimerAt) {
    tell(machine, { type: "set_timer", action: -1, at: machine.executionTimerAt });
  } else machine.executionTimerAt = undefined;
  return true;
}

function finish(machine: Machine): void {
  machine.status = "finished";
  machine.yielded = false;
  machine.finishedAt = machine.at;
  if (machine.executionTimerAt !== undefined) tell(machine, { type: "clear_timer", action: -1 });
  machine.executionTimerAt = undefined;
  if (machine.facts.observed) {
    const finished = {
      seq: machine.seq++,
      atMs: timeOf(machine),
      executionId: machine.facts.executionId,
      type: "execution.finished" as const,
      status: "skipped" as ExecutionStatus,
      totalLatencyMs: 0,
      failClosed: false,
      planHash: machine.plan.planHash,
    };
    emit(machine, summarize(finished, machine));
  }
  tell(machine, { type: "finish", limitAt: machine.lastRowAt + machine.policy.timeout.portTimeoutMs });
}

import type { Command, Input } from "../../src/machine/index.js";
import type { ExecutionEvent } from "../../src/report/events.js";
import type { Account, Model } from "./model.js";
import { Violation } from "./trail.js";

/** Notes what an input says: what was granted, refused, settled or stopped. */
export function noteInput(model: Model, input: Input): void {
  if (input.type === "halt" || (input.type === "switch" && input.verdict === "halted")) model.halted = true;
  if (input.type === "resume") model.resumeDue = false;
  if (!("action" in input)) return;
  if (input.type === "timer") {
    const index = timerIndex(model, input.action);
    if (model.timers[index]! <= input.at) model.timers[index] = undefined;
    return;
  }
  const account = model.accounts[input.action];
  if (account === undefined) return;
  if (input.type === "settled") return noteSettlement(model, account, input);
  if (input.type === "permit_turn") {
    account.line = "place";
    return;
  }
  const question = model.questions[input.action];
  if (question === undefined) return;
  const queued = input.type === "bulkhead" && input.verdict === "queued";
  model.questions[input.action] = queued ? { ...question, limitAt: Number.POSITIVE_INFINITY } : undefined;
  noteAnswer(account, input, question.whileRunning);
}

function noteSettlement(model: Model, account: Account, { action, attempt, settlement }: Input & { type: "settled" }) {
  const at = model.running.findIndex((running) => running.action === action && running.attempt === attempt);
  if (at === -1) return;
  model.running.splice(at, 1);
  const row = model.machine.actions[action]!.row;
  if (row !== undefined) {
    account.settledLate = settlement.kind === "applied" || settlement.kind === "not_applied";
    return;
  }
  const { kind } = settlement;
  account.answer = kind === "not_applied" ? (settlement.retryable ? "retryable" : "final") : kind;
  if (kind === "applied" || kind === "not_applied") account.effects[attempt] = kind;
}

function noteAnswer(account: Account, input: Input, whileRunning: boolean): void {
  switch (input.type) {
    case "bulkhead":
      if (input.verdict !== "entered") return;
      account.bulkhead = true;
      account.approach.push("bulkhead");
      return;
    case "claim":
      if (input.verdict.state === "in_progress") {
        account.approach = [];
        account.doubt = "none";
      }
      if (input.verdict.state === "unknown") account.doubt = "found";
      if (input.verdict.state !== "claimed") return;
      if (account.doubt === "found") account.doubt = "held";
      account.claimed = true;
      account.approach.push("claim");
      return;
    case "gates":
      if (input.verdict.state === "allowed") account.approach.push("gates");
      else account.approach = [];
      return;
    case "permit":
      if (input.verdict.state !== "granted") {
        account.approach = [];
        return;
      }
      account.permit = true;
      account.approach.push("permit");
      return;
    case "intent":
      if (input.ok) account.approach.push("intent");
      return;
    case "key_started":
      if (input.verdict === "done") account.approach.push("key start");
      return;
    case "switch":
      if (input.verdict === "open") account.approach.push("switch");
      return;
    case "reconciled":
      noteReconciled(account, input, whileRunning);
      return;
    default:
  }
}

/** Reconcile speaks of the last dispatch; of a key found in doubt, where there was none. */
function noteReconciled(account: Account, { verdict }: Input & { type: "reconciled" }, whileRunning: boolean): void {
  const last = account.effects.length - 1;
  if (last === -1) {
    if (verdict === "not_applied" && account.doubt === "held") account.doubt = "cleared";
    return;
  }
  if (verdict === "applied") account.effects[last] = "applied";
  if (verdict !== "not_applied" || whileRunning) return;
  account.provedNotApplied = true;
  account.effects[last] = "not_applied";
}

/** Notes what a driver would do by a command: what is asked, armed, dispatched, handed back or put on record. */
export function noteCommand(model: Model, command: Command): void {
  switch (command.type) {
    case "emit":
      return noteEvent(model, command.event);
    case "set_timer":
      model.timers[timerIndex(model, command.action)] = command.at;
      return;
    case "clear_timer":
      model.timers[timerIndex(model, command.action)] = undefined;
      return;
    case "yield":
      model.resumeDue = true;
      return;
    case "refill_retries":
    case "finish":
      return;
    default:
      noteActionCommand(model, model.accounts[command.action]!, command);
  }
}

type ActionCommand = Exclude<
  Command,
  { type: "emit" | "set_timer" | "clear_timer" | "yield" | "refill_retries" | "finish" }
>;

function noteActionCommand(model: Model, account: Account, command: ActionCommand): void {
  const { action } = command;
  switch (command.type) {
    case "dispatch":
      if (account.dispatches === 0) model.firstDispatches.push(action);
      account.dispatches++;
      account.approach = [];
      account.effects.push("unknown");
      account.answer = "none";
      account.provedNotApplied = false;
      account.permit = false;
      delete account.abortedFor;
      model.running.push({ action, attempt: command.attempt });
      model.timers[action] = command.limitAt;
      return;
    case "abort":
      account.abortedFor = command.cause;
      return;
    case "join_line":
      account.line = command.behind ? "waits" : "place";
      if (command.behind) account.behindLeft--;
      return;
    case "leave_line":
      account.line = "none";
      account.behindLeft = 2;
      return;
    case "cancel_permit":
      account.permit = false;
      return;
    case "leave_bulkhead":
      account.bulkhead = false;
      return;
    case "abandon_bulkhead":
      model.questions[action] = undefined;
      return;
    case "record_key":
      account.writes.push(command.outcome);
      return ask(model, command);
    case "intend":
      noteEvent(model, command.event);
      return ask(model, command);
    default:
      ask(model, command);
  }
}

function ask(model: Model, command: ActionCommand): void {
  const { action } = command;
  const whileRunning = model.running.some((running) => running.action === action);
  // What has no limit is answered at once.
  const limitAt = "limitAt" in command ? command.limitAt : model.now;
  model.questions[action] = { command, limitAt, whileRunning };
}

/** Where a timer is kept; nowhere, if there is no such action. */
export function timerIndex({ machine: { actions } }: Model, action: number): number {
  if (action === -1) return actions.length;
  return actions[action] === undefined ? -1 : action;
}

/** What ends each start of the transcript (S8.1). */
const STARTED_BY: Partial<Record<ExecutionEvent["type"], string>> = {
  "execution.finished": "execution.started",
  "action.finished": "action.started",
  "wait.finished": "wait.started",
  "attempt.finished": "attempt.started",
  "attempt.withdrawn": "attempt.intended",
  "reconcile.finished": "reconcile.started",
};

const STARTS: ReadonlySet<string> = new Set(Object.values(STARTED_BY));

function noteEvent(model: Model, event: ExecutionEvent): void {
  model.nextSeq = event.seq + 1;
  const about = [
    "actionIndex" in event ? event.actionIndex : undefined,
    "attemptNumber" in event ? event.attemptNumber : undefined,
    "cause" in event && event.type !== "halt.observed" ? event.cause : undefined,
  ].join("/");
  // A dispatch is the end of its intent (S8.2).
  if (event.type === "attempt.started" && model.machine.facts.observed) end(model, `attempt.intended ${about}`);
  const startedBy = STARTED_BY[event.type];
  if (startedBy !== undefined) end(model, `${startedBy} ${about}`);
  if (!STARTS.has(event.type)) return;
  const start = `${event.type} ${about}`;
  if (model.openStarts.includes(start)) throw new Violation(`S8.1 one end for every start: ${start}`, model.trail);
  model.openStarts.push(start);
}

function end(model: Model, start: string): void {
  const at = model.openStarts.indexOf(start);
  if (at === -1) throw new Violation(`S8.1 an end without its start: ${start}`, model.trail);
  model.openStarts.splice(at, 1);
}

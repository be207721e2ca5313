import type { Command, Input } from "../../src/machine/index.js";
import { timerIndex } from "./ledger.js";
import type { Model, Question } from "./model.js";
import { answersOf } from "./scenario.js";

/** What may happen next: an input, or nothing until some time. */
export type Move = { readonly input: Input; readonly early?: true } | { readonly until: number; readonly lag?: true };

/** Everything that may happen next, by itself or as an answer. None: nothing will ever happen again. */
export function movesOf(model: Model): Move[] {
  const { machine, now: at } = model;
  const moves: Move[] = [];
  if (machine.status === "new") {
    moves.push({ input: { type: "start", at } });
    // The ports are subscribed to first.
    if (model.lagsLeft > 0) moves.push({ until: at + 1, lag: true });
    return moves;
  }
  for (const question of model.questions) {
    if (question !== undefined) for (const input of answersTo(model, question)) moves.push({ input });
  }
  model.accounts.forEach(({ line }, action) => {
    if (line === "waits") moves.push({ input: { type: "permit_turn", at, action } });
  });
  for (const { action, attempt } of model.running) {
    for (const settlement of answersOf(model.scenario, "settlement")) {
      moves.push({ input: { type: "settled", at, action, attempt, settlement } });
    }
  }
  if (machine.status === "finished") return moves;
  if (model.resumeDue) moves.push({ input: { type: "resume", at } });
  addTimers(model, moves);
  addInterruptions(model, moves);
  addTime(model, moves);
  return moves;
}

/** Timers come in the order in which they are due. */
function addTimers({ machine, timers, now: at, earlyTimersLeft }: Model, moves: Move[]): void {
  const first = Math.min(...timers.map((due) => due ?? Number.POSITIVE_INFINITY));
  timers.forEach((due, index) => {
    const action = index === machine.actions.length ? -1 : index;
    if (due === first && due <= at) moves.push({ input: { type: "timer", at, action } });
    else if (due !== undefined && due > at && earlyTimersLeft > 0) {
      moves.push({ input: { type: "timer", at, action }, early: true });
    }
  });
}

function addInterruptions({ scenario, haltsLeft, listenerMayFail, now: at }: Model, moves: Move[]): void {
  if (haltsLeft > 0) for (const cause of scenario.halts!) moves.push({ input: { type: "halt", at, cause } });
  if (listenerMayFail) moves.push({ input: { type: "listener_failed", at, errorType: "TypeError" } });
}

/** Time goes by once everything that is due has happened. With a lag, it goes past something. */
function addTime(model: Model, moves: Move[]): void {
  const { now, scenario, lagsLeft } = model;
  const next = nextMoment(model);
  if (next === Number.POSITIVE_INFINITY) return;
  if (next > now && !model.resumeDue) moves.push({ until: scenario.everyMs ? now + 1 : next });
  if (lagsLeft > 0) moves.push({ until: Math.max(next, now) + 1, lag: true });
}

/** The earliest moment at which something is due. */
function nextMoment({ timers, questions }: Model): number {
  let next = Number.POSITIVE_INFINITY;
  for (const due of timers) if (due !== undefined && due < next) next = due;
  for (const question of questions) if (question !== undefined && question.limitAt < next) next = question.limitAt;
  return next;
}

function answersTo(model: Model, { command, limitAt }: Question): Input[] {
  const { scenario, now: at } = model;
  const { action } = command;
  const stamp = { at, action };
  switch (command.type) {
    case "derive_key":
      return answersOf(scenario, "key").map((key) => ({
        type: "key_derived",
        ...stamp,
        ...(key === undefined ? undefined : { key: `${key}-${action}` }),
      }));
    case "enter_bulkhead": {
      const queued = limitAt === Number.POSITIVE_INFINITY;
      const verdicts = queued ? (["entered"] as const) : answersOf(scenario, "bulkhead");
      return verdicts.map((verdict) => ({ type: "bulkhead", ...stamp, verdict }));
    }
    case "claim_key":
      return answersOf(scenario, "claim").map((verdict) => ({ type: "claim", ...stamp, verdict }));
    case "ask_gates":
      return answersOf(scenario, "gates").map((verdict) => ({ type: "gates", ...stamp, verdict }));
    case "acquire_permit":
      return answersOf(scenario, "permit")
        .filter(({ state }) => state !== "behind" || model.accounts[action]!.behindLeft > 0)
        .map((verdict) => ({ type: "permit", ...stamp, verdict }));
    case "intend":
      return answersOf(scenario, "intent").map((ok) => ({ type: "intent", ...stamp, ok }));
    case "start_key":
      return answersOf(scenario, "keyStart").map((verdict) => ({ type: "key_started", ...stamp, verdict }));
    case "read_switch":
      return answersOf(scenario, "switch").map((verdict) => ({ type: "switch", ...stamp, verdict }));
    case "reconcile":
      return answersOf(scenario, "reconcile").map((verdict) => ({ type: "reconciled", ...stamp, verdict }));
    case "take_retry":
      return answersOf(scenario, "retryBudget").map((verdict) => ({ type: "retry_budget", ...stamp, verdict }));
    default:
      return answersOf(scenario, "record").map((ok) => ({ type: "recorded", ...stamp, ok }));
  }
}

/** Inputs that fit nowhere in this state: wrong in kind, in place or in time. */
export function misfits(model: Model): Input[] {
  const { machine, now: at } = model;
  const settlement = { kind: "applied" } as const;
  const inputs: Input[] = [
    { type: "start", at },
    { type: "resume", at },
    { type: "resume", at: Number.NaN },
    { type: "resume", at: Number.POSITIVE_INFINITY },
    { type: "resume", at, wallMs: Number.NaN },
    { type: "halt", at: machine.at - 1, cause: "cancelled" },
    { type: "timer", at, action: -1 },
    { type: "timer", at, action: machine.actions.length },
    { type: "intent", at, action: -1, ok: true },
    { type: "settled", at, action: 0.5, attempt: 0, settlement },
  ];
  for (const { index: action } of machine.actions) {
    const stamp = { at, action };
    const attempt = model.accounts[action]!.dispatches;
    inputs.push(
      { type: "key_derived", ...stamp, key: "x" },
      { type: "claim", ...stamp, verdict: { state: "claimed", token: 7 } },
      { type: "gates", ...stamp, verdict: { state: "allowed" } },
      { type: "permit", ...stamp, verdict: { state: "granted" } },
      { type: "permit_turn", ...stamp },
      { type: "intent", ...stamp, ok: true },
      { type: "key_started", ...stamp, verdict: "done" },
      { type: "switch", ...stamp, verdict: "open" },
      { type: "reconciled", ...stamp, verdict: "not_applied" },
      { type: "retry_budget", ...stamp, verdict: "granted" },
      { type: "recorded", ...stamp, ok: true },
      { type: "bulkhead", ...stamp, verdict: "entered" },
      { type: "bulkhead", ...stamp, verdict: "queued" },
      { type: "settled", ...stamp, attempt, settlement },
      { type: "settled", ...stamp, attempt: attempt - 1, settlement },
      { type: "timer", ...stamp },
    );
  }
  return inputs.filter((input) => !fits(model, input));
}

/** Whether a driver may feed this input now: something asked for it, or it happens by itself. */
export function fits(model: Model, input: Input): boolean {
  const { machine, running, timers, questions } = model;
  if (!(input.at >= machine.at && input.at < Number.POSITIVE_INFINITY && Number.isFinite(input.wallMs ?? 0)))
    return false;
  if (machine.status === "new" || input.type === "start") return machine.status === "new" && input.type === "start";
  if (!("action" in input)) return true;
  const { action } = input;
  if (input.type === "timer") return timers[timerIndex(model, action)] !== undefined;
  if (input.type === "permit_turn") return model.accounts[action]?.line === "waits";
  if (input.type === "settled") {
    return running.some((one) => one.action === action && one.attempt === input.attempt);
  }
  const question = questions[action];
  if (question === undefined || ANSWERS[question.command.type] !== input.type) return false;
  return input.type !== "bulkhead" || question.limitAt < Number.POSITIVE_INFINITY || input.verdict === "entered";
}

/** Which input answers which command. */
const ANSWERS: Partial<Record<Command["type"], Input["type"]>> = {
  derive_key: "key_derived",
  enter_bulkhead: "bulkhead",
  claim_key: "claim",
  ask_gates: "gates",
  acquire_permit: "permit",
  intend: "intent",
  start_key: "key_started",
  read_switch: "switch",
  reconcile: "reconciled",
  take_retry: "retry_budget",
  record_key: "recorded",
};

import type { Input } from "../../src/machine/index.js";
import { timerIndex } from "./ledger.js";
import type { Model, Question } from "./model.js";
import { answersOf } from "./scenario.js";

/** What may happen next: an input, or nothing until some time. */
export type Move = { readonly input: Input; readonly early?: true } | { readonly until: number; readonly lag?: true };

/** Everything that may happen next, by itself or as an answer. None: nothing will ever happen again. */
export function movesOf(model: Model): Move[] {
  const { machine, now: at } = model;
  if (machine.status === "new") return [{ input: { type: "start", at } }];
  const moves: Move[] = [];
  for (const question of model.questions) {
    if (question !== undefined) for (const input of answersTo(model, question)) moves.push({ input });
  }
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
      return answersOf(scenario, "permit").map((verdict) => ({ type: "permit", ...stamp, verdict }));
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
  const { length } = machine.actions;
  const inputs: Input[] = [
    { type: "start", at },
    { type: "resume", at: Number.NaN },
    { type: "resume", at: Number.POSITIVE_INFINITY },
    { type: "resume", at, wallMs: Number.NaN },
    { type: "timer", at, action: length },
    { type: "intent", at, action: -1, ok: true },
    { type: "settled", at, action: 0.5, attempt: 0, settlement: { kind: "applied" } },
  ];
  if (machine.at > 0) inputs.push({ type: "halt", at: machine.at - 1, cause: "cancelled" });
  if (model.timers[timerIndex(model, -1)] === undefined) inputs.push({ type: "timer", at, action: -1 });
  for (let action = 0; action < length; action++) inputs.push(...misfitsOf(model, action));
  return inputs;
}

function misfitsOf(model: Model, action: number): Input[] {
  const stamp = { at: model.now, action };
  const asked = model.questions[action];
  const queued = asked?.limitAt === Number.POSITIVE_INFINITY;
  const answers: Input[] = [
    { type: "key_derived", ...stamp, key: "x" },
    { type: "claim", ...stamp, verdict: { state: "claimed", token: 7 } },
    { type: "gates", ...stamp, verdict: { state: "allowed" } },
    { type: "permit", ...stamp, verdict: { state: "granted" } },
    { type: "intent", ...stamp, ok: true },
    { type: "key_started", ...stamp, verdict: "done" },
    { type: "switch", ...stamp, verdict: "open" },
    { type: "reconciled", ...stamp, verdict: "not_applied" },
    { type: "retry_budget", ...stamp, verdict: "granted" },
    { type: "recorded", ...stamp, ok: true },
    { type: "bulkhead", ...stamp, verdict: queued ? "queued" : "entered" },
  ];
  const unasked = answers.filter(({ type }) => type !== ANSWERS[asked?.command.type ?? ""] || (queued && type === "bulkhead"));
  const attempt = model.accounts[action]!.dispatches;
  for (const number of [attempt, attempt - 1]) {
    if (model.running.some((running) => running.action === action && running.attempt === number)) continue;
    unasked.push({ type: "settled", ...stamp, attempt: number, settlement: { kind: "applied" } });
  }
  if (model.timers[action] === undefined) unasked.push({ type: "timer", ...stamp });
  return unasked;
}

/** Which input answers which command. */
const ANSWERS: Record<string, Input["type"]> = {
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

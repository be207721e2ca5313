import { hash } from "node:crypto";
import { isAbnormal } from "../../src/machine/conclude.js";
import type { ActionState, AttemptState, Machine } from "../../src/machine/index.js";
import type { Model } from "./model.js";

/**
 * Names a state by all that what may follow depends on: models with the same key go on alike. Fields are left out by
 * name, so that a new one counts until somebody has thought about it.
 */
export function keyOf(model: Model): string {
  const { scenario, machine, accounts, questions, openStarts, trail, reported, nextSeq, ...rest } = model;
  const isFinished = machine.status === "finished" && !scenario.exact;
  return hash(
    "md5",
    JSON.stringify([
      isFinished ? [rest.running, rest.misled] : [rest, stateOf(machine, scenario.exact)],
      [...openStarts].sort(),
      questions.map((question) => question && [question.command.type, question.limitAt, question.whileRunning]),
      machine.actions.map((action) => {
        const account = accounts[action.index];
        if (scenario.exact) return [action, account];
        return isOver(model, action) ? endOf(action) : [openStateOf(action), account];
      }),
    ]),
    "base64",
  );
}

/** The machine's own state; without `exact`, times that only end up in the report are left out. */
function stateOf(machine: Machine, exact = false): unknown {
  const { plan, policy, facts, actions, out, seq, slotQueue, slotQueueHead, ...state } = machine;
  if (exact) return [slotQueue.slice(slotQueueHead), state];
  const { lastRowAt, halt, ...relevant } = state;
  // Until the last row is written, its time is yet to come.
  return [slotQueue.slice(slotQueueHead), relevant, halt?.cause, state.rows === actions.length && lastRowAt];
}

/** Nothing of the action is under way or may still come. */
function isOver({ questions, running }: Model, { index, phase }: ActionState): boolean {
  return phase === "done" && questions[index] === undefined && running.every(({ action }) => action !== index);
}

/** What the rest of the execution sees of an action that is over. */
function endOf(action: ActionState): unknown {
  const { status, reason } = action.row!;
  return [status, reason, isAbnormal(action)];
}

function openStateOf({ attempts, row, waitedMs, waitingSince, startedAt, ...action }: ActionState): unknown {
  return [action, row?.status, row?.reason, attempts.map(({ status }) => status), lastOf(attempts)];
}

function lastOf(attempts: readonly AttemptState[]): unknown {
  const last = attempts.at(-1);
  if (last?.status === "running") return last;
  return last && [last.basis, last.abortedFor, last.errorCode, last.late];
}

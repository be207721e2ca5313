import { type Executor, type ExecutorResult, isEocError, NotAppliedError, UnknownOutcomeError } from "@eoc/core";
import type { VirtualClock } from "@eoc/testkit";
import type { Scenario, Turn } from "./scenario.js";

const ONE_TURN: Turn = {
  does: "succeed",
  afterMs: 5,
  promises: true,
  retryAfterMs: undefined,
  onAbort: "ignore",
  afterAbortMs: 0,
};

/** A call of the executor or of reconcile, or an abort, as the outside sees it. */
export interface Sight {
  readonly action: number;
  readonly what: string;
  readonly atMs: number;
}

/** Does what the scenario says; tells `seen` of every call, and why it was aborted. */
export function executorOf(scenario: Scenario, clock: VirtualClock, seen: Sight[]): Executor {
  const { actions, reconciles, reconcileMs } = scenario;
  if (scenario.refused === "executor") return {} as never;
  const asked = new Map<number, number>();
  // A limit that is set anew in the middle of a millisecond is late by the rest of it, and no more (ADR 3).
  const see = (action: number, what: string) => seen.push({ action, what, atMs: Math.floor(clock.monotonic()) });
  return {
    execute: (_, { attempt, actionIndex, idempotencyKey, executionId, signal }) => {
      see(actionIndex, `${executionId} ${actionIndex} ${attempt} ${idempotencyKey}`);
      const turns = actions?.[actionIndex]?.turns ?? [ONE_TURN];
      const turn = turns[Math.min(attempt, turns.length - 1)]!;
      if (turn.does !== "hang" && turn.afterMs === 0) {
        return turn.promises ? new Promise((done) => done(answerOf(turn, actionIndex))) : answerOf(turn, actionIndex);
      }
      return new Promise((resolve, reject) => {
        const answer = () => {
          try {
            resolve(answerOf(turn, actionIndex));
          } catch (error) {
            reject(error);
          }
        };
        const stop = turn.does === "hang" ? () => {} : clock.setTimer(answer, turn.afterMs);
        signal.addEventListener("abort", () => {
          const { reason } = signal;
          see(actionIndex, `${actionIndex} ${attempt} aborted: ${isEocError(reason) ? reason.code : reason}`);
          if (turn.onAbort === "ignore") return;
          stop();
          const end = turn.onAbort === "throw" ? () => reject(reason) : answer;
          if (turn.afterAbortMs === 0) end();
          else clock.setTimer(end, turn.afterAbortMs);
        });
      });
    },
    ...(reconciles && {
      reconcile: async (_, { actionIndex, attempt }) => {
        const times = asked.get(actionIndex) ?? 0;
        asked.set(actionIndex, times + 1);
        see(actionIndex, `reconcile ${actionIndex} ${attempt}`);
        if (reconcileMs > 0) await clock.sleep(reconcileMs);
        const verdicts = actions?.[actionIndex]?.verdicts ?? ["unknown"];
        const state = verdicts[Math.min(times, verdicts.length - 1)]!;
        if (state === "throws") throw new RangeError("no answer");
        if (state === "nonsense") return "applied" as never;
        return state === "applied" ? { state, value: `reconciled ${actionIndex}` } : { state };
      },
    }),
  };
}

function answerOf({ does, retryAfterMs }: Turn, action: number): ExecutorResult {
  switch (does) {
    case "succeed":
      return { ok: true, value: { receipt: action } };
    case "reject":
      return { ok: false, code: "rejected", ...(retryAfterMs !== undefined && { retryAfterMs }) };
    case "refuse":
      return { ok: false, code: "refused", retryable: false };
    case "not_applied":
      throw new NotAppliedError("not_applied", { ...(retryAfterMs !== undefined && { retryAfterMs }) });
    case "throw":
      if (retryAfterMs !== undefined) throw new UnknownOutcomeError("lost", { retryAfterMs });
      throw new TypeError("secret");
    default:
      return "nonsense" as never;
  }
}

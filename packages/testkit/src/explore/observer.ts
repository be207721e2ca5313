import type { AttemptContext, ExecuteFn, ExecutionPolicy, Executor, ReconcileFn } from "@eoc/core";
import { finder, type Violation } from "../invariants/violation.js";
import { type Answer, answerOf, objectionTo, thrownAnswer } from "./answers.js";

/**
 * Sees for itself when the executor is called and when it has really ended, whatever events and reports say.
 */
export class Observer {
  readonly violations: Violation[] = [];
  /** Calls so far, by execution and action. */
  readonly #calls = new Map<string, number>();
  readonly #live = new Map<string, number>();
  /** What the executor said last, by execution and action. */
  readonly #answers = new Map<string, Answer>();
  readonly #find = finder(this.violations, "INV-EXE-2");
  readonly #findHalt = finder(this.violations, "INV-EXE-4");
  readonly #findRepeat = finder(this.violations, "INV-EXE-3");
  readonly #isHalted: () => boolean;
  readonly #monotonic: () => number;

  constructor(isHalted: () => boolean, monotonic: () => number) {
    this.#isHalted = isHalted;
    this.#monotonic = monotonic;
  }

  /** How often the executor was called for an action. */
  callsOf(executionId: string, actionIndex: number): number {
    return this.#calls.get(`${executionId}/${actionIndex}`) ?? 0;
  }

  /** The same executor, watched. `obeysSwitch`: the execution was given the switch that {@link Observer} knows. */
  watch(executor: Executor, policy: ExecutionPolicy, obeysSwitch: boolean): Executor {
    const original: ExecuteFn = typeof executor === "function" ? executor : executor.execute.bind(executor);
    const execute: ExecuteFn = (action, attempt) => {
      const end = this.#begin(attempt, policy, obeysSwitch);
      try {
        const answer = original(action, attempt);
        if (!isThenable(answer)) {
          end(answerOf(answer));
          return answer;
        }
        const promise = answer instanceof Promise ? answer : Promise.resolve(answer);
        promise.then(
          (result) => end(answerOf(result)),
          (error) => end(thrownAnswer(error)),
        );
        return promise;
      } catch (error) {
        end(thrownAnswer(error));
        throw error;
      }
    };
    const reconcile: ReconcileFn | undefined =
      typeof executor === "function" ? undefined : executor.reconcile?.bind(executor);
    return reconcile === undefined ? execute : { execute, reconcile };
  }

  #begin(
    { executionId, actionIndex, attempt }: AttemptContext,
    { maxConcurrency, retry }: ExecutionPolicy,
    obeysSwitch: boolean,
  ): (answer: Omit<Answer, "atMs">) => void {
    const key = `${executionId}/${actionIndex}`;
    this.#calls.set(key, (this.#calls.get(key) ?? 0) + 1);
    const objection = attempt > 0 ? objectionTo(this.#answers.get(key), this.#monotonic(), retry) : undefined;
    if (objection !== undefined) {
      this.#findRepeat(objection.clause, `${objection.message} (${executionId})`, { actionIndex });
    }
    if (obeysSwitch && this.#isHalted()) {
      this.#findHalt("S2.2", `the executor was called although the switch had halted (${executionId})`, {
        actionIndex,
      });
    }
    if ((this.#live.get(key) ?? 0) > 0) {
      this.#find("S4.3", `the executor was called while it was still at the same action (${executionId})`, {
        actionIndex,
      });
    }
    const inFlight = this.#count(executionId, 1);
    if (inFlight > maxConcurrency) {
      this.#find(
        "S4.4",
        `the executor was at ${inFlight} dispatches; maxConcurrency is ${maxConcurrency} (${executionId})`,
        { actionIndex },
      );
    }
    this.#count(key, 1);
    return (answer) => {
      this.#answers.set(key, { ...answer, atMs: this.#monotonic() });
      this.#count(key, -1);
      this.#count(executionId, -1);
    };
  }

  #count(key: string, by: 1 | -1): number {
    const count = (this.#live.get(key) ?? 0) + by;
    this.#live.set(key, count);
    return count;
  }
}

function isThenable(value: unknown): value is PromiseLike<never> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

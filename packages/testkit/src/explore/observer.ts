import type { ExecuteFn, ExecutionPolicy, Executor, ReconcileFn } from "@eoc/core";
import { finder, type Violation } from "../invariants/violation.js";

/**
 * Sees for itself when the executor is called and when it has really ended, whatever events and reports say.
 */
export class Observer {
  readonly violations: Violation[] = [];
  /** Calls so far, by execution and action. */
  readonly #calls = new Map<string, number>();
  readonly #live = new Map<string, number>();
  readonly #find = finder(this.violations, "INV-EXE-2");
  readonly #findHalt = finder(this.violations, "INV-EXE-4");
  readonly #isHalted: () => boolean;

  constructor(isHalted: () => boolean) {
    this.#isHalted = isHalted;
  }

  /** How often the executor was called for an action. */
  callsOf(executionId: string, actionIndex: number): number {
    return this.#calls.get(`${executionId}/${actionIndex}`) ?? 0;
  }

  /** The same executor, watched. `obeysSwitch`: the execution was given the switch that {@link Observer} knows. */
  watch(executor: Executor, policy: ExecutionPolicy, obeysSwitch: boolean): Executor {
    const original: ExecuteFn = typeof executor === "function" ? executor : executor.execute.bind(executor);
    const execute: ExecuteFn = (action, attempt) => {
      const end = this.#begin(attempt.executionId, attempt.actionIndex, policy.maxConcurrency, obeysSwitch);
      try {
        const answer = original(action, attempt);
        if (!isThenable(answer)) {
          end();
          return answer;
        }
        const promise = answer instanceof Promise ? answer : Promise.resolve(answer);
        promise.then(end, end);
        return promise;
      } catch (error) {
        end();
        throw error;
      }
    };
    const reconcile: ReconcileFn | undefined =
      typeof executor === "function" ? undefined : executor.reconcile?.bind(executor);
    return reconcile === undefined ? execute : { execute, reconcile };
  }

  #begin(executionId: string, actionIndex: number, maxConcurrency: number, obeysSwitch: boolean): () => void {
    const key = `${executionId}/${actionIndex}`;
    this.#calls.set(key, (this.#calls.get(key) ?? 0) + 1);
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
    return () => {
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

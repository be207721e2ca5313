import type { Command } from "../machine/commands.js";
import { errorTypeOf, judgeResult, judgeThrown, type Settlement } from "../machine/outcome.js";
import type { ExecuteFn, ReconcileFn } from "../ports/executor.js";
import { Attempt } from "./attempt.js";
import type { Driver } from "./driver.js";
import { member } from "./port-desks.js";
import { isThenable } from "./ports-guard.js";

/** Calls the executor; its answer, whenever it comes, is fed once. False when it has answered at once. */
export function dispatch(
  driver: Driver,
  execute: ExecuteFn,
  { action, attempt, limitAt }: Command & { type: "dispatch" },
): boolean {
  const handed = new Attempt(driver, action, attempt, limitAt);
  const resolved = (result: unknown) => settle(driver, handed, judgeResult(result), result);
  const rejected = (error: unknown) => settle(driver, handed, judgeThrown(error), undefined);
  try {
    const result: unknown = execute(driver.machine.plan.actions[action]!, handed);
    if (!isThenable(result)) {
      resolved(result);
      return false;
    }
    driver.track(action).attempt = handed;
    // Only a native promise is sure to continue in this context, and once.
    const promise = result instanceof Promise ? result : Promise.resolve(result);
    promise.then(resolved, rejected);
    return true;
  } catch (error) {
    rejected(error);
    return false;
  }
}

function settle(driver: Driver, handed: Attempt, settlement: Settlement, answer: unknown): void {
  if (!Attempt.settle(handed)) return;
  const { actionIndex: action, attempt } = handed;
  if (settlement.kind === "applied") driver.hold(action, answer);
  driver.post({ type: "settled", action, attempt, settlement });
}

/** Asks the outside world what became of an attempt. */
export function reconcile(
  driver: Driver,
  ask: ReconcileFn,
  { action, attempt, limitAt }: Command & { type: "reconcile" },
): void {
  const handed = new Attempt(driver, action, attempt, limitAt);
  driver.ask(
    () => ask(driver.machine.plan.actions[action]!, handed) as unknown,
    limitAt,
    (result) => {
      Attempt.abort(handed, "deadline");
      const state = result.ok ? member(result.value, "state") : undefined;
      if (state === "applied" && result.ok) driver.hold(action, result.value);
      return {
        type: "reconciled",
        action,
        verdict: state === "applied" || state === "not_applied" ? state : "unknown",
        ...(result.ok || result.error === undefined ? undefined : { errorType: errorTypeOf(result.error) }),
      };
    },
  );
}

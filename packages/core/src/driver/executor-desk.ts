import type { Command } from "../machine/commands.js";
import { errorTypeOf, judgeResult, judgeThrown, type Settlement } from "../machine/outcome.js";
import type { PlannedAction } from "../plan.js";
import type { ExecuteFn, ReconcileFn } from "../ports/executor.js";
import { Attempt } from "./attempt.js";
import type { Driver } from "./driver.js";
import { member } from "./port-desks.js";
import { isThenable } from "./ports-guard.js";

/** Who has the executor called. */
export interface Caller {
  /** The executor has answered, whenever that was. Is called once. */
  settled(handed: Attempt, settlement: Settlement, answer: unknown): void;
}

/** Calls the executor and tells `caller` of its first answer: within the call, or else (true) later. */
export function callExecutor(caller: Caller, execute: ExecuteFn, action: PlannedAction, handed: Attempt): boolean {
  const resolved = (result: unknown) => settle(caller, handed, judgeResult(result), result);
  const rejected = (error: unknown) => settle(caller, handed, judgeThrown(error), undefined);
  try {
    const result: unknown = execute(action, handed);
    if (!isThenable(result)) {
      resolved(result);
      return false;
    }
    // Only a native promise is sure to continue in this context, and once.
    const promise = result instanceof Promise ? result : Promise.resolve(result);
    promise.then(resolved, rejected);
    return true;
  } catch (error) {
    rejected(error);
    return false;
  }
}

function settle(caller: Caller, handed: Attempt, settlement: Settlement, answer: unknown): void {
  if (Attempt.settle(handed)) caller.settled(handed, settlement, answer);
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

import { type Clock, definePolicy, type ExecutionPlan, type ExecutionPolicyInput, type PlannedAction } from "@eoc/core";
import type { ScriptedExecutor } from "./scripted-executor.js";

/** What a naive retry loop believes about one action. */
export interface NaiveOutcome {
  actionId: string;
  dispatches: number;
  /** What it would report; the world knows better. */
  succeeded: boolean;
}

/**
 * Runs a plan the way common retry libraries do, for comparison: a timeout means "did not happen", whatever is thrown
 * means "did not happen", and the next attempt starts while the last may still be under way. Give it an executor and a
 * world of its own, made from the same script as those of `execute`, and lay the two ledgers side by side.
 */
export async function naiveRetry(
  plan: ExecutionPlan,
  policy: ExecutionPolicyInput,
  executor: Pick<ScriptedExecutor, "execute">,
  { clock }: { clock: Clock },
): Promise<NaiveOutcome[]> {
  const { retry, timeout } = definePolicy(policy);
  const outcomes: NaiveOutcome[] = [];
  for (const action of plan.actions) {
    const outcome: NaiveOutcome = { actionId: action.id, dispatches: 0, succeeded: false };
    outcomes.push(outcome);
    while (!outcome.succeeded && outcome.dispatches <= retry.maxRetries) {
      if (outcome.dispatches > 0) {
        const growth = retry.initialBackoffMs * retry.backoffMultiplier ** (outcome.dispatches - 1);
        await after(clock, Math.min(growth, retry.maxBackoffMs));
      }
      outcome.succeeded = await attemptWithTimeout(
        action,
        outcome.dispatches++,
        executor,
        clock,
        timeout.attemptTimeoutMs,
      );
    }
  }
  return outcomes;
}

async function attemptWithTimeout(
  action: PlannedAction,
  attempt: number,
  { execute }: Pick<ScriptedExecutor, "execute">,
  clock: Clock,
  limitMs: number,
): Promise<boolean> {
  const controller = new AbortController();
  let disarm = () => {};
  const timedOut = new Promise<boolean>((resolve) => {
    disarm = clock.setTimer(() => {
      controller.abort(new Error("timeout"));
      resolve(false);
    }, limitMs);
  });
  const answered = Promise.resolve(
    execute(action, {
      signal: controller.signal,
      attempt,
      ...(action.idempotencyKey === undefined ? undefined : { idempotencyKey: action.idempotencyKey }),
      deadlineMs: clock.monotonic() + limitMs,
      context: {},
      executionId: "naive",
      actionIndex: action.index,
    }),
  ).then(
    (result) => result?.ok === true,
    () => false,
  );
  const succeeded = await Promise.race([answered, timedOut]);
  disarm();
  return succeeded;
}

function after(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(resolve, delayMs);
  });
}

import {
  bulkhead,
  handleAll,
  type ICancellationContext,
  type IPolicy,
  retry,
  TimeoutStrategy,
  timeout,
  wrap,
} from "cockatiel";

export type CockatielForm = "default" | "tuned";

/**
 * Retry, slots and an attempt limit. By default its timeout aborts the signal of every attempt that has returned, with an
 * error made for it; tuned it does not.
 */
export function createCockatiel(form: CockatielForm, slots = 64): IPolicy<ICancellationContext> {
  const limit =
    form === "default"
      ? timeout(5000, TimeoutStrategy.Aggressive)
      : timeout(5000, { strategy: TimeoutStrategy.Cooperative, abortOnReturn: false });
  return wrap(bulkhead(slots, Number.POSITIVE_INFINITY), retry(handleAll, { maxAttempts: 3 }), limit);
}

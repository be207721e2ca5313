import { setTimeout as sleep } from "node:timers/promises";
import { planExecution } from "@eoc/core";
import type { Scenario } from "../scenario/scenario.js";
import type { World } from "./world.js";

/** What naive retry believes at the end. */
export type NaiveBelief = "success" | "failed" | "skipped";

/** Hears of every attempt as it begins; what is returned hears how it ended. */
export type WatchAttempt = (actionId: string) => (came: "ok" | "refused" | "no_reply" | "timeout") => void;

/**
 * What most retry loops do, for comparison: a timeout or a network error means "did not happen", so try again. Takes limits and
 * backoff from the same policy and obeys `allowed` and `HOLD`; knows no idempotency key, no `Retry-After` and no kill switch. A process
 * that died is started again from the top.
 */
export async function runNaively(
  scenario: Pick<Scenario, "decision" | "policy" | "restartAfterMs">,
  world: Pick<World, "url" | "crash">,
  watch: WatchAttempt = () => () => {},
): Promise<NaiveBelief> {
  const dead = new AbortController();
  const again = world.crash.then(async () => {
    dead.abort();
    await sleep(scenario.restartAfterMs);
    return tryAll(scenario, world, new AbortController().signal, watch);
  });
  const first = tryAll(scenario, world, dead.signal, watch);
  return Promise.race([again, first.then((belief) => (dead.signal.aborted ? again : belief))]);
}

async function tryAll(
  { decision, policy }: Pick<Scenario, "decision" | "policy">,
  world: Pick<World, "url">,
  death: AbortSignal,
  watch: WatchAttempt,
): Promise<NaiveBelief> {
  const planned = decision.allowed ? planExecution(decision, policy).actions : [];
  const actions = planned.filter(({ action }) => action !== "HOLD");
  if (actions.length === 0) return "skipped";

  const { maxRetries, initialBackoffMs, backoffMultiplier, maxBackoffMs } = policy.retry;
  for (const { id, params } of actions) {
    let done = false;
    for (let attempt = 0; !done && attempt <= maxRetries; attempt++) {
      if (attempt > 0) await sleep(Math.min(initialBackoffMs * backoffMultiplier ** (attempt - 1), maxBackoffMs));
      if (death.aborted) return "failed";
      const ended = watch(id);
      try {
        const response = await fetch(`${world.url}/${encodeURIComponent(id)}`, {
          method: "POST",
          body: JSON.stringify(params),
          signal: AbortSignal.any([AbortSignal.timeout(policy.timeout.attemptTimeoutMs), death]),
        });
        await response.text();
        done = response.ok;
        ended(done ? "ok" : "refused");
      } catch (error) {
        ended((error as Error).name === "TimeoutError" ? "timeout" : "no_reply");
        // "It did not happen."
      }
    }
    if (!done) return "failed";
  }
  return "success";
}

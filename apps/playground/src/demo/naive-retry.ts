import { setTimeout as sleep } from "node:timers/promises";
import { type ExecutionPolicy, planExecution } from "@eoc/core";
import type { FinalDecision } from "@eoc/decision-schema";
import type { World } from "./world.js";

/** What naive retry believes at the end. */
export type NaiveBelief = "success" | "failed" | "skipped";

/**
 * What most retry loops do, for comparison: a timeout or a network error means "did not happen", so try again. Takes limits and
 * backoff from the same policy and obeys `allowed` and `HOLD`; knows no idempotency key, no `Retry-After` and no kill switch.
 */
export async function runNaively(decision: FinalDecision, policy: ExecutionPolicy, world: World): Promise<NaiveBelief> {
  const planned = decision.allowed ? planExecution(decision, policy).actions : [];
  const actions = planned.filter(({ action }) => action !== "HOLD");
  if (actions.length === 0) return "skipped";

  const { maxRetries, initialBackoffMs, backoffMultiplier, maxBackoffMs } = policy.retry;
  for (const { id, params } of actions) {
    let done = false;
    for (let attempt = 0; !done && attempt <= maxRetries; attempt++) {
      if (attempt > 0) await sleep(Math.min(initialBackoffMs * backoffMultiplier ** (attempt - 1), maxBackoffMs));
      try {
        const response = await fetch(`${world.url}/${encodeURIComponent(id)}`, {
          method: "POST",
          body: JSON.stringify(params),
          signal: AbortSignal.timeout(policy.timeout.attemptTimeoutMs),
        });
        await response.text();
        done = response.ok;
      } catch {
        // "It did not happen."
      }
    }
    if (!done) return "failed";
  }
  return "success";
}

import type { Answer } from "./attempt.ts";
import { isDecision } from "./full-floor.ts";

/** A decision of one action with a key of its own. */
export interface KeyedDecision {
  readonly action: string;
  readonly params?: object;
  readonly key: string;
}

export interface ReplayReport {
  readonly executionId: string;
  readonly status: "success" | "failed" | "denied";
  readonly code: string | undefined;
  readonly actions: readonly { readonly key: string; readonly replayed: boolean; readonly value: unknown }[];
  readonly startedAtMs: number;
  readonly totalLatencyMs: number;
}

/**
 * A replay by hand: a decision that is checked, a key that is looked up in a `Map`, what was done under it compared with what is to be
 * done, and a report with a row. No leases, no digests, and what runs twice at once runs twice.
 */
export function createReplayFloor(): (decision: KeyedDecision, task: () => Promise<Answer>) => Promise<ReplayReport> {
  const records = new Map<string, { readonly fingerprint: string; readonly value: unknown }>();
  let executions = 0;

  function report(
    { key }: KeyedDecision,
    status: ReplayReport["status"],
    code: string | undefined,
    replayed: boolean,
    value: unknown,
    startedAt: number,
  ): ReplayReport {
    return {
      executionId: `floor-${++executions}`,
      status,
      code,
      actions: [{ key, replayed, value }],
      startedAtMs: performance.timeOrigin + startedAt,
      totalLatencyMs: performance.now() - startedAt,
    };
  }

  return async (decision, task) => {
    const startedAt = performance.now();
    if (!isDecision(decision)) return report(decision, "denied", "invalid_decision", false, undefined, startedAt);
    const fingerprint = JSON.stringify([decision.action, decision.params]);
    const record = records.get(decision.key);
    if (record?.fingerprint === fingerprint)
      return report(decision, "success", undefined, true, record.value, startedAt);
    if (record !== undefined) return report(decision, "denied", "idempotency_conflict", false, undefined, startedAt);
    const answer = await task();
    if (!answer.ok) return report(decision, "failed", answer.code, false, undefined, startedAt);
    records.set(decision.key, { fingerprint, value: answer.value });
    return report(decision, "success", undefined, false, answer.value, startedAt);
  };
}

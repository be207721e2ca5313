import { type ExecutionPlan, type ExecutionPolicy, explainPolicy } from "@eoc/core";

/** What a valid policy says that its author may not have meant, or that it needs. One sentence each. */
export function notesOn(policy: ExecutionPolicy, plan?: ExecutionPlan): string[] {
  const { retry, timeout, rateLimit, idempotency, defaultEffect } = policy;
  const { maxDispatchesPerAction, maxBackoffMs } = explainPolicy(policy);
  const notes: string[] = [];
  if (timeout.attemptTimeoutMs === 0) {
    notes.push(
      "attemptTimeoutMs is 0, which is no time and not no limit: what is not answered at once is dispatched, and unknown.",
    );
  }
  if (timeout.attemptTimeoutMs > timeout.maxTotalTimeMs) {
    notes.push(
      `no attempt can take attemptTimeoutMs (${timeout.attemptTimeoutMs}): the whole has ${timeout.maxTotalTimeMs} ms.`,
    );
  }
  const allAttemptsMs = maxDispatchesPerAction * timeout.attemptTimeoutMs + maxBackoffMs;
  if (retry.maxRetries > 0 && allAttemptsMs > timeout.maxTotalTimeMs) {
    notes.push(
      `when every attempt runs into its limit, the deadline comes first: all of them take ${allAttemptsMs} of ${timeout.maxTotalTimeMs} ms.`,
    );
  }
  if ((rateLimit.global ?? rateLimit.perAction) !== undefined) {
    notes.push("it names rate limits, so that execute needs a rateLimiter.");
  }
  if (idempotency.enabled) notes.push("it enables idempotency, so that execute needs an idempotencyStore.");
  const keyed =
    plan?.actions.filter(({ idempotencyKey, action }) => idempotencyKey !== undefined && action !== "HOLD") ?? [];
  if (!idempotency.enabled && keyed.length > 0) {
    const which = keyed.map(({ index }) => `action ${index}`).join(", ");
    notes.push(
      `${which} has an idempotency_key, but idempotency.enabled is false: the key is only handed to the executor, and the same decision executed again is dispatched again.`,
    );
  }
  const repeats = plan?.actions.filter(({ effect, action }) => effect === "idempotent" && action !== "HOLD") ?? [];
  if (plan === undefined ? defaultEffect === "idempotent" : repeats.length > 0) {
    const which = plan === undefined ? "an action" : repeats.map(({ index }) => `action ${index}`).join(", ");
    notes.push(`${which} is dispatched again when it is unknown whether it was applied: its effect is "idempotent".`);
  }
  if (idempotency.enabled && idempotency.onUnknown === "retry") {
    notes.push('a key that is in doubt is dispatched again, although it may have been applied: onUnknown is "retry".');
  }
  return notes;
}

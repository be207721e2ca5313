import type { ExecutionPolicy } from "./execution-policy.js";

/** Whether an action without a key of its own gets one: for the store, or by a generator that somebody gave for his executor (S7.1). */
export function makesKeys({ idempotency }: ExecutionPolicy): boolean {
  return idempotency.enabled || typeof idempotency.keyGenerator === "function";
}

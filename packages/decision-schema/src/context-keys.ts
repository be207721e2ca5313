/** What the ecosystem knows of a key of the context. */
export interface ContextKeyEntry {
  /** The type of its value, in the words of the reference's index. */
  readonly type: string;
  /** The package that defines it. */
  readonly owner: string;
  /** Who writes it. */
  readonly producer: string;
  /** Who reads it. */
  readonly consumer: string;
  /** The version of the contract that first had it. */
  readonly introduced_in: string;
  readonly description: string;
  /** It changes from moment to moment, so it is no part of what an action means: left out of idempotency keys (S7.1). */
  readonly volatile: boolean;
}

/** The documented context keys. A context may carry any others. Source: the reference's `PARAMETER_INDEX.md`. */
export const CONTEXT_KEY_REGISTRY: Readonly<Record<string, ContextKeyEntry>> = {
  now_ms: {
    type: "number",
    owner: "decision-schema",
    producer: "caller",
    consumer: "guards, @eoc/core",
    introduced_in: "0.2.0",
    description: "The time of the snapshot in epoch milliseconds; compared with ops_cooldown_until_ms.",
    volatile: true,
  },
  last_event_ts_ms: {
    type: "number",
    owner: "decision-schema",
    producer: "caller",
    consumer: "guards",
    introduced_in: "0.2.0",
    description: "The time of the last event in epoch milliseconds; tells stale input.",
    volatile: true,
  },
  run_id: {
    type: "string",
    owner: "decision-schema",
    producer: "any core",
    consumer: "evaluation",
    introduced_in: "0.2.0",
    description: "Ties together what belongs to one run.",
    volatile: false,
  },
  fail_closed: {
    type: "boolean",
    owner: "decision-schema",
    producer: "any core",
    consumer: "operations, evaluation",
    introduced_in: "0.2.0",
    description: "A core took the safe way out.",
    volatile: false,
  },
  ops_deny_actions: {
    type: "boolean",
    owner: "ops-health-core",
    producer: "ops-health-core",
    consumer: "guards, @eoc/core",
    introduced_in: "0.2.0",
    description:
      "Operations deny every action. Anything but false, null, 0, the empty string or absence denies (S2.1).",
    volatile: true,
  },
  ops_state: {
    type: "string",
    owner: "ops-health-core",
    producer: "ops-health-core",
    consumer: "guards, @eoc/core",
    introduced_in: "0.2.0",
    description: "The health of operations: GREEN, YELLOW or RED. RED denies (S2.1).",
    volatile: true,
  },
  ops_cooldown_until_ms: {
    type: "number or null",
    owner: "ops-health-core",
    producer: "ops-health-core",
    consumer: "guards, @eoc/core",
    introduced_in: "0.2.0",
    description: "Until when, in epoch milliseconds, operations rest. Denies while later than now_ms (S2.1).",
    volatile: true,
  },
  ops_score: {
    type: "number",
    owner: "ops-health-core",
    producer: "ops-health-core",
    consumer: "operations",
    introduced_in: "0.2.0",
    description: "The health of operations from 0 to 1.",
    volatile: true,
  },
  ops_reasons: {
    type: "list of strings",
    owner: "ops-health-core",
    producer: "ops-health-core",
    consumer: "operations",
    introduced_in: "0.2.0",
    description: "Why the health is what it is.",
    volatile: true,
  },
  errors_in_window: {
    type: "number",
    owner: "decision-schema",
    producer: "caller",
    consumer: "guards",
    introduced_in: "0.2.0",
    description: "Errors in the current window.",
    volatile: true,
  },
  steps_in_window: {
    type: "number",
    owner: "decision-schema",
    producer: "caller",
    consumer: "guards",
    introduced_in: "0.2.0",
    description: "Steps in the current window.",
    volatile: true,
  },
  rate_limit_events: {
    type: "number",
    owner: "decision-schema",
    producer: "caller",
    consumer: "guards",
    introduced_in: "0.2.0",
    description: "How often a rate limit was met.",
    volatile: true,
  },
  recent_failures: {
    type: "number",
    owner: "decision-schema",
    producer: "caller",
    consumer: "guards",
    introduced_in: "0.2.0",
    description: "Failures of late; opens the circuit breaker.",
    volatile: true,
  },
  cooldown_until_ms: {
    type: "number or null",
    owner: "decision-schema",
    producer: "caller",
    consumer: "guards",
    introduced_in: "0.2.0",
    description: "Until when, in epoch milliseconds, the caller rests.",
    volatile: true,
  },
};

/** Says whether a context key is left out of idempotency keys: a registered volatile one, or any that starts with `ops_` (S7.1). */
export function isVolatileContextKey(key: string): boolean {
  // Spelled out, since a bundle that asks only this should not carry the registry. A test holds the two together.
  return /^(ops_.*|now_ms|last_event_ts_ms|(errors|steps)_in_window|rate_limit_events|recent_failures|cooldown_until_ms)$/s.test(
    key,
  );
}

/** What the ecosystem knows of a key of `PacketV2.external` that has a namespace. */
export interface ExternalKeyEntry {
  /** The package that writes it. */
  readonly owner: string;
  /** The version of the contract that first had it. */
  readonly introduced_in: string;
  readonly description: string;
}

/** The namespaces of trace keys that belong to the ecosystem; keys in them should be registered. Source: the reference's `trace_registry.py`. */
export const RESERVED_NAMESPACES: readonly string[] = [
  "adapter",
  "dmc",
  "eval",
  "exec",
  "harness",
  "integration",
  "mdm",
  "ops",
];

/**
 * The registered trace keys: those of the reference, then those that this project adds. Readers of the reference skip the latter:
 * they write `reference` profile traces instead (see `@eoc/trace`).
 */
export const EXTERNAL_KEY_REGISTRY: Readonly<Record<string, ExternalKeyEntry>> = {
  "harness.fail_closed": {
    owner: "integration-harness",
    introduced_in: "0.2.0",
    description: "The harness caught an exception and took the safe way out.",
  },
  "exec.total_latency_ms": {
    owner: "execution-orchestration-core",
    introduced_in: "0.2.2",
    description: "Milliseconds from the start of the execution to its report.",
  },
  "exec.success_count": {
    owner: "execution-orchestration-core",
    introduced_in: "0.2.2",
    description: "Attempts that succeeded.",
  },
  "exec.failed_count": {
    owner: "execution-orchestration-core",
    introduced_in: "0.2.2",
    description: "Attempts that failed, those with an unknown outcome included.",
  },
  "exec.skipped_count": {
    owner: "execution-orchestration-core",
    introduced_in: "0.2.2",
    description: "Actions that the decision or the plan itself left out.",
  },
  "exec.denied_count": {
    owner: "execution-orchestration-core",
    introduced_in: "0.2.2",
    description: "Actions that the kill switch, a limit or a gate did not let through.",
  },
  "exec.fail_closed": {
    owner: "execution-orchestration-core",
    introduced_in: "0.2.2",
    description: "Something abnormal stopped or denied an action.",
  },
  "exec.attempt_count": {
    owner: "execution-orchestration-core",
    introduced_in: "0.2.2",
    description: "All attempts of all actions.",
  },
  "exec.status": {
    owner: "@eoc/core",
    introduced_in: "0.2.3",
    description: "How the execution ended: success, failed, denied, skipped, unknown or partial.",
  },
  "exec.reason": {
    owner: "@eoc/core",
    introduced_in: "0.2.3",
    description: "The one cause that stopped everything, when there is one.",
  },
  "exec.plan_hash": {
    owner: "@eoc/core",
    introduced_in: "0.2.3",
    description: "SHA-256 of the plan that was carried out, in hexadecimal.",
  },
  "exec.execution_id": {
    owner: "@eoc/core",
    introduced_in: "0.2.3",
    description: "The name of the execution, the same in its events and journal.",
  },
  "exec.unknown_count": {
    owner: "@eoc/core",
    introduced_in: "0.2.3",
    description: "Actions of which nobody knows whether they were applied.",
  },
  "exec.replayed_count": {
    owner: "@eoc/core",
    introduced_in: "0.2.3",
    description: "Actions answered from the idempotency store, without a dispatch.",
  },
  "exec.halt_latency_ms": {
    owner: "@eoc/core",
    introduced_in: "0.2.3",
    description: "Milliseconds from a halt to the last effect of the execution that settled.",
  },
  "exec.cooldown_until_ms": {
    owner: "@eoc/core",
    introduced_in: "0.2.3",
    description: "Until when, in epoch milliseconds, the decision asks for rest.",
  },
};

/** Which keys a dictionary may have: context keys, trace keys, or either. Anything else is read as `both`. */
export type ExternalKeyMode = "context" | "trace" | "both";

/** How {@link validateExternal} looks at the keys. */
export interface ValidateExternalOptions {
  /** The namespaces whose trace keys must be registered. @defaultValue none */
  requireRegistryForPrefixes?: Iterable<string> | null | undefined;
  /** @defaultValue "both" */
  mode?: ExternalKeyMode | undefined;
}

/** Says whether `key` has the form of a trace key: lower-case words with a dot between them, as in `exec.status`. */
export function isValidTraceKey(key: unknown): boolean {
  return typeof key === "string" && /^[a-z0-9_]+(\.[a-z0-9_]+)+$/.test(key);
}

/** Says whether `key` has the form of a context key: one lower-case word, as in `now_ms`. */
export function isValidContextKey(key: unknown): boolean {
  return typeof key === "string" && /^[a-z0-9_]+$/.test(key);
}

/** Says whether `key` may stand in `PacketV2.external`. */
export function isValidExternalKey(key: unknown, mode: ExternalKeyMode = "both"): boolean {
  if (mode === "context") return isValidContextKey(key);
  if (mode === "trace") return isValidTraceKey(key);
  return isValidContextKey(key) || isValidTraceKey(key);
}

/**
 * What is wrong with the keys of `external`, as the reference's error codes in the order of the keys; empty when nothing is.
 * Source: invariant T1, `validate_external_dict`. `null` and `undefined` are fine; a `Map` is read as a dictionary too.
 */
export function validateExternal(external: unknown, options: ValidateExternalOptions = {}): string[] {
  if (external === null || external === undefined) return [];
  if (typeof external !== "object" || Array.isArray(external)) return ["INV-T1:external_not_mapping"];
  const { mode = "both" } = options;
  const strictPrefixes = new Set(options.requireRegistryForPrefixes);
  const formatError = `INV-T1:invalid_${mode === "context" || mode === "trace" ? `${mode}_` : ""}key_format:`;

  const errors: string[] = [];
  for (const key of external instanceof Map ? external.keys() : Object.keys(external)) {
    if (typeof key !== "string") errors.push("INV-T1:key_not_str");
    else if (!isValidExternalKey(key, mode)) errors.push(formatError + key);
    else if (
      key.includes(".") &&
      strictPrefixes.has(key.split(".", 1)[0]!) &&
      !Object.hasOwn(EXTERNAL_KEY_REGISTRY, key)
    )
      errors.push(`INV-T1:unregistered_key:${key}`);
  }
  return errors;
}

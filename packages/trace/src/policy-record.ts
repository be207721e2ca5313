import { definePolicy, type ExecutionPolicy, type ExecutionPolicyInput, type IdempotencyPolicy } from "@eoc/core";
import { canonicalJson, sha256Hex } from "@eoc/decision-schema";

/** A policy as plain JSON, with every default filled in. A key generator of the caller's own is written as `"custom"`. */
export interface PolicyRecord extends Omit<ExecutionPolicy, "idempotency"> {
  readonly idempotency: Omit<IdempotencyPolicy, "keyGenerator"> & {
    readonly keyGenerator: "action+context_hash" | "custom";
  };
}

/** A policy on record: itself, and the SHA-256 over its RFC 8785 JSON. */
export interface RecordedPolicy {
  readonly policy: PolicyRecord;
  readonly policyDigest: string;
}

/** @throws EocError `invalid_policy` */
export function recordPolicy(input: ExecutionPolicyInput | ExecutionPolicy): RecordedPolicy {
  const { idempotency, ...rest } = definePolicy(input);
  const keyGenerator = typeof idempotency.keyGenerator === "function" ? "custom" : "action+context_hash";
  const policy: PolicyRecord = { ...rest, idempotency: { ...idempotency, keyGenerator } };
  return { policy, policyDigest: digestOf(policy) };
}

/** Whether a record's policy has the digest that it says; one that has no canonical form has none. */
export function fitsDigest({ policy, policyDigest }: { policy?: unknown; policyDigest?: unknown }): boolean {
  try {
    return digestOf(policy) === policyDigest;
  } catch {
    return false;
  }
}

function digestOf(policy: unknown): string {
  return sha256Hex(canonicalJson(policy));
}

/** The policy that a record holds; undefined when it is none, or one that this version does not know. */
export function readPolicy(record: unknown): ExecutionPolicy | undefined {
  if (typeof record !== "object" || record === null) return undefined;
  const { idempotency, ...rest } = record as PolicyRecord;
  const known = idempotency?.keyGenerator === "custom" ? { ...idempotency, keyGenerator: () => "" } : idempotency;
  try {
    return definePolicy({ ...rest, idempotency: known } as ExecutionPolicyInput);
  } catch {
    return undefined;
  }
}

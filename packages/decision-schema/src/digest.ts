import { canonicalJson } from "./canonical-json.ts";
import { ACTION_KEYS, DECISION_KEYS, MISMATCH_KEYS } from "./contract-values.ts";
import { guarded, SchemaError } from "./errors.ts";
import type { FinalDecision, FinalDecisionInput } from "./final-decision.ts";
import { isWellFormed } from "./json-value.ts";
import { readDecision } from "./read-decision.ts";
import { hashText } from "./sha256.ts";

/**
 * SHA-256 of the UTF-8 bytes of `text`, in lower-case hexadecimal. Synchronous.
 *
 * @throws {SchemaError} `invalid_text` when `text` has a lone surrogate, which UTF-8 cannot carry
 */
export function sha256Hex(text: string): string {
  if (!isWellFormed(text)) {
    throw new SchemaError("invalid_text", [{ path: "", expected: "a string without lone surrogates" }]);
  }
  return hashText(text);
}

/**
 * What an approval is bound to (S1.8): SHA-256 over the canonical JSON of a decision, every field of it, unknown ones too.
 *
 * Equal for decisions that mean the same: in another key order, with a default written out or left out, with `null` for an absent
 * field of the contract. Different for any other difference.
 *
 * @throws {SchemaError} `invalid_decision` or `invalid_json`
 */
export function digestDecision(decision: FinalDecisionInput): string {
  const read = readDecision(decision);
  if (!read.success) throw new SchemaError("invalid_decision", read.issues);
  return sha256Hex(canonicalJson(guarded("invalid_decision", decision, () => normalForm(decision, read.data))));
}

function normalForm(decision: FinalDecisionInput, read: FinalDecision): Record<string, unknown> {
  const normal = withoutNulls(DECISION_KEYS, decision, read);
  const { actions, mismatch } = read;
  if (mismatch) normal["mismatch"] = withoutNulls(MISMATCH_KEYS, decision.mismatch, mismatch);
  if (actions) normal["actions"] = actions.map((item, i) => withoutNulls(ACTION_KEYS, decision.actions?.[i], item));
  return normal;
}

function withoutNulls(
  keys: ReadonlySet<string>,
  input: object | null | undefined,
  read: object,
): Record<string, unknown> {
  const normal: Record<string, unknown> = { ...read };
  for (const key of keys) if (normal[key] === null) delete normal[key];
  // A reader leaves out a member of this name; two decisions that differ in it are two decisions all the same.
  const proto = input && Object.getOwnPropertyDescriptor(input, "__proto__");
  if (proto) Object.defineProperty(normal, "__proto__", proto);
  return normal;
}

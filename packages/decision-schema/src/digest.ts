import type * as z from "zod";
import { ActionItemSchema } from "./action.ts";
import { canonicalJson } from "./canonical-json.ts";
import { SchemaError } from "./errors.ts";
import { type FinalDecision, type FinalDecisionInput, FinalDecisionSchema } from "./final-decision.ts";
import { isWellFormed } from "./json-value.ts";
import { MismatchInfoSchema } from "./mismatch.ts";
import { hashText } from "./sha256.ts";
import { guarded, parseLoose } from "./wire-form.ts";

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
  const parsed = parseLoose(FinalDecisionSchema, "invalid_decision", decision);
  return sha256Hex(canonicalJson(guarded("invalid_decision", decision, () => normalForm(decision, parsed))));
}

function normalForm(decision: FinalDecisionInput, parsed: FinalDecision): Record<string, unknown> {
  const normal = withoutNulls(FinalDecisionSchema, decision, parsed);
  const { actions, mismatch } = parsed;
  if (mismatch) normal["mismatch"] = withoutNulls(MismatchInfoSchema, decision.mismatch, mismatch);
  if (actions)
    normal["actions"] = actions.map((item, i) => withoutNulls(ActionItemSchema, decision.actions?.[i], item));
  return normal;
}

function withoutNulls(schema: z.ZodObject, input: object | null | undefined, parsed: object): Record<string, unknown> {
  const normal: Record<string, unknown> = { ...parsed };
  for (const key of Object.keys(schema.shape)) if (normal[key] === null) delete normal[key];
  // zod leaves out a member of this name; two decisions that differ in it are two decisions all the same.
  const proto = input && Object.getOwnPropertyDescriptor(input, "__proto__");
  if (proto) Object.defineProperty(normal, "__proto__", proto);
  return normal;
}

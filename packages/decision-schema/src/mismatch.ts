import * as z from "zod";
import { JsonObjectSchema, TextSchema, UnknownValueSchema } from "./json-schemas.ts";
import { parseStrict, toWire } from "./wire-form.ts";

/** A list of strings; `null` and absent are read as an empty list, as the reference does. */
export const TextListSchema = /* @__PURE__ */ (() =>
  z
    .array(TextSchema)
    .nullish()
    .transform((list) => list ?? []))();

/** A duration in whole milliseconds. */
export const DurationMsSchema = /* @__PURE__ */ (() => z.int().min(0))();

/** What the guards held against a proposal. Unknown keys are kept. */
export const MismatchInfoSchema = /* @__PURE__ */ (() =>
  z
    .object({
      flags: TextListSchema,
      reason_codes: TextListSchema,
      throttle_refresh_ms: DurationMsSchema.nullish(),
      metadata: JsonObjectSchema.nullish(),
    })
    .catchall(UnknownValueSchema))();

/** What the guards held against a proposal, with every default filled in. */
export type MismatchInfo = z.infer<typeof MismatchInfoSchema>;

/** What the guards held against a proposal, as it may be written: what has a default may be left out. */
export type MismatchInfoInput = z.input<typeof MismatchInfoSchema>;

/**
 * Checks what an author wrote and fills in the defaults. Unlike the schema it refuses unknown keys, which are misspelt ones here.
 *
 * @throws {SchemaError} `invalid_mismatch`
 */
export function createMismatchInfo(fields: MismatchInfoInput): MismatchInfo {
  return parseStrict(MismatchInfoSchema, "invalid_mismatch", fields);
}

/** The reference's wire form: its key order, `null` for what is absent, unknown keys last. */
export function mismatchInfoToDict(mismatch: MismatchInfo): Record<string, unknown> {
  return toWire(mismatch, ["flags", "reason_codes", "throttle_refresh_ms", "metadata"]);
}

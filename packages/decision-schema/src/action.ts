import * as z from "zod";
import { ACTIONS, EFFECTS, MAX_ID_LENGTH } from "./contract-values.ts";
import { JsonObjectSchema, UnknownValueSchema } from "./json-schemas.ts";
import { isWellFormed, WELL_FORMED } from "./json-value.ts";

/** What a decision may ask for. `HOLD` asks for nothing to be done. */
export const ActionSchema = /* @__PURE__ */ z.enum(ACTIONS);

/** What a decision may ask for. `HOLD` asks for nothing to be done. */
export type Action = z.infer<typeof ActionSchema>;

/**
 * What a repetition of an action does to the outside world (S3.2): `once` must not be repeated, `idempotent` may be,
 * `none` only reads.
 */
export const EffectSchema = /* @__PURE__ */ z.enum(EFFECTS);

/** What a repetition of an action does (S3.2): `once` must not be repeated, `idempotent` may be, `none` only reads. */
export type Effect = z.infer<typeof EffectSchema>;

const IdSchema = /* @__PURE__ */ (() => z.string().min(1).max(MAX_ID_LENGTH).refine(isWellFormed, WELL_FORMED))();

/** One action of a decision; `id` names it within the decision and in the report. Unknown keys are kept. */
export const ActionItemSchema = /* @__PURE__ */ (() =>
  z
    .object({
      action: ActionSchema,
      id: IdSchema.nullish(),
      params: JsonObjectSchema.nullish(),
      effect: EffectSchema.nullish(),
      idempotency_key: IdSchema.nullish(),
    })
    .catchall(UnknownValueSchema))();

/** One action of a decision, as {@link ActionItemSchema} reads it. */
export type ActionItem = z.infer<typeof ActionItemSchema>;

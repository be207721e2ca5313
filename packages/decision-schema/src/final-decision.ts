import * as z from "zod";
import { ActionItemSchema, ActionSchema } from "./action.ts";
import { isDefaultIdOfAnother } from "./contract-values.ts";
import { JsonObjectSchema, UnknownValueSchema } from "./json-schemas.ts";
import { DurationMsSchema, MismatchInfoSchema, mismatchInfoToDict, TextListSchema } from "./mismatch.ts";
import { parseStrict, toWire } from "./wire-form.ts";

const ActionListSchema = /* @__PURE__ */ (() =>
  z.array(ActionItemSchema).check(({ value, issues }) => {
    // Ids that are no ids are not compared.
    if (issues.length > 0) return;
    const seen = new Set<string>();
    value.forEach(({ id }, index) => {
      if (typeof id !== "string") return;
      const isNameless = (other: number) => other < value.length && value[other]!.id == null;
      if (seen.has(id) || isDefaultIdOfAnother(id, index, isNameless))
        issues.push({ code: "custom", input: value, path: [index, "id"], message: "an id of its own" });
      seen.add(id);
    });
  }))();

/**
 * What the guards decided. `actions`, when present, is what runs, in order, whatever `action` says, `HOLD` too; otherwise it is the one
 * `action` with `params` (S1.4).
 * `allowed` is true when absent; anything but a boolean is an error. Unknown keys are kept.
 */
export const FinalDecisionSchema = /* @__PURE__ */ (() =>
  z
    .object({
      action: ActionSchema,
      allowed: z.boolean().default(true),
      reasons: TextListSchema,
      actions: ActionListSchema.nullish(),
      mismatch: MismatchInfoSchema.nullish(),
      throttle_ms: DurationMsSchema.nullish(),
      cooldown_ms: DurationMsSchema.nullish(),
      params: JsonObjectSchema.nullish(),
    })
    .catchall(UnknownValueSchema))();

/** What the guards decided, with every default filled in, as {@link FinalDecisionSchema} gives it. */
export type FinalDecision = z.infer<typeof FinalDecisionSchema>;

/** What the guards decided, as it may be written: what has a default may be left out. */
export type FinalDecisionInput = z.input<typeof FinalDecisionSchema>;

/**
 * Checks what an author wrote and fills in the defaults. Unlike the schema it refuses unknown keys, which are misspelt ones here, of
 * its actions too.
 *
 * @throws {SchemaError} `invalid_decision`
 */
export function createFinalDecision(fields: FinalDecisionInput): FinalDecision {
  const parts = { actions: ActionItemSchema, mismatch: MismatchInfoSchema };
  return parseStrict(FinalDecisionSchema, "invalid_decision", fields, parts);
}

/** The reference's wire form: its key order, `null` for what is absent, then `actions` if there are any, then unknown keys. */
export function finalDecisionToDict(decision: FinalDecision): Record<string, unknown> {
  const { actions, mismatch, ...rest } = decision;
  return toWire(
    {
      ...rest,
      mismatch: mismatch && mismatchInfoToDict(mismatch),
      ...(actions ? { actions } : {}),
    },
    ["action", "allowed", "reasons", "mismatch", "throttle_ms", "cooldown_ms", "params"],
  );
}

/** The parameters of a proposal, a decision or an action: a copy of the object, `{}` when there is none. The values are shared. */
export function toParams(source: { params?: Record<string, unknown> | null | undefined }): Record<string, unknown> {
  return { ...source.params };
}

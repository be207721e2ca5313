import * as z from "zod";
import { ActionSchema } from "./action.ts";
import { JsonObjectSchema, TextSchema, UnknownValueSchema } from "./json-schemas.ts";
import { TextListSchema } from "./mismatch.ts";
import { parseStrict, toWire } from "./wire-form.ts";

/** What a model proposes, before the guards have seen it. `confidence` lies in [0, 1]. Unknown keys are kept. */
export const ProposalSchema = /* @__PURE__ */ (() =>
  z
    .object({
      action: ActionSchema,
      confidence: z.number().min(0).max(1),
      reasons: TextListSchema,
      params: JsonObjectSchema.nullish(),
      run_id: TextSchema.nullish(),
      features_summary: JsonObjectSchema.nullish().transform((summary) => summary ?? {}),
    })
    .catchall(UnknownValueSchema))();

/** What a model proposes, with every default filled in. */
export type Proposal = z.infer<typeof ProposalSchema>;

/** What a model proposes, as it may be written: what has a default may be left out. */
export type ProposalInput = z.input<typeof ProposalSchema>;

/**
 * Checks what an author wrote and fills in the defaults. Unlike the schema it refuses unknown keys, which are misspelt ones here.
 *
 * @throws {SchemaError} `invalid_proposal`
 */
export function createProposal(fields: ProposalInput): Proposal {
  return parseStrict(ProposalSchema, "invalid_proposal", fields);
}

/** The reference's wire form: its key order, `null` for what is absent, unknown keys last. */
export function proposalToDict(proposal: Proposal): Record<string, unknown> {
  return toWire(proposal, ["action", "confidence", "reasons", "params", "run_id", "features_summary"]);
}

/** `confidence` moved into [0, 1]. `NaN` stays `NaN`, which {@link ProposalSchema} refuses: no score is not a high score. */
export function clampConfidence(confidence: number): number {
  return Math.max(0, Math.min(1, confidence));
}

/** A copy of `reasons`, or `["unknown"]` when there are none. */
export function ensureNonEmptyReasons(reasons: readonly string[] | null | undefined): string[] {
  return reasons?.length ? [...reasons] : ["unknown"];
}

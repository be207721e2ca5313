import * as z from "zod";
import { UnknownValueSchema } from "./json-schemas.ts";

/**
 * The snapshot of the world that goes with a decision: any keys, JSON values. The two times that are compared with each other must be
 * numbers; the signals that deny are judged by S2.1 whatever their type is.
 */
export const ExecutionContextSchema = /* @__PURE__ */ (() =>
  z
    .object({
      now_ms: z.number().nullish(),
      ops_cooldown_until_ms: z.number().nullish(),
    })
    .catchall(UnknownValueSchema))();

/** The snapshot of the world that goes with a decision: any keys, JSON values. */
export type ExecutionContext = z.infer<typeof ExecutionContextSchema>;

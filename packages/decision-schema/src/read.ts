// Everything of this package that does without zod and that @eoc/core runs on.
export type { Action, ActionItem, Effect } from "./action.ts";
export { canonicalJson } from "./canonical-json.ts";
export { isVolatileContextKey } from "./context-keys.ts";
export { digestDecision, sha256Hex } from "./digest.ts";
export { type Issue, isSchemaError, SchemaError, type SchemaErrorCode } from "./errors.ts";
export type { ExecutionContext } from "./execution-context.ts";
export type { FinalDecision, FinalDecisionInput } from "./final-decision.ts";
export { checkJson, MAX_JSON_DEPTH } from "./json-value.ts";
export { type ReadResult, readContext, readDecision } from "./read-decision.ts";

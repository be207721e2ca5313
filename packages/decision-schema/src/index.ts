export { type Action, type ActionItem, ActionItemSchema, ActionSchema, type Effect, EffectSchema } from "./action.ts";
export { canonicalJson } from "./canonical-json.ts";
export { isCompatible, parseVersion, SCHEMA_VERSION, type Version, type VersionRange } from "./compat.ts";
export {
  CONTEXT_KEY_REGISTRY,
  type ContextKeyEntry,
  isVolatileContextKey,
} from "./context-keys.ts";
export { digestDecision, sha256Hex } from "./digest.ts";
export { type Issue, isSchemaError, SchemaError, type SchemaErrorCode, toIssues } from "./errors.ts";
export { type ExecutionContext, ExecutionContextSchema } from "./execution-context.ts";
export {
  createFinalDecision,
  type FinalDecision,
  type FinalDecisionInput,
  FinalDecisionSchema,
  finalDecisionToDict,
  toParams,
} from "./final-decision.ts";
export { checkJson, MAX_JSON_DEPTH } from "./json-value.ts";
export {
  createMismatchInfo,
  type MismatchInfo,
  type MismatchInfoInput,
  MismatchInfoSchema,
  mismatchInfoToDict,
} from "./mismatch.ts";
export { type PacketV2, type PacketV2Input, PacketV2Schema, packetFromDict, packetToDict } from "./packet-v2.ts";
export {
  clampConfidence,
  createProposal,
  ensureNonEmptyReasons,
  type Proposal,
  type ProposalInput,
  ProposalSchema,
  proposalToDict,
} from "./proposal.ts";
export { type ReadResult, readContext, readDecision } from "./read-decision.ts";
export {
  EXTERNAL_KEY_REGISTRY,
  type ExternalKeyEntry,
  type ExternalKeyMode,
  isValidContextKey,
  isValidExternalKey,
  isValidTraceKey,
  RESERVED_NAMESPACES,
  type ValidateExternalOptions,
  validateExternal,
} from "./trace-keys.ts";

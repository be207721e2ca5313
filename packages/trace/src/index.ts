// Reports and events for others to read.

export { explainReport } from "./explain.js";
export { addExecutionTrace } from "./external.js";
export { type BuildPacketInput, buildPacket, buildPacketWithManifest } from "./packet.js";
export { reportToDict } from "./report-to-dict.js";
export { renderTimeline, type TimelineFormat } from "./timeline/render-timeline.js";
export type { TraceProfile } from "./trace-profile.js";

// Journals to trust later.

export {
  type CheckpointOptions,
  type CheckpointSigner,
  type CheckpointVerifier,
  type JournalCheckpoint,
  parseCheckpoint,
} from "./checkpoints.js";
export type {
  JournalBounds,
  JournalEvent,
  JournalHead,
  JournalOpening,
  JournalRecord,
  JournalSettlement,
} from "./journal-record.js";
export type { SettlementInput } from "./journal-settlement.js";
export { createJsonlJournal, type JournalSink, type JsonlJournal, type JsonlJournalOptions } from "./jsonl-journal.js";
export type { PolicyRecord, RecordedPolicy } from "./policy-record.js";
export type { CompletenessFinding } from "./verify/completeness.js";
export type { ConformanceFinding } from "./verify/conformance.js";
export type { Finding, JournalProblem, JournalProblemCode } from "./verify/findings.js";
export type { CutShort, OpenIntent, PairingFinding } from "./verify/open-intent.js";
export {
  type JournalLines,
  type JournalVerdict,
  openIntents,
  type VerifyJournalOptions,
  verifyJournal,
} from "./verify-journal.js";

// Reports and events for others to read.

export { explainReport } from "./explain.js";
export { addExecutionTrace } from "./external.js";
export { type BuildPacketInput, buildPacket, buildPacketWithManifest, type PacketManifest } from "./packet.js";
export { reportToDict } from "./report-to-dict.js";
export { renderTimeline } from "./timeline/render-timeline.js";
export type { TraceProfile } from "./trace-profile.js";

// Journals to trust later.

export type { JournalEvent, JournalHead, JournalOpening, JournalRecord } from "./journal-record.js";
export { createJsonlJournal, type JournalSink, type JsonlJournal, type JsonlJournalOptions } from "./jsonl-journal.js";
export type { Finding, JournalProblem, JournalProblemCode } from "./verify/findings.js";
export type { OpenIntent, PairingFinding } from "./verify/pairing.js";
export { type JournalVerdict, type VerifyJournalOptions, verifyJournal } from "./verify-journal.js";

import type { Effect, ExecutionEvent } from "@eoc/core";
import { canonicalJson, sha256Hex } from "@eoc/decision-schema/read";
import type { PolicyRecord, RecordedPolicy } from "./policy-record.js";

/** The version of the record's form, its `v`. */
const JOURNAL_VERSION = 1;

/** `prev` of the first record: there is none before it. */
export const NO_PREV = "0".repeat(64);

/** The end of a chain: the number and the hash of its last record. Kept in a second place, it proves that nothing is missing. */
export interface JournalHead {
  seq: number;
  hash: string;
}

/** The first record of a journal, of every file of it, and after every restart: what wrote the records that follow. */
export interface JournalOpening extends Partial<RecordedPolicy> {
  /** `opened`: a journal begins. `resumed`: its writer was started again. `continued`: another file of it begins. */
  type: "journal.opened" | "journal.resumed" | "journal.continued";
  /** Versions of the packages and services that write, by name. */
  versions?: Readonly<Record<string, string>>;
  /** Of `journal.continued`: the last record of the file before. */
  previous?: JournalHead;
}

/** Follows `execution.started`: what the execution that has begun may do. */
export interface JournalBounds {
  type: "journal.bounds";
  executionId: string;
  planHash: string;
  /** Absent where it is that of the opening record, as `policyDigest` then says. */
  policy?: PolicyRecord;
  policyDigest: string;
  /** The effect classes of the plan's actions, in their order (S3.2). */
  effects: readonly Effect[];
}

/** What somebody has found out of a dispatch that was in doubt, by asking the outside world. */
export interface JournalSettlement {
  type: "journal.settled";
  /** Which dispatch: the number of the record that holds its intent. */
  intentSeq: number;
  executionId: string;
  actionIndex: number;
  attemptNumber: number;
  outcome: "applied" | "not_applied";
  /** When it was said. Wall clock. */
  settledAtMs: number;
  /** Who says so. */
  by?: string;
  /** How they know. */
  note?: string;
}

/** What a record can hold. */
export type JournalEvent = ExecutionEvent | JournalOpening | JournalBounds | JournalSettlement;

/** One line of a journal. `hash` is the SHA-256 over the RFC 8785 JSON of the record without `hash`. */
export interface JournalRecord {
  v: typeof JOURNAL_VERSION;
  /** Dense, from 0. */
  seq: number;
  /** `hash` of the record before. */
  prev: string;
  event: JournalEvent;
  hash: string;
}

/**
 * An event in canonical JSON, for {@link sealRecord}. An unpaired surrogate, which JSON texts cannot carry, is written as `�`: an id
 * that has one must not keep the journal from being written.
 * @throws SchemaError for what is no JSON otherwise
 */
export function eventText(event: unknown): string {
  try {
    return canonicalJson(event);
  } catch {
    return canonicalJson(wellFormed(event));
  }
}

function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/\p{Surrogate}/gu, "\ufffd");
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [wellFormed(key), wellFormed(member)]));
}

/** The next record after `head`, of an event in canonical JSON, as a line without its end, and the head that it makes. */
export function sealRecord(head: JournalHead, event: string): { line: string; head: JournalHead } {
  const seq = head.seq + 1;
  const { line, hash } = writeRecord(seq, head.hash, event);
  return { line, head: { seq, hash } };
}

/** What is wrong with a line by itself, in a word. */
export type RecordFault = "not_json" | "not_a_record" | "unknown_version" | "not_canonical" | "hash_mismatch";

/**
 * Reads one line. `record` is there whenever the line has a record's form, even when its hash does not fit, so that a reader can
 * go on from it.
 */
export function readRecord(line: string): { record?: JournalRecord; fault?: RecordFault } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return { fault: "not_json" };
  }
  if (!isRecord(parsed)) return { fault: "not_a_record" };
  if (parsed.v !== JOURNAL_VERSION) return { fault: "unknown_version" };
  let written: { line: string; hash: string };
  try {
    written = writeRecord(parsed.seq, parsed.prev, canonicalJson(parsed.event));
  } catch {
    return { record: parsed, fault: "not_canonical" };
  }
  if (written.hash !== parsed.hash) return { record: parsed, fault: "hash_mismatch" };
  // Spaces, another order, a key twice or one too many: readers could see different things in it.
  return written.line === line ? { record: parsed } : { record: parsed, fault: "not_canonical" };
}

/**
 * Whether more follows the end of a record on its line: its line end was lost or changed. No append leaves that behind, wherever it was
 * interrupted; only zeros may follow, where a loss of power left a hole.
 */
export function goesOnAfterRecord(line: string): boolean {
  return /"prev":"[0-9a-f]{64}","seq":\d+,"v":\d+\}[^\0]/.test(line);
}

function writeRecord(seq: number, prev: string, event: string): { line: string; hash: string } {
  const start = `{"event":${event},`;
  const end = `"prev":"${prev}","seq":${seq},"v":${JOURNAL_VERSION}}`;
  const hash = sha256Hex(start + end);
  return { line: `${start}"hash":"${hash}",${end}`, hash };
}

function isRecord(value: unknown): value is JournalRecord {
  if (typeof value !== "object" || value === null) return false;
  const { v, seq, prev, event, hash } = value as Record<string, unknown>;
  return (
    Number.isSafeInteger(v) &&
    Number.isSafeInteger(seq) &&
    (seq as number) >= 0 &&
    isHash(prev) &&
    isHash(hash) &&
    typeof event === "object" &&
    event !== null &&
    typeof (event as Record<string, unknown>)["type"] === "string"
  );
}

export function isHash(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

import { checkOptionNames, type ExecutionPolicyInput } from "@eoc/core";
import { canonicalJson } from "@eoc/decision-schema";
import { checkMethods, checkOption, isRecord } from "./check-option.js";
import type { CheckpointVerifier } from "./checkpoints.js";
import { eventFault } from "./event-shape.js";
import {
  goesOnAfterRecord,
  type JournalHead,
  type JournalRecord,
  type RecordFault,
  readRecord,
} from "./journal-record.js";
import { ChainCheck } from "./verify/chain.js";
import { CompletenessCheck, type CompletenessFinding } from "./verify/completeness.js";
import { ConformanceCheck, type ConformanceFinding } from "./verify/conformance.js";
import { type Finding, Problems } from "./verify/findings.js";
import type { OpenIntent, PairingFinding } from "./verify/open-intent.js";
import { PairingCheck } from "./verify/pairing.js";
import { checkSignatures, type KnownHead } from "./verify/signatures.js";

/** Options of {@link verifyJournal}. */
export interface VerifyJournalOptions {
  /** Where the journal ends, as its writer said: `head()`. Without it nobody can tell a cut-off journal from a whole one. */
  head?: JournalHead | undefined;
  /** Records that are known to be in the journal. They prove everything up to the last of them. */
  checkpoints?: Iterable<KnownHead> | AsyncIterable<KnownHead> | undefined;
  /** Keys of which one must have signed every checkpoint. @defaultValue signatures are not looked at */
  keys?: readonly CheckpointVerifier[] | undefined;
  /**
   * The policy that every execution should have been under.
   * @defaultValue what the records say themselves; where they do not, bounds are `NOT PROVEN`
   */
  policy?: ExecutionPolicyInput | undefined;
}

/** A journal as its lines, or as the records that they hold; one text with all of them is refused. */
export type JournalLines = Iterable<string | JournalRecord> | AsyncIterable<string | JournalRecord>;

/** What can be said of a journal. The verdicts are separate because they rest on different things. */
export interface JournalVerdict {
  /**
   * No verdict is `FAIL`. Look at the others too: while completeness is `NOT PROVEN`, `ok` speaks only of the records that are
   * there. While `pairing.openIntents` is not empty, also where pairing is `PASS`, somebody has to find out what became of them.
   */
  ok: boolean;
  /** Every line is a record that hashes to what it says. */
  integrity: Finding;
  /** Every record follows the one before: none is missing in the middle, doubled, moved or exchanged. */
  continuity: Finding;
  /**
   * Everything that was begun has its end. `OPEN`: something had none when the journal stopped. What is in doubt, of executions that
   * have ended too, is in its `openIntents`.
   */
  pairing: PairingFinding;
  /** Every checkpoint is signed by a key that was given. `NOT PROVEN` without keys or without checkpoints. */
  signatures: Finding<"PASS" | "FAIL" | "NOT PROVEN">;
  /** Nothing was done that the policy on record does not allow. `NOT PROVEN` where the records do not say enough. */
  conformance: ConformanceFinding;
  /** Nothing is missing at the end. `PASS` only with the `head`. */
  completeness: CompletenessFinding;
  /** Lines read. */
  recordCount: number;
  /** The last record that could be read; `seq` −1 for none. It is what the file says: no proof that it is the end. */
  last: JournalHead;
  /** A last line without its end, which a crash leaves behind, and how many characters it has. It counts as not there. */
  tornTail?: { line: number; length: number };
}

const OPTIONS = { head: true, checkpoints: true, keys: true, policy: true } as const;

const FAULTS: Record<RecordFault, string> = {
  not_json: "not JSON: damaged, or written in part",
  not_a_record: "JSON, but not a journal record",
  unknown_version: "a record of a version that is not known here",
  not_canonical: "not in canonical form: written or changed by something else",
  hash_mismatch: "its content does not have its hash: one of the two was changed",
};

/**
 * Checks a journal line by line, in memory that does not grow with its length. Never throws for what the lines hold; what the
 * source of the lines throws comes through.
 *
 * @param lines with or without their line ends, or records that were parsed before, whose bytes nobody can judge then; one empty line at the end is fine. Where the others have one, a last line without
 * is torn; so is an only line that is the start of a record
 * @throws EocError `invalid_policy`, `invalid_option`
 */
export async function verifyJournal(lines: JournalLines, options: VerifyJournalOptions = {}): Promise<JournalVerdict> {
  checkOption(isSource(lines), "lines", "lines or records, one after the other", lines);
  checkOptionNames(options, OPTIONS);
  const { head, checkpoints = [], keys = [] } = options;
  const isHead = isRecord(head) && Number.isSafeInteger(head.seq) && typeof head.hash === "string";
  checkOption(head === undefined || isHead, "head", "{ seq, hash }", head);
  checkOption(isSource(checkpoints), "checkpoints", "heads or checkpoints, one after the other", checkpoints);
  checkOption(Array.isArray(keys), "keys", "a list of keys that verify", keys);
  for (const [index, key] of keys.entries()) checkMethods(`keys[${index}]`, key, "verify");
  const conformance = new ConformanceCheck(options.policy);
  const { finding: signatures, trusted } = await checkSignatures(checkpoints, keys);
  const integrity = new Problems();
  const chain = new ChainCheck();
  const pairing = new PairingCheck();
  const completeness = new CompletenessCheck(head, trusted);
  let recordCount = 0;

  function check(text: string): void {
    const line = ++recordCount;
    const { record, fault } = readRecord(text);
    const at = record === undefined ? { line } : { line, seq: record.seq };
    if (fault !== undefined) integrity.add({ ...at, code: fault, message: FAULTS[fault] });
    chain.add(line, record);
    if (record === undefined) return;
    const malformed = eventFault(record.event as never);
    if (malformed === undefined) {
      pairing.add(line, record);
      conformance.add(line, record);
    } else pairing.refuse(line, record, malformed);
    completeness.add(line, record);
  }

  let emptyLines = 0;
  let hasEnds = false;
  /** A line without its end, which is torn unless there is another one. */
  let held: string | undefined;
  for await (const item of lines) {
    const raw = typeof item === "string" ? item : textOf(item);
    if (held !== undefined) {
      check(held);
      integrity.add({
        line: recordCount,
        code: "not_canonical",
        message: "a line without its end, and another after it",
      });
    }
    held = undefined;
    const ended = raw.endsWith("\n");
    const text = ended ? raw.slice(0, -1) : raw;
    if (text === "") {
      emptyLines++;
      continue;
    }
    for (; emptyLines > 0; emptyLines--) check("");
    const mayBeTorn = !ended && (hasEnds || (recordCount === 0 && isStartOfRecord(text)));
    if (!mayBeTorn || goesOnAfterRecord(text)) check(text);
    else held = text;
    hasEnds ||= ended;
  }
  for (; emptyLines > 1; emptyLines--) check("");

  const intact = integrity.count === 0 && chain.problems.count === 0;
  const paired = pairing.finish();
  const conformed = conformance.finish();
  const complete = completeness.finish(intact, chain.missingBefore);
  return {
    ok: intact && ![paired, signatures, conformed, complete].some(({ verdict }) => verdict === "FAIL"),
    integrity: integrity.finding(integrity.count === 0 ? "PASS" : "FAIL"),
    continuity: chain.problems.finding(chain.problems.count === 0 ? "PASS" : "FAIL"),
    pairing: paired,
    signatures,
    conformance: conformed,
    completeness: complete,
    recordCount,
    last: completeness.last,
    ...(held === undefined ? undefined : { tornTail: { line: recordCount + 1, length: held.length } }),
  };
}

/** Whether it gives one thing after the other. A text gives its characters, of which none is a line. */
function isSource(value: unknown): boolean {
  return typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/** A record as its writer would have written it; of what is no JSON nothing. */
function textOf(record: JournalRecord): string {
  try {
    return canonicalJson(record);
  } catch {
    return "?";
  }
}

/** Whether this is half of a first line: there is no other whose end it could be told by. */
function isStartOfRecord(text: string): boolean {
  const start = '{"event":';
  return start.startsWith(text.slice(0, start.length)) && readRecord(text).fault === "not_json";
}

/**
 * What was in flight when the journal stopped, or has come to an unknown outcome that nothing has settled, whether its execution ended or not, in
 * the order of the intents: dispatches that may or may not have been applied. For each, the outside world has to be asked, by its idempotency key where it has one, before it is done again.
 *
 * Only what {@link verifyJournal} says nothing against can be relied on; this function does not judge. Of an empty journal it gives none:
 * whether nothing was dispatched or all was cut off only the head can tell.
 */
export async function openIntents(lines: JournalLines): Promise<readonly OpenIntent[]> {
  return (await verifyJournal(lines)).pairing.openIntents;
}

import { type JournalHead, type RecordFault, readRecord } from "./journal-record.js";
import { ChainCheck } from "./verify/chain.js";
import { CompletenessCheck } from "./verify/completeness.js";
import { type Finding, Problems } from "./verify/findings.js";
import { PairingCheck, type PairingFinding } from "./verify/pairing.js";

export interface VerifyJournalOptions {
  /** Where the journal ends, as its writer said: `head()`. Without it nobody can tell a cut-off journal from a whole one. */
  head?: JournalHead | undefined;
  /** Records that are known to be in the journal. They prove everything up to the last of them. */
  checkpoints?: Iterable<JournalHead> | undefined;
}

/** What can be said of a journal. The verdicts are separate because they rest on different things. */
export interface JournalVerdict {
  /**
   * No verdict is `FAIL`. Look at the others too: while completeness is `NOT PROVEN`, `ok` speaks only of the records that are
   * there, and while pairing is `OPEN`, somebody has to find out what became of the open intents.
   */
  ok: boolean;
  /** Every line is a record that hashes to what it says. */
  integrity: Finding;
  /** Every record follows the one before: none is missing in the middle, doubled, moved or exchanged. */
  continuity: Finding;
  /** Everything that was begun has its end. `OPEN`: something was in flight when the journal stopped, see `openIntents`. */
  pairing: PairingFinding;
  /** Nothing is missing at the end. `PASS` only with the `head`. */
  completeness: Finding<"PASS" | "FAIL" | "NOT PROVEN">;
  /** Lines read. */
  recordCount: number;
  /** The last record that could be read; `seq` −1 for none. It is what the file says: no proof that it is the end. */
  last: JournalHead;
}

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
 * @param lines with or without their line ends; one empty line at the end is fine
 */
export async function verifyJournal(
  lines: Iterable<string> | AsyncIterable<string>,
  options: VerifyJournalOptions = {},
): Promise<JournalVerdict> {
  const integrity = new Problems();
  const chain = new ChainCheck();
  const pairing = new PairingCheck();
  const completeness = new CompletenessCheck(options.head, options.checkpoints ?? []);
  let recordCount = 0;

  function check(text: string): void {
    const line = ++recordCount;
    const { record, fault } = readRecord(text);
    const at = record === undefined ? { line } : { line, seq: record.seq };
    if (fault !== undefined) integrity.add({ ...at, code: fault, message: FAULTS[fault] });
    chain.add(line, record);
    if (record === undefined) return;
    pairing.add(line, record);
    completeness.add(line, record);
  }

  let emptyLines = 0;
  for await (const raw of lines) {
    const text = raw.endsWith("\n") ? raw.slice(0, -1) : raw;
    if (text === "") {
      emptyLines++;
      continue;
    }
    for (; emptyLines > 0; emptyLines--) check("");
    check(text);
  }
  for (; emptyLines > 1; emptyLines--) check("");

  const intact = integrity.count === 0 && chain.problems.count === 0;
  const paired = pairing.finish();
  const complete = completeness.finish(intact);
  return {
    ok: intact && paired.verdict !== "FAIL" && complete.verdict !== "FAIL",
    integrity: integrity.finding(integrity.count === 0 ? "PASS" : "FAIL"),
    continuity: chain.problems.finding(chain.problems.count === 0 ? "PASS" : "FAIL"),
    pairing: paired,
    completeness: complete,
    recordCount,
    last: completeness.last,
  };
}

import { type JournalHead, type JournalOpening, type JournalRecord, NO_PREV } from "../journal-record.js";
import { Problems } from "./findings.js";

/**
 * Whether every record follows the one before: numbers dense from 0, `prev` the hash before, an opening record first in every file.
 *
 * A record that is out of place is reported once: the next one may follow it or the last that was in place.
 */
export class ChainCheck {
  readonly problems = new Problems();
  /** The last record, and the last one that was in place. */
  #last: JournalHead | undefined = { seq: -1, hash: NO_PREV };
  #inPlace: JournalHead = { seq: -1, hash: NO_PREV };
  #lines = 0;
  #missingBefore = 0;

  /** Records in earlier files: a journal may be looked at from the beginning of any of its files. */
  get missingBefore(): number {
    return this.#missingBefore;
  }

  /** `undefined` stands for a line that cannot be read as a record. */
  add(line: number, record: JournalRecord | undefined): void {
    this.#lines++;
    if (record === undefined) {
      this.problems.add({ line, code: "unreadable", message: "this line cannot be linked to its neighbours" });
      this.#last = undefined;
      return;
    }
    const { seq, prev, hash } = record;
    if (this.#lines === 1) this.#first(line, record);
    else if (!this.#follows(record)) this.problems.add({ line, seq, ...this.#breach(seq, prev) });
    else if (record.event.type === "journal.opened") {
      const message = "a journal begins here, in the middle of another";
      this.problems.add({ line, seq, code: "out_of_place", message });
    } else if (!continues(record)) this.#wrongPrevious(line, seq);
    this.#last = { seq, hash };
    if (seq > this.#inPlace.seq) this.#inPlace = this.#last;
  }

  #first(line: number, record: JournalRecord): void {
    const { seq, prev, event } = record;
    if (event.type === "journal.continued") {
      this.#missingBefore = seq;
      if (!continues(record)) this.#wrongPrevious(line, seq);
    } else if (event.type !== "journal.opened") {
      this.problems.add({
        line,
        seq,
        code: "no_opening",
        message: "the journal does not begin with its opening record",
      });
    } else if (!this.#follows(record)) this.problems.add({ line, seq, ...this.#breach(seq, prev) });
  }

  #wrongPrevious(line: number, seq: number): void {
    const message = "it does not carry the head of the file before it";
    this.problems.add({ line, seq, code: "wrong_prev", message });
  }

  #follows({ seq, prev }: JournalRecord): boolean {
    // After an unreadable line there is nothing to compare with; that line is the problem.
    if (this.#last === undefined) return seq > this.#inPlace.seq;
    return [this.#last, this.#inPlace].some((before) => seq === before.seq + 1 && prev === before.hash);
  }

  #breach(seq: number, prev: string) {
    const expected = this.#inPlace.seq + 1;
    if (seq > expected) {
      const gap = seq - expected;
      const missing = gap === 1 ? `record ${expected} is` : `${gap} records from ${expected} on are`;
      return { code: "missing_records", message: `${missing} missing before this one` } as const;
    }
    if (seq < expected) {
      return { code: "out_of_place", message: `record ${expected} belongs here, not ${seq}` } as const;
    }
    if (seq === 0) return { code: "wrong_prev", message: "its prev is not zeros, although it is the first" } as const;
    const message = `its prev is not the hash of record ${seq - 1}: ${prev === NO_PREV ? "another journal begins" : "one of the two was exchanged"} here`;
    return { code: "wrong_prev", message } as const;
  }
}

/** Whether the first record of another file carries the head of the file before. */
function continues({ seq, prev, event }: JournalRecord): boolean {
  if (event.type !== "journal.continued") return true;
  const { previous } = event as Partial<JournalOpening>;
  return seq > 0 && previous?.seq === seq - 1 && previous.hash === prev;
}

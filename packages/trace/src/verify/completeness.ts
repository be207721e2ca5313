import { type JournalHead, NO_PREV } from "../journal-record.js";
import { type Finding, Problems } from "./findings.js";

/** Whether anything was cut off at the end of a journal: `NOT PROVEN` without the word of a head or a checkpoint. */
export interface CompletenessFinding extends Finding<"PASS" | "FAIL" | "NOT PROVEN"> {
  /** Up to this record nothing is missing, by the word of the head or of a checkpoint; −1 where they vouch for none. */
  provenUpTo: number;
  /** Records of the journal that are in earlier files, which were not given. */
  missingBefore: number;
}

/**
 * Whether anything was cut off at the end. The records alone cannot say: that takes the head, from a place that whoever could
 * cut the journal could not change. A checkpoint says it for everything up to itself.
 */
export class CompletenessCheck {
  readonly #problems = new Problems();
  readonly #head: JournalHead | undefined;
  /** Hashes not met yet, by number. Two of the same number cannot both be right. */
  readonly #checkpoints = new Map<number, Set<string>>();
  #last: JournalHead = { seq: -1, hash: NO_PREV };
  #lastLine = 0;
  #headMet = false;
  #provenUpTo = -1;

  constructor(head: JournalHead | undefined, checkpoints: Iterable<JournalHead>) {
    this.#head = head;
    for (const { seq, hash } of checkpoints) {
      if (seq < 0) continue;
      const others = this.#checkpoints.get(seq);
      if (others === undefined) this.#checkpoints.set(seq, new Set([hash]));
      else others.add(hash);
    }
    this.#headMet = head !== undefined && head.seq < 0;
    if (head !== undefined && head.seq < 0 && (head.seq !== -1 || head.hash !== NO_PREV)) {
      const message = "no journal has such a head: before the first record it is -1, with a hash of zeros";
      this.#problems.add({ line: 1, code: "wrong_head", message });
    }
  }

  /** The last record that could be read. */
  get last(): JournalHead {
    return this.#last;
  }

  add(line: number, record: JournalHead): void {
    const { seq, hash } = record;
    this.#last = { seq, hash };
    this.#lastLine = line;
    for (const known of this.#checkpoints.get(seq) ?? []) this.#hold(known, line, record, "checkpoint");
    this.#checkpoints.delete(seq);
    if (this.#head?.seq !== seq || this.#headMet) return;
    this.#headMet = true;
    this.#hold(this.#head.hash, line, record, "head");
  }

  /**
   * @param intact whether integrity and continuity passed: what is broken in the middle is not complete
   * @param missingBefore records in earlier files that were not given
   */
  finish(intact: boolean, missingBefore: number): CompletenessFinding {
    const line = this.#lastLine + 1;
    const unmet = [...this.#checkpoints.keys()].filter((seq) => seq >= missingBefore);
    if (this.#head !== undefined && !this.#headMet) unmet.push(this.#head.seq);
    const furthest = unmet.reduce((a, b) => Math.max(a, b), -1);
    if (furthest > this.#last.seq) {
      const where = this.#last.seq < 0 ? "there is no record" : `cut off after record ${this.#last.seq}`;
      const message = `${where}: record ${furthest} is known to exist`;
      this.#problems.add({ line, code: "truncated", message });
    } else if (unmet.length > 0) {
      const message = `record ${furthest} is known to exist, but is not there`;
      this.#problems.add({ line, code: "broken_chain", message });
    }
    if (this.#head !== undefined && this.#headMet && this.#last.seq > Math.max(this.#head.seq, -1)) {
      const head =
        this.#head.seq < 0
          ? "that of a journal without a record, but there are some"
          : `record ${this.#head.seq}, but there are records after it`;
      const message = `the head is ${head}`;
      this.#problems.add({ line: this.#lastLine, seq: this.#last.seq, code: "beyond_head", message });
    }
    if (this.#head !== undefined && !intact) {
      const message =
        this.#head.seq < 0 ? "the head says that there is nothing here" : "the chain up to the head is broken";
      this.#problems.add({ line, code: "broken_chain", message });
    }
    const failed = this.#problems.count > 0;
    const proven = this.#head !== undefined && missingBefore === 0;
    return {
      ...this.#problems.finding(failed ? "FAIL" : proven ? "PASS" : "NOT PROVEN"),
      provenUpTo: intact && !failed ? this.#provenUpTo : -1,
      missingBefore,
    };
  }

  #hold(hash: string, line: number, record: JournalHead, known: "head" | "checkpoint"): void {
    if (hash === record.hash) {
      this.#provenUpTo = Math.max(this.#provenUpTo, record.seq);
      return;
    }
    const message = `not the record that the ${known} names: another journal, or rewritten from here or before`;
    this.#problems.add({ line, seq: record.seq, code: "wrong_head", message });
  }
}

import { type JournalHead, NO_PREV } from "../journal-record.js";
import { type Finding, Problems } from "./findings.js";

/**
 * Whether anything was cut off at the end. The records alone cannot say: that takes the head, from a place that whoever could
 * cut the journal could not change. A checkpoint says it for everything up to itself.
 */
export class CompletenessCheck {
  readonly #problems = new Problems();
  readonly #head: JournalHead | undefined;
  /** Checkpoints not met yet, by number. */
  readonly #checkpoints: Map<number, string>;
  #last: JournalHead = { seq: -1, hash: NO_PREV };
  #lastLine = 0;
  #headMet = false;

  constructor(head: JournalHead | undefined, checkpoints: Iterable<JournalHead>) {
    this.#head = head;
    this.#checkpoints = new Map();
    for (const { seq, hash } of checkpoints) if (seq >= 0) this.#checkpoints.set(seq, hash);
    this.#headMet = head !== undefined && head.seq < 0;
  }

  /** The last record that could be read. */
  get last(): JournalHead {
    return this.#last;
  }

  add(line: number, record: JournalHead): void {
    const { seq, hash } = record;
    this.#last = { seq, hash };
    this.#lastLine = line;
    const checkpoint = this.#checkpoints.get(seq);
    if (checkpoint !== undefined) {
      this.#checkpoints.delete(seq);
      if (checkpoint !== hash) this.#wrong(line, seq, "checkpoint");
    }
    if (this.#head?.seq !== seq || this.#headMet) return;
    this.#headMet = true;
    if (this.#head.hash !== hash) this.#wrong(line, seq, "head");
  }

  /** @param intact whether integrity and continuity passed: what is broken in the middle is not complete */
  finish(intact: boolean): Finding<"PASS" | "FAIL" | "NOT PROVEN"> {
    const line = this.#lastLine + 1;
    const unmet = [...this.#checkpoints.keys()];
    if (this.#head !== undefined && !this.#headMet) unmet.push(this.#head.seq);
    const furthest = unmet.reduce((a, b) => Math.max(a, b), -1);
    if (furthest > this.#last.seq) {
      const message = `cut off after record ${this.#last.seq}: record ${furthest} is known to exist`;
      this.#problems.add({ line, code: "truncated", message });
    } else if (unmet.length > 0) {
      const message = `record ${furthest} is known to exist, but is not there`;
      this.#problems.add({ line, code: "broken_chain", message });
    }
    if (this.#head !== undefined && this.#headMet && this.#last.seq > this.#head.seq) {
      const message = `the head is record ${this.#head.seq}, but there are records after it`;
      this.#problems.add({ line: this.#lastLine, seq: this.#last.seq, code: "beyond_head", message });
    }
    if (this.#head !== undefined && !intact) {
      this.#problems.add({ line, code: "broken_chain", message: "the chain up to the head is broken" });
    }
    if (this.#problems.count > 0) return this.#problems.finding("FAIL");
    return this.#problems.finding(this.#head === undefined ? "NOT PROVEN" : "PASS");
  }

  #wrong(line: number, seq: number, known: "head" | "checkpoint"): void {
    const message = `not the record that the ${known} names: another journal, or rewritten from here or before`;
    this.#problems.add({ line, seq, code: "wrong_head", message });
  }
}

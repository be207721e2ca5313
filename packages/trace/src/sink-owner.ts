import { checkOption, isRecord, refuseOption } from "./check-option.js";
import { isHash, type JournalHead, NO_PREV } from "./journal-record.js";
import type { JournalSink } from "./jsonl-journal.js";

/** The journal over a sink, as one that is to go on in its place sees it. */
interface SinkOwner {
  /** The last record that the sink has acknowledged. */
  head(): JournalHead;
  isWriting(): boolean;
  /** Nothing more may be written. */
  retire(): void;
}

/**
 * By the sink itself: whoever writes the same file or table through another object has to know for himself, or the sink has to refuse
 * what does not follow.
 */
const owners = new WeakMap<JournalSink, SinkOwner>();

/**
 * Makes `owner` the one journal over `sink`. A second chain among the lines of the first would destroy both, while every append of
 * theirs succeeds: so another one is refused, unless it is told where it goes on, and then the one before writes nothing more.
 *
 * @returns the record after which it goes on
 * @throws EocError `invalid_option`
 */
export function ownSink(sink: JournalSink, given: JournalHead | undefined, owner: SinkOwner): JournalHead {
  const own = sink.head ?? undefined;
  mustBeHead("head", given);
  mustBeHead("sink.head", own);
  const before = owners.get(sink);
  if (before !== undefined) {
    mayGoOn(before, given);
    before.retire();
  } else if (own !== undefined && given !== undefined && !isSame(own, given))
    refuseOption("head", `the last record of the sink, ${nameOf(own)}`, nameOf(given));
  owners.set(sink, owner);
  const { seq, hash } = given ?? own ?? { seq: -1, hash: NO_PREV };
  return { seq, hash };
}

function mayGoOn(before: SinkOwner, given: JournalHead | undefined): void {
  if (given === undefined) {
    const expected = "one without a journal, unless `head` says after which record this one goes on in its place";
    refuseOption("sink", expected, "one that has a journal");
  }
  // Where its end will be nobody knows yet.
  if (before.isWriting()) refuseOption("sink", "one that is not being written to", "one whose journal is writing");
  const last = before.head();
  // After an append that failed there may be more, and so there may be from another process.
  if (given.seq > last.seq || isSame(last, given)) return;
  refuseOption("head", `the last record that the sink was given, ${nameOf(last)}, or one after it`, nameOf(given));
}

/** What is no head would go into the next record, and nobody would find a journal any more. */
function mustBeHead(path: string, head: JournalHead | undefined): void {
  if (head === undefined) return;
  const holds = isRecord(head) && Number.isSafeInteger(head.seq) && isHash(head.hash);
  checkOption(holds && (head.seq === -1 ? head.hash === NO_PREV : head.seq >= 0), path, "{ seq, hash }", head);
}

function isSame(one: JournalHead, other: JournalHead): boolean {
  return one.seq === other.seq && one.hash === other.hash;
}

function nameOf({ seq, hash }: JournalHead): string {
  return `${seq}:${hash.slice(0, 8)}…`;
}

import { createRedactor, type ExecutionEvent, type Journal, type Redactor } from "@eoc/core";
import { type JournalHead, type JournalOpening, NO_PREV, sealRecord } from "./journal-record.js";

/** Where a journal's lines go. `createFileSink` of `@eoc/trace/node` is one. */
export interface JournalSink {
  /**
   * Keeps one line, given without its line end. Returning, or resolving, says that the line is durable; throwing or rejecting, that
   * it may not be.
   */
  append(line: string): void | Promise<void>;
  /** The last record that is already there, for a journal that goes on. */
  readonly head?: JournalHead | undefined;
}

export interface JsonlJournalOptions {
  /**
   * Masks events before they are hashed and written.
   * @defaultValue core's `createRedactor()`, which leaves `idempotencyKey` readable: it ties a record to the outside world
   */
  redactor?: Redactor;
  /** The record after which this journal goes on. @defaultValue the sink's `head`, else none: a new journal */
  head?: JournalHead | undefined;
  /** For the opening record: versions of what writes, by name. */
  versions?: Readonly<Record<string, string>>;
  /** For the opening record: digest of the policy in force. */
  policyDigest?: string;
}

/** A {@link Journal} that can say where it ends. */
export interface JsonlJournal extends Journal {
  /**
   * The last record that the sink has acknowledged and how many there are in the whole journal. Before the first one: `seq` −1,
   * `count` 0. Give it to `verifyJournal` later, from a place that whoever can write the journal cannot write.
   */
  head(): JournalHead & { count: number };
}

interface Sealed {
  line: string;
  head: JournalHead;
}

/**
 * A journal of JSON lines, each chained to the one before by SHA-256 (S8.2). The first append writes an opening record before its
 * own. Lines reach the sink one after the other, in the order of the calls. After one append that failed every later one fails
 * too: a chain that goes on after a hole would lie.
 */
export function createJsonlJournal(sink: JournalSink, options: JsonlJournalOptions = {}): JsonlJournal {
  const redactor = options.redactor ?? createRedactor({ allowKeys: ["idempotencyKey"] });
  let acknowledged: JournalHead = options.head ?? sink.head ?? { seq: -1, hash: NO_PREV };
  let sealed = acknowledged;
  let opened = false;
  let broken: Error | undefined;
  /** The append in progress; undefined when the sink is idle, so that a synchronous sink costs no promise. */
  let last: Promise<void> | undefined;

  function seal(event: unknown): Sealed {
    const record = sealRecord(sealed, redactor.redact(event));
    sealed = record.head;
    return record;
  }

  /** Sealed at the call, so that the order of the calls is the order of the chain and later changes to `event` count for nothing. */
  function sealAll(event: ExecutionEvent): Sealed[] {
    if (opened) return [seal(event)];
    opened = true;
    return [seal(opening(options, sealed)), seal(event)];
  }

  function fail(cause: unknown): Error {
    broken ??= new Error("the journal is broken: an append failed, so nothing more can be recorded", { cause });
    return broken;
  }

  function write(records: readonly Sealed[], from = 0): void | Promise<void> {
    for (let index = from; index < records.length; index++) {
      if (broken !== undefined) throw broken;
      const { line, head } = records[index]!;
      let answer: void | Promise<void>;
      try {
        answer = sink.append(line);
      } catch (cause) {
        throw fail(cause);
      }
      if (isThenable(answer)) {
        return Promise.resolve(answer).then(
          () => {
            acknowledged = head;
            return write(records, index + 1);
          },
          (cause) => {
            throw fail(cause);
          },
        );
      }
      acknowledged = head;
    }
  }

  return {
    append(event) {
      if (broken !== undefined) throw broken;
      let records: Sealed[];
      try {
        records = sealAll(event);
      } catch (cause) {
        throw fail(cause);
      }
      const answer = last === undefined ? write(records) : last.then(() => write(records));
      if (answer === undefined) return;
      const pending = answer.finally(() => {
        if (last === pending) last = undefined;
      });
      last = pending;
      return pending;
    },
    head: () => ({ ...acknowledged, count: acknowledged.seq + 1 }),
  };
}

function opening({ versions, policyDigest }: JsonlJournalOptions, head: JournalHead): JournalOpening {
  return {
    type: head.seq < 0 ? "journal.opened" : "journal.resumed",
    ...(versions === undefined ? undefined : { versions }),
    ...(policyDigest === undefined ? undefined : { policyDigest }),
  };
}

function isThenable(answer: void | Promise<void>): answer is Promise<void> {
  return typeof (answer as Promise<void> | undefined)?.then === "function";
}

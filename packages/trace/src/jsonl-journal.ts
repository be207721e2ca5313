import {
  type Clock,
  createRedactor,
  createSystemClock,
  type ExecutionPolicyInput,
  type FinalDecisionInput,
  type Journal,
  type Redactor,
} from "@eoc/core";
import { type Append, batchesOf } from "./append-batches.js";
import { checkJournalOptions } from "./check-journal-options.js";
import { type CheckpointOptions, Checkpoints, type JournalCheckpoint } from "./checkpoints.js";
import { boundsOf } from "./journal-bounds.js";
import { eventText, type JournalHead, type JournalOpening, sealRecord } from "./journal-record.js";
import { type SettlementInput, settlementOf } from "./journal-settlement.js";
import { recordPolicy } from "./policy-record.js";
import { isToldApart, withIdsAsTheyAre, withIdsToldApart } from "./redact-event.js";
import { ownSink } from "./sink-owner.js";

/** Where a journal's lines go. `createFileSink` of `@eoc/trace/node` is one. */
export interface JournalSink {
  /**
   * Keeps one line, given without its line end. Returning, or resolving, says that the line is durable; throwing or rejecting, that
   * it may not be.
   */
  append(line: string): void | Promise<void>;
  /**
   * Keeps several lines, in their order, and says when all are durable. With it everything that is appended while a write is under
   * way, or in the same turn, goes into the next one. Not to be enumerable, lest who wraps `append` alone is passed by.
   * @defaultValue lines are appended one by one
   */
  appendAll?(lines: readonly string[]): void | Promise<void>;
  /** The last record that is already there, for a journal that goes on. */
  readonly head?: JournalHead | undefined;
  /**
   * Whether the next record is to begin another file, once lines of `pending` bytes have been appended. Asked before every record but
   * the first. @defaultValue it never is
   */
  isFull?(pending: number): boolean;
  /** Begins another file, where the next line goes. A failure of it is one of the journal. */
  rotate?(): void | Promise<void>;
}

/** Options of {@link createJsonlJournal}. */
export interface JsonlJournalOptions {
  /**
   * Masks events before they are hashed and written. In ids of executions and actions and in idempotency keys it masks what it finds
   * in their text, and a digest of each that it changes follows, so that two stay two.
   * @defaultValue core's `createRedactor()`, and ids and keys are written as they are: they tie a record to the outside world
   */
  redactor?: Redactor;
  /**
   * The record after which this journal goes on. Where the sink has a `head`, it is that one. It is needed where this sink object has had
   * a journal already, which writes nothing more from then on; after an append that failed, take it from what the sink really holds.
   * @defaultValue the sink's `head`, else none: a new journal
   */
  head?: JournalHead | undefined;
  /** For the opening record: versions of what writes, by name. */
  versions?: Readonly<Record<string, string>>;
  /**
   * For the opening record: the policy of the executions that do not name their own (`forExecution`). `verifyJournal` holds them to
   * it. It is written as it is: a policy is numbers and closed words, and the names of actions.
   */
  policy?: ExecutionPolicyInput;
  /** Says when something was settled. @defaultValue the system clock */
  clock?: Pick<Clock, "now">;
  /** Checkpoints for a second place. @defaultValue none but those that `checkpoint()` returns, unsigned */
  checkpoints?: CheckpointOptions;
}

/** A {@link Journal} that can say where it ends. */
export interface JsonlJournal extends Journal {
  readonly keepsOrder: true;
  /**
   * The last record that the sink has acknowledged and how many there are in the whole journal. Before the first one: `seq` −1,
   * `count` 0. Give it to `verifyJournal` later, from a place that whoever can write the journal cannot write.
   */
  head(): JournalHead & { count: number };
  /**
   * The journal for executions of `decision` under `policy`: writes the policy and the effect class of every action beside the start
   * of each, for `verifyJournal` to hold it to. Of a decision or policy that is invalid there is nothing to write.
   */
  forExecution(decision: FinalDecisionInput, policy: ExecutionPolicyInput): Journal;
  /**
   * Records what somebody found out of a dispatch that was in doubt, by asking the outside world: `openIntents` does not list it any
   * more. Give it one of those, with the outcome. Resolves when it is durable, and changes no idempotency record.
   *
   * @throws EocError `invalid_option` (rejects) for what is no settlement
   */
  settle(settlement: SettlementInput): Promise<void>;
  /**
   * Writes a checkpoint of {@link head} now, to the place that the options name, and returns it. Rejects with what its signer or that
   * place rejects with; the journal itself goes on.
   */
  checkpoint(): Promise<JournalCheckpoint>;
}

const encoder = new TextEncoder();

/**
 * A journal of JSON lines, each chained to the one before by SHA-256 (S8.2). The first append writes an opening record before its
 * own. Lines reach the sink in the order of the calls, one write after the other. After one append that failed every later one
 * fails too: a chain that goes on after a hole would lie.
 *
 * A sink has one journal: make it once and share it. A second one over the same sink object is refused, unless `head` says after which
 * record it goes on in the place of the first.
 *
 * @throws EocError `invalid_policy`, `invalid_option`
 */
export function createJsonlJournal(sink: JournalSink, options: JsonlJournalOptions = {}): JsonlJournal {
  checkJournalOptions(sink, options);
  const { redactor = createRedactor() } = options;
  const redact = options.redactor === undefined ? withIdsAsTheyAre(redactor) : withIdsToldApart(redactor);
  const writer: Omit<JournalOpening, "type"> = {
    ...(options.versions === undefined ? undefined : { versions: redactor.redact(options.versions) as never }),
    ...(options.policy === undefined ? undefined : recordPolicy(options.policy)),
  };
  const { clock = createSystemClock() } = options;
  let opened = false;
  /** Nothing more may be appended. */
  let broken: Error | undefined;
  /** Nor may what was appended before be written: a write has failed. */
  let isCut = false;
  /** A write is under way, or will be as soon as this turn is over. */
  let busy = false;
  let waiting: Append[] = [];
  let acknowledged: JournalHead = ownSink(sink, options.head, {
    head: () => acknowledged,
    isWriting: () => busy,
    retire: () => {
      broken ??= new Error("another journal goes on in the place of this one, so nothing more can be recorded here");
    },
  });
  const head = () => ({ ...acknowledged, count: acknowledged.seq + 1 });
  const checkpoints = new Checkpoints(head, options.checkpoints);

  function put(lines: readonly string[], end: JournalHead): void | Promise<void> {
    const written = () => {
      acknowledged = end;
      checkpoints.noticeRecords(lines.length);
    };
    const answer = sink.appendAll === undefined ? sink.append(lines[0]!) : sink.appendAll(lines);
    return isThenable(answer) ? Promise.resolve(answer).then(written) : written();
  }

  /** What has to be done for these events, given in canonical JSON, one step after the other. */
  function* stepsFor(texts: readonly string[]): Generator<void | Promise<void>, void> {
    const opening: JournalOpening = { type: acknowledged.seq < 0 ? "journal.opened" : "journal.resumed", ...writer };
    let end = acknowledged;
    let lines: string[] = [];
    let length = 0;
    for (const text of opened ? texts : [eventText(opening), ...texts]) {
      opened = true;
      if (end.seq >= 0 && sink.isFull?.(length) === true) {
        if (lines.length > 0) yield put(lines, end);
        yield sink.rotate?.();
        const continued: JournalOpening = { type: "journal.continued", previous: acknowledged, ...writer };
        const first = sealRecord(acknowledged, eventText(continued));
        yield put([first.line], first.head);
        [end, lines, length] = [acknowledged, [], 0];
      }
      const record = sealRecord(end, text);
      end = record.head;
      lines.push(record.line);
      if (sink.isFull !== undefined) length += encoder.encode(record.line).length + 1;
      if (sink.appendAll !== undefined) continue;
      yield put(lines, end);
      [end, lines, length] = [acknowledged, [], 0];
    }
    if (lines.length > 0) yield put(lines, end);
  }

  function cut(cause: unknown): Error {
    isCut = true;
    return fail(cause);
  }

  function fail(cause: unknown): Error {
    broken ??= new Error("the journal is broken: an append failed, so nothing more can be recorded", { cause });
    return broken;
  }

  function run(steps: Generator<void | Promise<void>, void>): void | Promise<void> {
    try {
      for (let step = steps.next(); !step.done; step = steps.next()) {
        if (isThenable(step.value)) {
          return Promise.resolve(step.value).then(
            () => run(steps),
            (cause) => {
              throw cut(cause);
            },
          );
        }
      }
    } catch (cause) {
      throw cut(cause);
    }
  }

  /** @param eventsOf what is to be appended, as it is now: what happens to an event later counts for nothing */
  function append(eventsOf: () => readonly unknown[]): void | Promise<void> {
    if (broken !== undefined) throw broken;
    let texts: string[];
    try {
      texts = eventsOf().map(eventText);
    } catch (cause) {
      throw fail(cause);
    }
    if (!busy && sink.appendAll === undefined) return writeNow(texts);
    return new Promise((resolve, reject) => {
      waiting.push({ texts, resolve, reject });
      if (busy) return;
      busy = true;
      void Promise.resolve().then(writeWaiting);
    });
  }

  /** A sink that answers at once costs no promise. What its answer leads to, and what comes before it, waits. */
  function writeNow(texts: readonly string[]): void | Promise<void> {
    busy = true;
    let answer: Promise<void> | undefined;
    try {
      answer = run(stepsFor(texts)) ?? undefined;
    } catch (error) {
      void writeWaiting();
      throw error;
    }
    if (answer === undefined) void writeWaiting();
    else answer.then(writeWaiting, writeWaiting);
    return answer;
  }

  async function writeWaiting(): Promise<void> {
    while (waiting.length > 0) {
      const taken = waiting;
      waiting = [];
      for (const batch of batchesOf(taken, sink.appendAll !== undefined)) {
        try {
          if (isCut) throw broken;
          await run(stepsFor(batch.flatMap(({ texts }) => texts)));
          for (const { resolve } of batch) resolve();
        } catch (error) {
          for (const { reject } of batch) reject(error);
        }
      }
    }
    busy = false;
  }

  return keepingOrder({
    head,
    append: (event) => append(() => [redact(event)]),
    forExecution(decision, policy) {
      const bounds = boundsOf(decision, policy, writer.policyDigest);
      return keepingOrder({
        append: (event) => {
          const isBound = event.type === "execution.started" && event.planHash === bounds?.planHash;
          const { executionId } = event;
          return append(() => [
            redact(event),
            ...(isBound ? [{ ...bounds, ...(redact({ executionId }) as object) }] : []),
          ]);
        },
      });
    },
    async settle(given) {
      const settlement = settlementOf(given, clock.now());
      const { executionId } = settlement;
      // An open intent has its id as the records have it.
      const known = isToldApart(executionId) ? { executionId } : undefined;
      await append(() => [{ ...(redact(settlement) as object), ...known }]);
    },
    checkpoint: () => checkpoints.write(),
  });
}

/** Not enumerable: who wraps `append` and takes over the rest may well not keep the order. */
function keepingOrder<T extends Journal>(journal: Omit<T, "keepsOrder">): T {
  return Object.defineProperty(journal, "keepsOrder", { value: true }) as T;
}

function isThenable(answer: void | Promise<void>): answer is Promise<void> {
  return typeof (answer as Promise<void> | undefined)?.then === "function";
}

import {
  createRedactor,
  definePolicy,
  type ExecutionEvent,
  type ExecutionPolicyInput,
  type FinalDecisionInput,
  type Journal,
  planExecution,
  type Redactor,
} from "@eoc/core";
import { FinalDecisionSchema } from "@eoc/decision-schema";
import { type CheckpointOptions, Checkpoints, type JournalCheckpoint } from "./checkpoints.js";
import {
  eventText,
  type JournalBounds,
  type JournalHead,
  type JournalOpening,
  NO_PREV,
  sealRecord,
} from "./journal-record.js";
import { recordPolicy } from "./policy-record.js";

/** Where a journal's lines go. `createFileSink` of `@eoc/trace/node` is one. */
export interface JournalSink {
  /**
   * Keeps one line, given without its line end. Returning, or resolving, says that the line is durable; throwing or rejecting, that
   * it may not be.
   */
  append(line: string): void | Promise<void>;
  /** The last record that is already there, for a journal that goes on. */
  readonly head?: JournalHead | undefined;
  /** Whether the next record is to begin another file. Asked before every record but the first. @defaultValue it never is */
  isFull?(): boolean;
  /** Begins another file, where the next line goes. A failure of it is one of the journal. */
  rotate?(): void | Promise<void>;
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
  /**
   * For the opening record: the policy of the executions that do not name their own (`forExecution`). `verifyJournal` holds them to
   * it. It is written as it is: a policy is numbers and closed words, and the names of actions.
   */
  policy?: ExecutionPolicyInput;
  /** Checkpoints for a second place. @defaultValue none but those that `checkpoint()` returns, unsigned */
  checkpoints?: CheckpointOptions;
}

/** A {@link Journal} that can say where it ends. */
export interface JsonlJournal extends Journal {
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
   * Writes a checkpoint of {@link head} now, to the place that the options name, and returns it. Rejects with what its signer or that
   * place rejects with; the journal itself goes on.
   */
  checkpoint(): Promise<JournalCheckpoint>;
}

/**
 * A journal of JSON lines, each chained to the one before by SHA-256 (S8.2). The first append writes an opening record before its
 * own. Lines reach the sink one after the other, in the order of the calls. After one append that failed every later one fails
 * too: a chain that goes on after a hole would lie.
 *
 * @throws EocError `invalid_policy`
 */
export function createJsonlJournal(sink: JournalSink, options: JsonlJournalOptions = {}): JsonlJournal {
  const redactor = options.redactor ?? createRedactor({ allowKeys: ["idempotencyKey"] });
  const writer: Omit<JournalOpening, "type"> = {
    ...(options.versions === undefined ? undefined : { versions: redactor.redact(options.versions) as never }),
    ...(options.policy === undefined ? undefined : recordPolicy(options.policy)),
  };
  let acknowledged: JournalHead = options.head ?? sink.head ?? { seq: -1, hash: NO_PREV };
  let opened = false;
  let broken: Error | undefined;
  /** The append in progress; undefined when the sink is idle, so that a synchronous sink costs no promise. */
  let last: Promise<void> | undefined;
  const head = () => ({ ...acknowledged, count: acknowledged.seq + 1 });
  const checkpoints = new Checkpoints(head, options.checkpoints);

  function put(event: unknown): void | Promise<void> {
    const record = sealRecord(acknowledged, eventText(event));
    const written = () => {
      acknowledged = record.head;
      checkpoints.noticeRecord();
    };
    const answer = sink.append(record.line);
    return isThenable(answer) ? Promise.resolve(answer).then(written) : written();
  }

  /** What has to be done for these records, one step after the other. */
  function* stepsFor(events: readonly unknown[]): Generator<void | Promise<void>, void> {
    const isNew = acknowledged.seq < 0;
    const opening: JournalOpening = { type: isNew ? "journal.opened" : "journal.resumed", ...writer };
    for (const event of opened ? events : [opening, ...events]) {
      opened = true;
      if (acknowledged.seq >= 0 && sink.isFull?.() === true) {
        yield sink.rotate?.();
        yield put({ type: "journal.continued", previous: acknowledged, ...writer } satisfies JournalOpening);
      }
      yield put(event);
    }
  }

  function fail(cause: unknown): Error {
    broken ??= new Error("the journal is broken: an append failed, so nothing more can be recorded", { cause });
    return broken;
  }

  function run(steps: Generator<void | Promise<void>, void>): void | Promise<void> {
    if (broken !== undefined) throw broken;
    try {
      for (let step = steps.next(); !step.done; step = steps.next()) {
        if (isThenable(step.value)) {
          return step.value.then(
            () => run(steps),
            (cause) => {
              throw fail(cause);
            },
          );
        }
      }
    } catch (cause) {
      throw fail(cause);
    }
  }

  function append(events: readonly unknown[]): void | Promise<void> {
    const answer = last === undefined ? run(stepsFor(events)) : last.then(() => run(stepsFor(events)));
    if (answer === undefined) return;
    const pending = answer.finally(() => {
      if (last === pending) last = undefined;
    });
    last = pending;
    return pending;
  }

  return {
    head,
    // Redacted at the call: what happens to an event later counts for nothing.
    append: (event) => append([redactor.redact(event)]),
    forExecution(decision, policy) {
      const boundsOf = readBounds(decision, policy);
      return {
        append(event) {
          const bounds = boundsOf(event);
          return append(bounds === undefined ? [redactor.redact(event)] : [redactor.redact(event), bounds]);
        },
      };
    },
    checkpoint: () => checkpoints.write(),
  };

  /** What is to be written after the start of an execution, when it is one of this plan. */
  function readBounds(decision: FinalDecisionInput, input: ExecutionPolicyInput) {
    let bounds: Omit<JournalBounds, "executionId"> | undefined;
    try {
      const policy = definePolicy(input);
      const { actions, planHash } = planExecution(FinalDecisionSchema.parse(decision), policy);
      const effects = actions.map(({ effect }) => effect);
      const recorded = recordPolicy(policy);
      const { policyDigest } = recorded;
      const known = policyDigest === writer.policyDigest ? { policyDigest } : recorded;
      bounds = { type: "journal.bounds", planHash, effects, ...known };
    } catch {
      // `execute` refuses it too.
    }
    return (event: ExecutionEvent): JournalBounds | undefined => {
      if (event.type !== "execution.started" || event.planHash !== bounds?.planHash) return undefined;
      // Masked or not as in the events, whatever the redactor has been told of this name.
      return { ...bounds, ...(redactor.redact({ executionId: event.executionId }) as { executionId: string }) };
    };
  }
}

function isThenable(answer: void | Promise<void>): answer is Promise<void> {
  return typeof (answer as Promise<void> | undefined)?.then === "function";
}

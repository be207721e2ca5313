import type { JournalRecord } from "../journal-record.js";
import { addTo, EndedDoubts } from "./ended-doubts.js";
import { type JournalProblemCode, Problems } from "./findings.js";
import type { CutShort, OpenIntent, PairingFinding } from "./open-intent.js";
import { type AnyEvent, type Execution, inDoubtOf, intentOf, type Place, provesEffect } from "./paired-execution.js";
import { Settlements } from "./settlements.js";

/** Events that begin something, or end it. An action is there once, and has one wait and one reconciliation at a time. */
const BEGINS = new Map([
  ["action.started", "action"],
  ["wait.started", "wait of action"],
  ["reconcile.started", "reconcile of action"],
]);
const ENDS = new Map([
  ["action.finished", "action"],
  ["wait.finished", "wait of action"],
  ["reconcile.finished", "reconcile of action"],
]);

/**
 * Whether nothing of the action is in doubt any more. A row that is unknown is on record, but nobody has had it before its execution's
 * end.
 */
function settlesDoubts(event: AnyEvent): boolean {
  if (event.type === "action.finished") return event.status !== "unknown";
  return event.type === "reconcile.finished" && provesEffect(event);
}

/** Events that may come after the report: an answer that came late, and what became of its key. */
const MAY_COME_LATE = /^(attempt\.settled_late|key\.(completed|released|unknown))$/;

/**
 * Whether everything that was begun has its end, nothing ended that was not begun, and the events of every execution are numbered
 * without a gap. Holds what is open, was cut off or is in doubt, and nothing else, so that a journal of any length fits.
 */
export class PairingCheck {
  readonly #problems = new Problems();
  readonly #executions = new Map<string, Execution>();
  /** Executions that a restart of the writer cut off, and those whose id another one has taken. */
  readonly #cutOff: Execution[] = [];
  readonly #cutOffByKey = new Map<string, Execution[]>();
  readonly #ended = new EndedDoubts();
  readonly #settlements = new Settlements();
  #run = 0;
  /** The first record is one in the middle of the journal: what began before it is not judged. */
  #fromTheMiddle = false;
  /** The number of the first record. */
  #firstSeq: number | undefined;

  add(line: number, record: JournalRecord): void {
    const place = { line, seq: record.seq };
    const event = record.event as unknown as AnyEvent;
    this.#firstSeq ??= record.seq;
    if (event.type.startsWith("journal.")) {
      if (event.type === "journal.continued") this.#fromTheMiddle ||= line === 1;
      else if (event.type === "journal.opened" || event.type === "journal.resumed") this.#restart();
      else if (event.type === "journal.settled") this.#settleByWord(place, event);
      return;
    }
    const execution = this.#executionOf(place, event);
    if (execution === undefined) {
      const message = `${event.type} of an execution that is not open`;
      if (!MAY_COME_LATE.test(event.type)) this.#wrong(place, "end_without_start", message);
      else if (event.type === "attempt.settled_late") this.#ended.heardOf(event, this.#settlements);
      return;
    }
    if (event.seq !== execution.nextNumber) {
      const message = `event ${event.seq} of its execution where event ${execution.nextNumber} belongs`;
      this.#wrong(place, "event_missing", message);
    }
    execution.nextNumber = event.seq + 1;
    this.#apply(place, execution, event);
  }

  /** An event whose fields are not what they must be, which is in no execution then. */
  refuse(line: number, { seq, event }: JournalRecord, fault: string): void {
    this.#wrong({ line, seq }, "malformed_event", `${event.type}: ${fault}`);
  }

  finish(): PairingFinding {
    const failed = this.#problems.count > 0;
    const unended = this.#unended();
    const cutShort: CutShort[] = [];
    const openIntents: OpenIntent[] = [];
    let isOpen = false;
    for (const execution of unended) {
      const { id, start, run } = execution;
      const inDoubt = inDoubtOf(execution);
      openIntents.push(...inDoubt);
      // Whoever wrote it is gone, and nobody has to find out anything.
      if (run < this.#run && inDoubt.length === 0) cutShort.push({ executionId: id, ...start });
      else {
        isOpen = true;
        this.#wrong(start, "left_open", `execution ${id} has no end`);
      }
    }
    openIntents.sort((a, b) => a.line - b.line);
    for (const { line, seq, executionId, actionIndex, attemptNumber, outcome } of openIntents) {
      const end = outcome === undefined ? "has no end" : "has an unknown outcome, which nothing has settled";
      const message = `attempt ${attemptNumber} of action ${actionIndex} of execution ${executionId} ${end}`;
      this.#wrong({ line, seq }, "left_open", message);
    }
    // What ended in doubt has its end: nothing is wrong with the journal.
    openIntents.push(...this.#ended.left());
    openIntents.sort((a, b) => a.line - b.line);
    return { ...this.#problems.finding(failed ? "FAIL" : isOpen ? "OPEN" : "PASS"), openIntents, cutShort };
  }

  /** Whoever wrote is gone: what he had begun will not end. */
  #restart(): void {
    this.#run++;
    for (const execution of this.#executions.values()) {
      this.#cutOff.push(execution);
      for (const key of execution.claimed.values()) addTo(this.#cutOffByKey, key, execution);
    }
    this.#executions.clear();
  }

  #unended(): Execution[] {
    return [...this.#cutOff, ...this.#executions.values()];
  }

  /** Somebody says what a dispatch came to, by the number of its intent. What the records contradict settles nothing. */
  #settleByWord(place: Place, event: AnyEvent): void {
    const { intentSeq } = event;
    if (intentSeq < this.#firstSeq!) return; // Its intent is in a file that was not given.
    const unended = this.#unended();
    for (const { intents } of unended)
      for (const intent of intents.values()) if (intent.seq === intentSeq) this.#settlements.doubt(intent);
    const fault = this.#settlements.faultOf(event);
    if (fault !== undefined) return this.#wrong(place, "settlement_mismatch", fault);
    if (this.#ended.settle(intentSeq)) return;
    for (const { intents, settled, doubts } of unended) {
      for (const [attempt, { seq }] of intents) if (seq === intentSeq) settled.add(attempt);
      for (const [action, list] of doubts) {
        if (list.some(({ seq }) => seq === intentSeq))
          doubts.set(
            action,
            list.filter(({ seq }) => seq !== intentSeq),
          );
      }
    }
  }

  /** Reconcile has said what became of an action. Before any dispatch that is what became of its key, which was found in doubt. */
  #noDoubt({ claimed, intended, doubts }: Execution, event: AnyEvent): void {
    const { type, actionIndex, attemptNumber, verdict } = event;
    const key = claimed.get(actionIndex);
    const asked = doubts.get(actionIndex)?.find((each) => each.attemptNumber === attemptNumber);
    if (type === "reconcile.finished" && asked !== undefined) this.#settlements.found(asked.seq, verdict);
    if (type === "reconcile.finished" && key !== undefined && !intended.has(actionIndex)) this.#settleKey(key);
    doubts.delete(actionIndex);
  }

  /** Of those who had claimed the key: whoever had it without a claim had another one by the same name. */
  #settleKey(key: string): void {
    this.#ended.settleKey(key);
    for (const { intents, settled, doubts } of this.#cutOffByKey.get(key) ?? []) {
      for (const [attempt, { idempotencyKey }] of intents) if (idempotencyKey === key) settled.add(attempt);
      for (const [action, list] of doubts)
        doubts.set(
          action,
          list.filter(({ idempotencyKey }) => idempotencyKey !== key),
        );
    }
    this.#cutOffByKey.delete(key);
  }

  #executionOf(place: Place, event: AnyEvent): Execution | undefined {
    if (event.type === "execution.started") return this.#begin(place, event, false);
    const found = this.#executions.get(event.executionId);
    if (found !== undefined || !this.#fromTheMiddle || MAY_COME_LATE.test(event.type)) return found;
    return this.#begin(place, event, true);
  }

  #begin(start: Place, { executionId: id, seq, actionCount = 0 }: AnyEvent, isPartial: boolean): Execution {
    const before = this.#executions.get(id);
    if (before !== undefined) {
      this.#wrong(start, "started_twice", `execution ${id} is open: two at a time need two ids`);
      this.#cutOff.push(before);
    }
    const execution: Execution = {
      id,
      start,
      run: this.#run,
      isPartial,
      nextNumber: isPartial ? seq : 0,
      actionCount,
      rows: 0,
      intents: new Map(),
      settled: new Set(),
      doubts: new Map(),
      open: new Set(),
      begun: new Map(),
      claimed: new Map(),
      intended: new Set(),
    };
    this.#executions.set(id, execution);
    return execution;
  }

  #apply(place: Place, execution: Execution, event: AnyEvent): void {
    const { type, actionIndex } = event;
    const begins = BEGINS.get(type);
    const ends = ENDS.get(type);
    if (begins !== undefined) {
      const what = `${begins} ${actionIndex}`;
      const again = type === "action.started" ? execution.begun.has(actionIndex) : execution.open.has(what);
      if (again) this.#wrong(place, "started_twice", `${what} was begun before`);
      execution.open.add(what);
      if (type === "action.started") execution.begun.set(actionIndex, event.id);
    } else if (ends !== undefined) {
      this.#close(place, execution, execution.open.delete(`${ends} ${actionIndex}`), type);
      if (type === "action.finished") execution.rows++;
      if (settlesDoubts(event)) this.#noDoubt(execution, event);
    } else if (type.startsWith("attempt.")) this.#attempt(place, execution, event);
    else if (type === "key.claimed") execution.claimed.set(actionIndex, event.idempotencyKey!);
    else if (type.startsWith("key.")) this.#close(place, execution, execution.claimed.has(actionIndex), type);
    else if (type === "execution.finished") this.#end(place, execution);
  }

  #attempt(place: Place, execution: Execution, event: AnyEvent): void {
    const { type, actionIndex, attemptNumber } = event;
    const key = `${actionIndex}/${attemptNumber}`;
    const intent = execution.intents.get(key);
    execution.intended.add(actionIndex);
    if (type === "attempt.intended") {
      this.#close(place, execution, execution.begun.has(actionIndex), type);
      if (intent !== undefined) this.#wrong(place, "started_twice", `attempt ${attemptNumber} is open`);
      execution.intents.set(key, intentOf(place, execution, event, false));
    } else if (type === "attempt.started") {
      this.#close(place, execution, intent !== undefined && !intent.dispatched, type);
      if (intent === undefined && execution.isPartial)
        execution.intents.set(key, intentOf(place, execution, event, true));
      if (intent !== undefined) Object.assign(intent, { dispatched: true, startedAtMs: event.atMs });
    } else if (type === "attempt.finished" || type === "attempt.withdrawn") {
      const fits = intent?.dispatched === (type === "attempt.finished");
      this.#close(place, execution, fits, type);
      execution.intents.delete(key);
      if (intent !== undefined && !execution.settled.delete(key))
        this.#settle(execution, { ...intent, outcome: "unknown" }, event.status);
    } else if (type === "attempt.settled_late") {
      const doubt = execution.doubts.get(actionIndex)?.find((each) => each.attemptNumber === attemptNumber);
      if (doubt === undefined) return;
      this.#settle(execution, doubt, event.status);
      this.#settlements.heardOf(doubt.seq, event.status);
    }
  }

  /** An attempt has ended, or is heard of late: a success settles what was in doubt before, since its action was repeatable. */
  #settle({ doubts }: Execution, attempt: OpenIntent, status: string): void {
    const { actionIndex, attemptNumber } = attempt;
    if (status === "unknown") this.#settlements.doubt(attempt);
    const others = (doubts.get(actionIndex) ?? []).filter((each) => each.attemptNumber !== attemptNumber);
    if (status === "success") doubts.delete(actionIndex);
    else doubts.set(actionIndex, status === "unknown" ? [...others, attempt] : others);
  }

  #end(place: Place, execution: Execution): void {
    for (const what of execution.open) this.#wrong(place, "left_open", `its execution ends, but the ${what} does not`);
    for (const { actionIndex, attemptNumber } of execution.intents.values()) {
      const message = `its execution ends, but attempt ${attemptNumber} of action ${actionIndex} does not`;
      this.#wrong(place, "left_open", message);
    }
    if (!execution.isPartial && execution.rows !== execution.actionCount) {
      const message = `its execution ends with ${execution.rows} of ${execution.actionCount} actions`;
      this.#wrong(place, "event_missing", message);
    }
    this.#executions.delete(execution.id);
    for (const [action, doubts] of execution.doubts) this.#ended.add(doubts, execution.claimed.get(action));
  }

  #close(place: Place, { isPartial }: Execution, wasOpen: boolean, type: string): void {
    if (!wasOpen && !isPartial) this.#wrong(place, "end_without_start", `${type} without what must come before it`);
  }

  #wrong(place: Place, code: JournalProblemCode, message: string): void {
    this.#problems.add({ ...place, code, message });
  }
}

import type { DatabaseSync } from "node:sqlite";
import { after, machineTime, pause } from "../machine-time.ts";
import type { Answer, Operation, Request } from "../protocol.ts";
import { concernsAll, failureOf, isBusy, StoreFailure } from "./failure.ts";
import type { StoreFile } from "./store-file.ts";
import type { Tables } from "./tables.ts";

interface Waiting {
  readonly request: Request;
  readonly sinceMs: number;
}

const READS: ReadonlySet<Operation> = new Set(["find", "list", "read_switch", "journal_names", "read_journal"]);
const NOTES: ReadonlySet<Operation> = new Set(["stamp", "cancel"]);

/** Requests in one transaction at most: others who wait for the file are to get their turn. */
const GROUP = 500;

/** A note waits for a transaction that is made anyway, but no longer than this; longer after a failure. */
const NOTE_DELAY_MS = 10;
const FAILED_NOTE_DELAY_MS = 250;

/** Until the next try when somebody else holds the file: a little longer every time, and never in step with others. */
const RETRY_MS = 1;
const LONGEST_RETRY_MS = 6;

const real = machineTime();

/**
 * Commits requests in groups: whatever has come while the last transaction was committed shares the next one, and is answered only
 * after its commit has returned. Reads do not wait for anybody who writes.
 */
export class Transactions {
  readonly #file: StoreFile;
  readonly #tables: Tables;
  readonly #busyTimeoutMs: number;
  readonly #answer: (answers: Answer[]) => void;
  #reads: Waiting[] = [];
  #writes: Waiting[] = [];
  /** Stamps and returns of permits, in order. Kept until they are written: without them a permit stays occupied. */
  #notes: Request[] = [];
  #cancelTimer: (() => void) | undefined;
  /** In vain, one after the other. */
  #tries = 0;

  constructor(file: StoreFile, tables: Tables, busyTimeoutMs: number, answer: (answers: Answer[]) => void) {
    this.#file = file;
    this.#tables = tables;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#answer = answer;
  }

  get #isWaiting(): boolean {
    return this.#reads.length + this.#writes.length > 0;
  }

  add(requests: readonly Request[]): void {
    const sinceMs = real.monotonicMs();
    for (const request of requests) {
      const [, operation] = request;
      if (NOTES.has(operation)) this.#notes.push(request);
      else (READS.has(operation) ? this.#reads : this.#writes).push({ request, sinceMs });
    }
  }

  /** Does what can be done now; comes back by itself for the rest. */
  work(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#reads.length > 0) this.#read();
    if (this.#writes.length > 0) this.#write();
    if (this.#isWaiting) {
      const delayMs = Math.min(RETRY_MS + this.#tries++ / 2, LONGEST_RETRY_MS);
      this.#comeBack(delayMs * (0.5 + jitter()), () => this.work());
    }
    if (!this.#isWaiting && this.#notes.length > 0) this.#comeBack(NOTE_DELAY_MS, () => this.#flushNotes());
  }

  #comeBack(delayMs: number, then: () => void): void {
    this.#cancelTimer = after(delayMs, then);
  }

  #flushNotes(): void {
    if (!this.flush()) this.#comeBack(FAILED_NOTE_DELAY_MS, () => this.#flushNotes());
  }

  /** Does everything that still waits, then `last`; no longer than the file may be held by others. Then no timer is left. */
  finish(last: () => void): void {
    for (this.work(); this.#isWaiting; this.work()) pause(RETRY_MS);
    this.#cancelTimer?.();
    const startedMs = real.monotonicMs();
    while (!this.flush(last) && real.monotonicMs() - startedMs < this.#busyTimeoutMs) pause(RETRY_MS);
  }

  #read(): void {
    const answers: Answer[] = [];
    this.#reads = this.#reads.filter((waiting) => {
      const answer = this.#attempt(waiting, () => {
        const found = this.#tables.run(waiting.request);
        this.#file.mustBeCurrent();
        return found;
      });
      if (answer === undefined) return true;
      answers.push(answer);
      return false;
    });
    if (answers.length > 0) this.#answer(answers);
  }

  /** The answer of `run`, or its failure; undefined when the file is busy and there is time for another try. */
  #attempt({ request: [id], sinceMs }: Waiting, run: () => unknown): Answer | undefined {
    try {
      return [id, run()];
    } catch (error) {
      if (isBusy(error) && real.monotonicMs() - sinceMs < this.#busyTimeoutMs) return undefined;
      return [id, undefined, failureOf(error)];
    }
  }

  #write(): void {
    const group = this.#writes.slice(0, GROUP);
    try {
      const answers = this.#commit(() => group.map(({ request }) => this.#answerInGroup(request)));
      this.#writes.splice(0, group.length);
      this.#answer(answers);
    } catch (error) {
      if (isBusy(error)) this.#giveUpLate(error);
      else {
        this.#writes.splice(0, group.length);
        // One request that cannot be carried out is no reason to refuse the others.
        if (concernsAll(error) || error instanceof StoreFailure) this.#answer(group.map(failing(error)));
        else this.#answer(group.map((waiting) => this.#writeAlone(waiting)));
      }
    }
  }

  #answerInGroup(request: Request): Answer {
    try {
      return [request[0], this.#tables.run(request)];
    } catch (error) {
      // Thrown before anything was written.
      if (error instanceof StoreFailure) return [request[0], undefined, failureOf(error)];
      throw error;
    }
  }

  #writeAlone({ request }: Waiting): Answer {
    try {
      return this.#commit(() => [this.#answerInGroup(request)])[0]!;
    } catch (error) {
      return [request[0], undefined, failureOf(error)];
    }
  }

  #giveUpLate(error: unknown): void {
    const oldestMs = real.monotonicMs() - this.#busyTimeoutMs;
    const late = this.#writes.filter(({ sinceMs }) => sinceMs <= oldestMs);
    this.#writes = this.#writes.filter(({ sinceMs }) => sinceMs > oldestMs);
    if (late.length > 0) this.#answer(late.map(failing(error)));
  }

  /** One transaction, with the notes first. Throws without anything done, as far as can be told. */
  #commit<T>(run: () => T): T {
    const { db } = this.#file;
    const { moment } = this.#tables;
    const notes = this.#notes;
    db.exec("BEGIN IMMEDIATE");
    try {
      moment.take();
      for (const note of notes) this.#tables.run(note);
      const result = run();
      this.#tables.tidy();
      moment.save();
      db.exec("COMMIT");
      this.#notes = [];
      this.#tries = 0;
      this.#file.mustBeCurrent();
      return result;
    } catch (error) {
      rollBack(this.#file.db);
      throw error;
    }
  }

  /** Writes the notes down, if that can be done now. */
  flush(run: () => void = () => {}): boolean {
    try {
      this.#commit(run);
      return true;
    } catch {
      return false;
    }
  }
}

/** Never throws, so that what went wrong is heard of. */
export function rollBack(db: DatabaseSync): void {
  try {
    db.exec("ROLLBACK");
  } catch {
    // Some failures end the transaction by themselves.
  }
}

const failing =
  (error: unknown) =>
  ({ request: [id] }: Waiting): Answer => [id, undefined, failureOf(error)];

/** 0 to 1; the low digits of a clock that counts nanoseconds. */
function jitter(): number {
  return Number(process.hrtime.bigint() % 1000n) / 1000;
}

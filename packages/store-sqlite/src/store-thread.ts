import { resolve } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterMessages, every, machineTime } from "./machine-time.js";
import type {
  Answer,
  Failure,
  MainMessage,
  Operation,
  Request,
  Requests,
  ThreadMessage,
  ThreadOptions,
} from "./protocol.js";
import { startWorker } from "./start-worker.js";
import { StoreError } from "./store-error.js";

interface Pending {
  /** When it was sent. */
  sinceMs: number;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: StoreError) => void;
  readonly tooLate: TooLate | undefined;
  /** Seen once after its time was up. */
  isOverdue: boolean;
}

type TooLate = (answer: never) => void;

const time = machineTime();

/** How often it is looked whether an answer is overdue. */
const LOOK_MS = 500;

/** How long opening waits for those who hold the file, and for the thread. No execution waits for it. */
const OPEN_FILE_MS = 10_000;
const OPEN_MS = 30_000;

/** The thread that has the file, seen from the main thread. It keeps the process alive only while an answer, or its end, is awaited. */
export class StoreThread {
  readonly #worker: Worker;
  readonly #timeoutMs: number;
  readonly #pending = new Map<number, Pending>();
  /** What is to be done when those that were given up are answered all the same. */
  readonly #tooLate = new Map<number, TooLate>();
  #outbox: Request[] = [];
  #lastId = 0;
  /** Why nothing can be asked any more. */
  #ended: StoreError | undefined;
  #stopLooking: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  private constructor(worker: Worker, timeoutMs: number) {
    this.#worker = worker;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws StoreError when the file cannot be used */
  static async open(options: Omit<ThreadOptions, "openTimeoutMs">, timeoutMs: number): Promise<StoreThread> {
    const worker = startWorker({ ...options, path: resolve(options.path), openTimeoutMs: OPEN_FILE_MS });
    const thread = new StoreThread(worker, timeoutMs);
    try {
      await thread.#opened();
    } catch (error) {
      await worker.terminate();
      throw error;
    }
    worker.unref();
    return thread;
  }

  #opened(): Promise<void> {
    return new Promise((opened, failed) => {
      const stopWaiting = every(OPEN_MS, () => {
        failed(new StoreError("timeout", "the file could not be opened in time"));
      });
      this.#worker.on("message", (message: ThreadMessage) => {
        if ("answers" in message) return this.#settle(message.answers);
        stopWaiting();
        if ("opened" in message) opened();
        else if ("failed" in message) failed(new StoreError(message.failed.code, message.failed.message));
      });
      const end = (why: string) => {
        stopWaiting();
        const error = new StoreError("timeout", why);
        failed(error);
        this.#end(error);
      };
      this.#worker.on("error", (error) => end(`the store's thread has failed: ${error.message}`));
      this.#worker.on("exit", () => end("the store's thread has ended"));
    });
  }

  /** Asks; rejects with a {@link StoreError}. Requests that are made in one turn travel together. */
  request<O extends Operation>(operation: O, ...args: Requests[O]["args"]): Promise<Requests[O]["answer"]> {
    return this.requestOwned(undefined, operation, ...args);
  }

  /** The same; `tooLate` is told of an answer that came after the time was up: what it grants, nobody knows of. */
  requestOwned<O extends Operation>(
    tooLate: ((answer: Requests[O]["answer"]) => void) | undefined,
    operation: O,
    ...args: Requests[O]["args"]
  ): Promise<Requests[O]["answer"]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((answered, reject) => {
      const id = ++this.#lastId;
      if (this.#pending.size === 0) this.#await();
      this.#pending.set(id, {
        sinceMs: Number.POSITIVE_INFINITY,
        resolve: answered,
        reject,
        tooLate,
        isOverdue: false,
      });
      this.#send([id, operation, ...args]);
    });
  }

  /** Says something that has no answer. */
  note<O extends "stamp" | "cancel">(operation: O, ...args: Requests[O]["args"]): void {
    if (this.#ended === undefined) this.#send([0, operation, ...args]);
  }

  #send(request: Request): void {
    this.#outbox.push(request);
    // After the promises that are being settled now: what is done in answer to one message travels in one.
    if (this.#outbox.length === 1) process.nextTick(() => this.#flush());
  }

  #flush(): void {
    if (this.#outbox.length === 0) return;
    const requests = this.#outbox;
    this.#outbox = [];
    const nowMs = time.monotonicMs();
    for (const [id] of requests) {
      const pending = this.#pending.get(id);
      if (pending !== undefined) pending.sinceMs = nowMs;
    }
    try {
      this.#post(requests);
    } catch (error) {
      // Something that cannot be handed to a thread.
      const failure = { code: "unavailable", message: (error as Error).message } as const;
      this.#settle(requests.map(([id]) => [id, undefined, failure]));
    }
  }

  #post(message: MainMessage): void {
    this.#worker.postMessage(message);
  }

  #settle(answers: readonly Answer[]): void {
    for (const [id, answer, failure] of answers) {
      const pending = this.#pending.get(id);
      if (pending === undefined) {
        this.#settleTooLate(id, answer, failure);
        continue;
      }
      this.#pending.delete(id);
      if (failure === undefined) pending.resolve(answer as never);
      else pending.reject(new StoreError(failure.code, failure.message));
    }
    if (this.#pending.size === 0) this.#rest();
  }

  #settleTooLate(id: number, answer: unknown, failure: Failure | undefined): void {
    const tooLate = this.#tooLate.get(id);
    this.#tooLate.delete(id);
    if (failure === undefined) tooLate?.(answer as never);
  }

  /** After the messages: when it is this thread that was held up, the answers have come, and are only to be read. */
  #await(): void {
    this.#worker.ref();
    this.#stopLooking ??= every(Math.min(LOOK_MS, this.#timeoutMs), () => afterMessages(() => this.#giveUpOverdue()));
  }

  #rest(): void {
    // Who closes waits for the thread's end: without it a process that has nothing else to do would end first.
    if (this.#closing === undefined) this.#worker.unref();
    this.#stopLooking?.();
    this.#stopLooking = undefined;
  }

  /** What is overdue twice in a row: after one look it may be that the process as a whole has just been let go on. */
  #giveUpOverdue(): void {
    const oldestMs = time.monotonicMs() - this.#timeoutMs;
    for (const [id, pending] of this.#pending) {
      if (pending.sinceMs > oldestMs) break;
      if (!pending.isOverdue) {
        pending.isOverdue = true;
        continue;
      }
      this.#pending.delete(id);
      if (pending.tooLate !== undefined) this.#tooLate.set(id, pending.tooLate);
      pending.reject(new StoreError("timeout", "the store's thread did not answer in time"));
    }
    if (this.#pending.size === 0) this.#rest();
  }

  #end(error: StoreError): void {
    this.#ended ??= error;
    this.#rest();
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }

  /** Does what was asked for, then ends the thread. Later requests are refused. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#ended !== undefined) return;
    this.#flush();
    this.#ended = new StoreError("closed", "the store was closed");
    const exited = new Promise<void>((done) => this.#worker.once("exit", () => done()));
    this.#worker.ref();
    this.#post("close");
    const stopWaiting = every(this.#timeoutMs, () => void this.#worker.terminate());
    await exited;
    stopWaiting();
  }
}

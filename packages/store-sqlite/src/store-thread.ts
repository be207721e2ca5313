import { isBuiltin } from "node:module";
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { every, machineTime } from "./machine-time.js";
import type { Answer, MainMessage, Operation, Request, Requests, ThreadMessage, ThreadOptions } from "./protocol.js";
import { StoreError } from "./store-error.js";

/** The bundled thread, put in by the build: no second file that a bundler would have to know of. */
declare const THREAD_SOURCE: string | undefined;

interface Pending {
  readonly sinceMs: number;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: StoreError) => void;
}

const time = machineTime();

/** How often it is looked whether an answer is overdue. */
const LOOK_MS = 500;

/** How long opening waits for those who hold the file, and for the thread. No execution waits for it. */
const OPEN_FILE_MS = 10_000;
const OPEN_MS = 30_000;

/** The thread that has the file, seen from the main thread. It keeps the process alive only while an answer is awaited. */
export class StoreThread {
  readonly #worker: Worker;
  readonly #timeoutMs: number;
  readonly #pending = new Map<number, Pending>();
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
    checkRuntime();
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
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((answered, reject) => {
      const id = ++this.#lastId;
      if (this.#pending.size === 0) this.#await();
      this.#pending.set(id, { sinceMs: time.monotonicMs(), resolve: answered, reject });
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
      // Given up before.
      if (pending === undefined) continue;
      this.#pending.delete(id);
      if (failure === undefined) pending.resolve(answer as never);
      else pending.reject(new StoreError(failure.code, failure.message));
    }
    if (this.#pending.size === 0) this.#rest();
  }

  #await(): void {
    this.#worker.ref();
    this.#stopLooking ??= every(Math.min(LOOK_MS, this.#timeoutMs), () => this.#giveUpOverdue());
  }

  #rest(): void {
    this.#worker.unref();
    this.#stopLooking?.();
    this.#stopLooking = undefined;
  }

  #giveUpOverdue(): void {
    const oldestMs = time.monotonicMs() - this.#timeoutMs;
    for (const [id, { sinceMs, reject }] of this.#pending) {
      if (sinceMs > oldestMs) break;
      this.#pending.delete(id);
      reject(new StoreError("timeout", "the store's thread did not answer in time"));
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

/** @throws StoreError `unsupported_runtime` */
function checkRuntime(): void {
  const { bun, deno } = process.versions;
  const what = `this runtime (${bun === undefined ? (deno === undefined ? process.version : "Deno") : "Bun"})`;
  if (!isBuiltin("node:sqlite")) {
    throw new StoreError("unsupported_runtime", `${what} has no node:sqlite: Node 22.13 or later has it`);
  }
  // `process.hrtime` begins with the process there, so that processes could not agree on what time it is.
  if (bun !== undefined || deno !== undefined) {
    throw new StoreError("unsupported_runtime", `${what} does not show the machine's monotonic clock: Node does`);
  }
}

function startWorker(options: ThreadOptions): Worker {
  const shared = {
    workerData: options,
    name: "eoc-store-sqlite",
    // Loaders and flags of the process are not for this thread; and Node 22 calls `node:sqlite` experimental.
    execArgv: ["--disable-warning=ExperimentalWarning"],
  };
  if (typeof THREAD_SOURCE === "string") return new Worker(THREAD_SOURCE, { ...shared, eval: true });
  return new Worker(new URL("./worker/main.ts", import.meta.url), shared);
}

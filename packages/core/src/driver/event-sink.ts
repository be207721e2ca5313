import { errorTypeOf } from "../machine/outcome.js";
import type { Journal } from "../ports/journal.js";
import type { ExecutionEvent } from "../report/events.js";
import { member } from "./port-desks.js";
import { callUnheard, isThenable } from "./ports-guard.js";

/**
 * Shows events to the listener and appends them to the journal in their order (S8.1), each when the one before is answered or, where
 * the journal keeps the order itself, at once.
 */
export class EventSink {
  readonly #journal: Journal | undefined;
  readonly #listener: ((event: ExecutionEvent) => void) | undefined;
  readonly #listenerFailed: (errorType: string) => void;
  readonly #waiting: { event: ExecutionEvent; done: ((ok: boolean) => void) | undefined }[] = [];
  #head = 0;
  /** Appends that are not answered yet. */
  #pending = 0;
  readonly #keepsOrder: boolean;
  #lost = false;
  #idle: (() => void) | undefined;

  constructor(
    journal: Journal | undefined,
    listener: ((event: ExecutionEvent) => void) | undefined,
    listenerFailed: (errorType: string) => void,
  ) {
    this.#journal = journal;
    this.#keepsOrder = member(journal, "keepsOrder") === true;
    this.#listener = listener;
    this.#listenerFailed = listenerFailed;
  }

  /** True when an event that nobody waited for could not be appended. */
  get lost(): boolean {
    return this.#lost;
  }

  /** `done` hears whether the event is durable. Without a journal there is nothing to wait for. */
  push(event: ExecutionEvent, done?: (ok: boolean) => void): void {
    this.#show(event);
    if (this.#journal === undefined) return done?.(true);
    if (this.#pending > 0 && !this.#keepsOrder) this.#waiting.push({ event, done });
    else if (this.#append(event, done)) this.#drain();
  }

  /**
   * Calls back once everything is appended, at once where it is. After the time that `limit` sets what is not answered yet is not waited
   * for any longer.
   */
  whenDone(limit: (giveUp: () => void) => () => void, callback: () => void): void {
    if (this.#pending === 0) return callback();
    let cancel: (() => void) | undefined;
    this.#idle = () => {
      callUnheard(cancel);
      callback();
    };
    cancel = limit(() => {
      this.#lost = true;
      callback();
    });
  }

  #show(event: ExecutionEvent): void {
    if (this.#listener === undefined) return;
    try {
      const answer: unknown = this.#listener(event);
      // An async listener's rejection is its own; nobody else is there to hear of it.
      if (isThenable(answer)) Promise.resolve(answer).catch((error) => this.#listenerFailed(errorTypeOf(error)));
    } catch (error) {
      this.#listenerFailed(errorTypeOf(error));
    }
  }

  /** False when its answer has to be waited for. */
  #append(event: ExecutionEvent, done: ((ok: boolean) => void) | undefined): boolean {
    this.#pending++;
    let ok = true;
    try {
      const appended: unknown = this.#journal!.append(event);
      if (isThenable(appended)) {
        Promise.resolve(appended).then(
          () => this.#next(true, done),
          () => this.#next(false, done),
        );
        return false;
      }
    } catch {
      ok = false;
    }
    this.#answer(ok, done);
    return true;
  }

  /** Appends what has come in the meantime. */
  #drain(): void {
    while (this.#head < this.#waiting.length) {
      const { event, done } = this.#waiting[this.#head++]!;
      if (!this.#append(event, done)) return;
    }
    if (this.#head > 0) this.#waiting.length = 0;
    this.#head = 0;
    if (this.#pending === 0) this.#idle?.();
  }

  #next(ok: boolean, done: ((ok: boolean) => void) | undefined): void {
    this.#answer(ok, done);
    this.#drain();
  }

  #answer(ok: boolean, done: ((ok: boolean) => void) | undefined): void {
    // What it leads to comes behind what waits.
    if (done !== undefined) done(ok);
    else if (!ok) this.#lost = true;
    this.#pending--;
  }
}

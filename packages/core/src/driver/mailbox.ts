import type { HaltCause } from "../report/events.js";

/** Something to be fed or done, and what comes after it. */
interface Letter<T> {
  readonly task: T;
  next: Letter<T> | undefined;
}

/**
 * What waits to be fed. What a task has led to goes before what waited already, so that nothing comes between the answer
 * of the kill switch and the dispatch that it allows (S5.5). A halt goes before everything, and a turn in the line for permits
 * after everything: who had it before is heard out first.
 */
export class Mailbox<T> {
  /** The first halt that has been heard of and not been fed yet. */
  halt: HaltCause | undefined;
  #first: Letter<T> | undefined;
  /** Those that have come since the last was taken. */
  #arrivedFirst: Letter<T> | undefined;
  #arrivedLast: Letter<T> | undefined;
  #turns: T[] | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined && this.#arrivedFirst === undefined;
  }

  put(task: T): void {
    const letter: Letter<T> = { task, next: undefined };
    if (this.#arrivedLast === undefined) this.#arrivedFirst = letter;
    else this.#arrivedLast.next = letter;
    this.#arrivedLast = letter;
  }

  putTurn(task: T): void {
    this.#turns ??= [];
    this.#turns.push(task);
  }

  take(): T | undefined {
    if (this.#arrivedLast !== undefined) {
      this.#arrivedLast.next = this.#first;
      this.#first = this.#arrivedFirst;
      this.#arrivedFirst = undefined;
      this.#arrivedLast = undefined;
    }
    const letter = this.#first;
    if (letter === undefined) return this.#turns?.shift();
    this.#first = letter.next;
    return letter.task;
  }
}

/** Why something that was under way is stopped. */
export type StopCause = "attempt_timeout" | "cancelled";

/** Something that is under way and may have to be stopped; it is its own place in the list. */
export interface InFlight {
  dueAt: number;
  previous: InFlight | undefined;
  next: InFlight | undefined;
  stop(cause: StopCause): void;
}

/**
 * All that is under way with one and the same limit, oldest first: so they are in the order of their deadlines, and one
 * timer serves them all. It sleeps until the oldest may be due and looks again.
 */
export class Deadlines {
  readonly #limitMs: number;
  #first: InFlight | undefined;
  #last: InFlight | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  add(item: InFlight): void {
    item.dueAt = performance.now() + this.#limitMs;
    item.previous = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    if (this.#timer === undefined) this.#arm(this.#limitMs);
  }

  /** The timer stays, since most often the next is added before it fires; it keeps no process alive. */
  remove(item: InFlight): void {
    if (item.previous !== undefined) item.previous.next = item.next;
    else if (this.#first === item) this.#first = item.next;
    else return;
    if (item.next !== undefined) item.next.previous = item.previous;
    else this.#last = item.previous;
    item.previous = undefined;
    item.next = undefined;
  }

  /** Stops all that is under way. */
  stopAll(): void {
    for (let item = this.#first; item !== undefined; item = this.#first) this.#stop(item, "cancelled");
  }

  #stop(item: InFlight, cause: StopCause): void {
    this.remove(item);
    item.stop(cause);
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => this.#look(), delayMs);
    this.#timer.unref();
  }

  #look(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let item = this.#first; item !== undefined && item.dueAt <= now; item = this.#first) {
      this.#stop(item, "attempt_timeout");
    }
    if (this.#first !== undefined) this.#arm(Math.ceil(this.#first.dueAt - now));
  }
}

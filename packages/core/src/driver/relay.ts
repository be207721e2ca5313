/**
 * Brings what timers, subscriptions and other executions call in somebody else's asynchronous context back into the
 * caller's: a promise continuation runs in the context in which it was attached. Make it, and call `ready`, there.
 */
export class Relay {
  readonly #deliver: () => void;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(deliver: () => void) {
    this.#deliver = deliver;
  }

  /** Must be called in the caller's context before anything may `wake`. */
  ready(): void {
    if (this.#wake !== undefined || this.#closed) return;
    void new Promise<void>((resolve) => {
      this.#wake = resolve;
    }).then(() => {
      this.#wake = undefined;
      this.ready();
      this.#deliver();
    });
  }

  wake(): void {
    if (this.#wake === undefined) this.#deliver();
    else this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake = undefined;
  }
}

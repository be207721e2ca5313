import type { Clock } from "@eoc/core";

export interface InTimeOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The errors of the store whose calls these are. */
  readonly errors: {
    readonly timeout: (message: string) => Error;
    readonly closed: (message: string) => Error;
    /** What a failure of the client is to its caller. */
    readonly failed: (error: unknown) => unknown;
  };
}

/** The calls of one store: each settles within `timeoutMs`, and none is made once the store is closed. */
export class InTime {
  readonly #options: InTimeOptions;
  readonly #background = new Set<Promise<unknown>>();
  #closed = false;

  constructor(options: InTimeOptions) {
    this.#options = options;
  }

  /** @throws the store's error `closed` */
  checkOpen(): void {
    if (this.#closed) throw this.#options.errors.closed("the store was closed");
  }

  /**
   * `work`, or a rejection with an error of the store. `tooLate` is told of a value that came after the time was up: what
   * it grants, nobody knows of.
   */
  within<T>(work: Promise<T>, tooLate?: (value: T) => void): Promise<T> {
    const { clock, timeoutMs, errors } = this.#options;
    return new Promise((resolve, reject) => {
      let open = true;
      const cancel = clock.setTimer(() => {
        open = false;
        reject(errors.timeout(`the server did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      const close = (): boolean => {
        const first = open;
        open = false;
        cancel();
        return first;
      };
      work.then(
        (value) => {
          if (close()) resolve(value);
          else tooLate?.(value);
        },
        (error: unknown) => {
          if (close()) reject(errors.failed(error));
        },
      );
    });
  }

  /** Begins something that nobody waits for but `close`. Whatever becomes of it, nothing is thrown. */
  inBackground(work: () => Promise<unknown>): Promise<void> {
    const done = work().then(
      () => {},
      () => {},
    );
    this.#background.add(done);
    return done.finally(() => this.#background.delete(done));
  }

  /** Refuses further calls and waits for those that run in the background. */
  async close(): Promise<void> {
    await Promise.all(this.#background);
    this.#closed = true;
  }
}

import type { Clock } from "@eoc/core";
import type { Database, Param, Row } from "./database.js";
import type { Settings } from "./options.js";
import { checkSchema } from "./schema-version.js";
import { StoreError } from "./store-error.js";

export interface CallOptions {
  /** Told of rows that came after the time was up: what they grant, nobody knows of. */
  readonly tooLate?: (rows: readonly Row[]) => void;
}

/** The calls of one store: each settles within `timeoutMs`, none is made on a schema of another version. */
export class Calls {
  readonly #database: Database;
  readonly #settings: Settings;
  readonly #background = new Set<Promise<unknown>>();
  #checked: Promise<void> | undefined;
  #closed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#database = settings.database;
  }

  get clock(): Clock {
    return this.#settings.clock;
  }

  /** @throws StoreError (rejects with it) */
  async query(text: string, params: readonly Param[], { tooLate }: CallOptions = {}): Promise<readonly Row[]> {
    if (this.#closed) throw new StoreError("closed", "the store was closed");
    const run = async () => {
      await this.#check();
      return this.#database.query(text, params);
    };
    return withinTime(run(), this.#settings, tooLate);
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

  /** Once; a failure is not remembered, so that a migration or a server that comes back is seen. */
  #check(): Promise<void> {
    this.#checked ??= checkSchema(this.#settings).catch((error: unknown) => {
      this.#checked = undefined;
      throw error;
    });
    return this.#checked;
  }
}

/**
 * `work`, or a rejection when it takes longer than `timeoutMs`.
 * @throws StoreError `timeout`, `unavailable` (rejects with it)
 */
export function withinTime<T>(
  work: Promise<T>,
  { clock, timeoutMs }: Pick<Settings, "clock" | "timeoutMs">,
  tooLate?: (value: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let open = true;
    const cancel = clock.setTimer(() => {
      open = false;
      reject(new StoreError("timeout", `the server did not answer within ${timeoutMs} ms`));
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
        if (close()) reject(asStoreError(error));
      },
    );
  });
}

function asStoreError(error: unknown): unknown {
  if (error instanceof StoreError) return error;
  return new StoreError("unavailable", "the server cannot be reached, or refused", { cause: error });
}

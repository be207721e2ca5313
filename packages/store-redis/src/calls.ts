import type { Settings } from "./options.js";
import { isNewerLayout, type Script } from "./script.js";
import { StoreError } from "./store-error.js";

/** What a script answered: a list of texts, empty where it has nothing to say. */
export type Reply = readonly string[];

export interface CallOptions {
  /** Told of an answer that came after the time was up: what it grants, nobody knows of. */
  readonly tooLate?: (reply: Reply) => void;
}

/** The calls of one store: each settles within `timeoutMs`. */
export class Calls {
  readonly #settings: Settings;
  readonly #background = new Set<Promise<unknown>>();
  #closed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * Runs a script on keys of this prefix; the first one is where the layout is kept.
   * @throws StoreError (rejects with it)
   */
  async run(
    script: Script,
    keys: readonly string[],
    values: readonly string[],
    { tooLate }: CallOptions = {},
  ): Promise<Reply> {
    if (this.#closed) throw new StoreError("closed", "the store was closed");
    const { commands, tag } = this.#settings;
    const names = ["layout", ...keys].map((key) => `${tag}:${key}`);
    return withinTime(commands.run(script, names, values).then(replyOf), this.#settings, tooLate);
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

/**
 * `work`, or a rejection when it takes longer than `timeoutMs`.
 * @throws StoreError `timeout`, `unavailable`, `layout_newer` (rejects with it)
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
  if (isNewerLayout(error)) {
    return new StoreError("layout_newer", "the keys were laid out by a newer version of this package", {
      cause: error,
    });
  }
  return new StoreError("unavailable", "the server cannot be reached, or refused", { cause: error });
}

/** Whatever types the client's owner has chosen: a text is a text. */
function replyOf(reply: unknown): Reply {
  if (!Array.isArray(reply)) throw new StoreError("corrupt", "a script answered with something else than a list");
  return reply.map(String);
}

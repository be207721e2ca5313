import { InTime } from "@eoc/store-kit";
import type { Settings } from "./options.js";
import { isNewerLayout, type Script } from "./script.js";
import { StoreError } from "./store-error.js";

/** What a script answered: a list of texts, empty where it has nothing to say. */
export type Reply = readonly string[];

/** The calls of one store. */
export class Calls extends InTime {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    super({ ...settings, errors });
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
    tooLate?: (reply: Reply) => void,
  ): Promise<Reply> {
    this.checkOpen();
    const { commands, tag } = this.#settings;
    const names = ["layout", ...keys].map((key) => `${tag}:${key}`);
    return this.within(commands.run(script, names, values).then(replyOf), tooLate);
  }
}

const errors = {
  timeout: (message: string) => new StoreError("timeout", message),
  closed: (message: string) => new StoreError("closed", message),
  failed(error: unknown): unknown {
    if (error instanceof StoreError) return error;
    const details = { cause: error };
    return isNewerLayout(error)
      ? new StoreError("layout_newer", "the keys were laid out by a newer version of this package", details)
      : new StoreError("unavailable", "the server cannot be reached, or refused", details);
  },
};

/** Whatever types the client's owner has chosen: a text is a text. */
function replyOf(reply: unknown): Reply {
  if (!Array.isArray(reply)) throw new StoreError("corrupt", "a script answered with something else than a list");
  return reply.map(String);
}

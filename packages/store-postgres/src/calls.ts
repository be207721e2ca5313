import { InTime } from "@eoc/store-kit";
import type { Param, Row } from "./database.js";
import type { Settings } from "./options.js";
import { checkSchema } from "./schema-version.js";
import { StoreError } from "./store-error.js";

/** The calls of one store, none of which is made on a schema of another version. */
export class Calls extends InTime {
  readonly #settings: Settings;
  #checked: Promise<void> | undefined;

  constructor(settings: Settings) {
    super({ ...settings, errors });
    this.#settings = settings;
  }

  /** @throws StoreError (rejects with it) */
  async query(
    text: string,
    params: readonly Param[],
    tooLate?: (rows: readonly Row[]) => void,
  ): Promise<readonly Row[]> {
    this.checkOpen();
    const run = async () => {
      await this.#check();
      return this.#settings.database.query(text, params);
    };
    return this.within(run(), tooLate);
  }

  /**
   * Once; a failure is not remembered, so that a migration or a server that comes back is seen. Nor is one that is not answered,
   * as on a connection that hangs: each of the next calls would wait for it in vain.
   */
  #check(): Promise<void> {
    this.#checked ??= this.within(checkSchema(this.#settings)).catch((error: unknown) => {
      this.#checked = undefined;
      throw error;
    });
    return this.#checked;
  }
}

/** How every call of this package fails. */
export const errors = {
  timeout: (message: string) => new StoreError("timeout", message),
  closed: (message: string) => new StoreError("closed", message),
  failed(error: unknown): unknown {
    if (error instanceof StoreError) return error;
    const details = { cause: error };
    return isTooStrict(error)
      ? new StoreError("isolation_too_strict", "limits need default_transaction_isolation = 'read committed'", details)
      : new StoreError("unavailable", "the server cannot be reached, or refused", details);
  },
};

/** What `acquire` of the schema raises. */
function isTooStrict(error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === "EOC03";
}

import { createPostgresIdempotencyStore, type PostgresIdempotencyStore } from "./idempotency-store.js";
import { createPostgresKillSwitch, type PostgresKillSwitch, type PostgresKillSwitchOptions } from "./kill-switch.js";
import { migratePostgres } from "./migrate.js";
import {
  createPostgresRateLimiter,
  type PostgresRateLimiter,
  type PostgresRateLimiterOptions,
} from "./rate-limiter.js";

/** Options of {@link createPostgresRuntime}: those of its ports. */
export type PostgresRuntimeOptions = PostgresKillSwitchOptions & PostgresRateLimiterOptions;

/** Every port that this package has, to be spread into the options of `execute`. */
export interface PostgresRuntime {
  readonly idempotencyStore: PostgresIdempotencyStore;
  readonly rateLimiter: PostgresRateLimiter;
  readonly killSwitch: PostgresKillSwitch;
  /** Closes every port. The pool stays open. */
  close(): Promise<void>;
}

/**
 * Migrates the schema and opens every port on one pool.
 * @throws EocError `invalid_option`; StoreError (rejects with it)
 */
export async function createPostgresRuntime(options: PostgresRuntimeOptions): Promise<PostgresRuntime> {
  const idempotencyStore = createPostgresIdempotencyStore(options);
  const rateLimiter = createPostgresRateLimiter(options);
  const killSwitch = createPostgresKillSwitch(options);
  await migratePostgres(options);
  const methods = {
    async close() {
      await Promise.all([idempotencyStore.close(), rateLimiter.close(), killSwitch.close()]);
    },
  };
  // On the prototype, where no spread finds it: `execute` knows no option of this name.
  return Object.assign(Object.create(methods) as typeof methods, { idempotencyStore, rateLimiter, killSwitch });
}

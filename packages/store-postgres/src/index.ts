export type { PostgresPool } from "./database.js";
export {
  createPostgresIdempotencyStore,
  type PostgresIdempotencyEntry,
  type PostgresIdempotencyStore,
  type PostgresListFilter,
} from "./idempotency-store.js";
export {
  createPostgresKillSwitch,
  type PostgresKillSwitch,
  type PostgresKillSwitchOptions,
  type PostgresKillSwitchState,
} from "./kill-switch.js";
export { migratePostgres } from "./migrate.js";
export type { PostgresOptions } from "./options.js";
export type { PgClient, PgPool } from "./pg-database.js";
export type { PostgresJs } from "./postgres-js-database.js";
export {
  createPostgresRateLimiter,
  type PostgresRateLimiter,
  type PostgresRateLimiterOptions,
} from "./rate-limiter.js";
export {
  createPostgresRuntime,
  type PostgresRuntime,
  type PostgresRuntimeOptions,
} from "./runtime.js";
export { isStoreError, STORE_ERROR_CODES, StoreError, type StoreErrorCode } from "./store-error.js";

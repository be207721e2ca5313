export type { SqliteIdempotencyStore, SqliteKeyEntry } from "./idempotency-store.js";
export type { SqliteJournalSink } from "./journal-sink.js";
export type { SqliteKillSwitch, SqliteKillSwitchState } from "./kill-switch.js";
export { createLocalRuntime, type LocalRuntime, type LocalRuntimeOptions } from "./local-runtime.js";
export {
  isSqliteStoreError,
  SQLITE_STORE_ERROR_CODES,
  SqliteStoreError,
  type SqliteStoreErrorCode,
} from "./store-error.js";

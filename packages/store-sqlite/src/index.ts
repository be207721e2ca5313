export type { SqliteIdempotencyStore, SqliteKeyEntry, SqliteListFilter } from "./idempotency-store.js";
export type { SqliteJournalSink } from "./journal-sink.js";
export { openSqliteJournals, type SqliteJournals, type SqliteJournalsOptions } from "./journals.js";
export type { SqliteKillSwitch, SqliteKillSwitchState } from "./kill-switch.js";
export { createLocalRuntime, type LocalRuntime, type LocalRuntimeOptions } from "./local-runtime.js";
export {
  isStoreError,
  STORE_ERROR_CODES,
  StoreError,
  type StoreErrorCode,
} from "./store-error.js";

/** Every code that a {@link StoreError} can carry: a closed list. */
export const STORE_ERROR_CODES = [
  /** The store was closed. */
  "closed",
  /** The server did not answer within `timeoutMs`. What was asked may have happened all the same. */
  "timeout",
  /** The server cannot be reached, or refused: read-only, full, without rights. `cause` says which. */
  "unavailable",
  /** A replica was asked what only the primary knows. */
  "replica",
  /** The schema is not there: run `migratePostgres`. */
  "schema_missing",
  /** The schema is older than this package needs: run `migratePostgres`. */
  "schema_older",
  /** The schema was made by a newer version of this package. */
  "schema_newer",
  /** The server is older than PostgreSQL 12. */
  "server_too_old",
  /** The pool's transactions are stricter than READ COMMITTED, under which limits cannot be kept. */
  "isolation_too_strict",
  /** A record is not what this package writes. */
  "corrupt",
] as const;

/** Why a call was rejected; see {@link STORE_ERROR_CODES}. */
export type StoreErrorCode = (typeof STORE_ERROR_CODES)[number];

const STORE = Symbol.for("@eoc/store-postgres/StoreError");

/** What a call to this store rejects with: whoever asked is denied (S7.6). Tell it apart with {@link isStoreError}. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, details: { cause?: unknown } = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.name = "StoreError";
    this.code = code;
    Object.defineProperty(this, STORE, { value: true });
  }
}

/** Whether `error` is a {@link StoreError}, also of another copy of this package. */
export function isStoreError(error: unknown): error is StoreError {
  return typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[STORE] === true;
}

/** Every code that a {@link StoreError} can carry: a closed list. All of them deny before a dispatch (S7.6). */
export const STORE_ERROR_CODES = [
  /** This runtime has no `node:sqlite`, or not the machine's clock: Node 22.13 or later has both. */
  "unsupported_runtime",
  /** There is no such file, and it was not to be created; or its folder cannot be used. */
  "cannot_open",
  /** The file was written by a newer version of this package. */
  "schema_newer",
  /** The file is a database of something else. */
  "foreign_file",
  /** The file is no database, or damaged. */
  "corrupt",
  /** The file cannot be written. */
  "read_only",
  /** The disk is full, or the file has reached its limit. */
  "full",
  /** Others held the file for longer than `busyTimeoutMs`. */
  "busy",
  /** The file was deleted or replaced while it was open: what is in use is not what others see. Open it again. */
  "replaced",
  /** The machine's monotonic clock is behind what is on record of the same boot: nothing can be timed. */
  "clock_regressed",
  /** Another runtime, of this process or of another, writes this journal, and is not closed. */
  "journal_in_use",
  /** A line does not follow the last one of its journal. */
  "journal_conflict",
  /** The store was closed. */
  "closed",
  /** The file's thread did not answer within `timeoutMs`, as when a disk hangs, or has ended. What was asked may have happened. */
  "timeout",
  /** The system refused: an error of the disk, memory, or the request itself. */
  "unavailable",
] as const;

/** Why a call was rejected; see {@link STORE_ERROR_CODES}. */
export type StoreErrorCode = (typeof STORE_ERROR_CODES)[number];

const BRAND = Symbol.for("@eoc/store-sqlite/StoreError");

/** What a store rejects with. Tell it apart with {@link isStoreError}, which also works across copies of the package. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string) {
    super(message);
    this.name = "StoreError";
    this.code = code;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Whether `error` is a {@link StoreError}, also of another copy of this package. */
export function isStoreError(error: unknown): error is StoreError {
  return typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[BRAND] === true;
}

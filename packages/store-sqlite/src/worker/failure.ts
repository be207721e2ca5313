import type { Failure } from "../protocol.ts";
import type { StoreErrorCode } from "../store-error.ts";

/** SQLite's primary result codes that say what is wrong with the file and not with the request. */
const CODES: Readonly<Record<number, StoreErrorCode>> = {
  5: "busy",
  6: "busy",
  7: "unavailable",
  8: "read_only",
  10: "unavailable",
  11: "corrupt",
  13: "full",
  14: "cannot_open",
  15: "busy",
  22: "unavailable",
  23: "read_only",
  26: "corrupt",
};

/** A failure with its code already known. */
export class StoreFailure extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function failureOf(error: unknown): Failure {
  if (error instanceof StoreFailure) return { code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { code: codeOf(error) ?? "unavailable", message };
}

/** Others hold the file: worth another try. */
export function isBusy(error: unknown): boolean {
  return codeOf(error) === "busy";
}

/** Whether every request of a transaction fails with this: it says something about the file, not about one of them. */
export function concernsAll(error: unknown): boolean {
  return !(error instanceof StoreFailure) && codeOf(error) !== undefined;
}

function codeOf(error: unknown): StoreErrorCode | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  if (error instanceof StoreFailure) return error.code;
  const { errcode } = error as { errcode?: number };
  return errcode === undefined ? undefined : CODES[errcode & 0xff];
}

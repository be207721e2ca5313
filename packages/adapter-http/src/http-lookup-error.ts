import { safeCode } from "./http-unknown-error.js";

/**
 * What `reconcile` fails with when it cannot work: its request was refused or could not be made, or `decide` gave no verdict. By its
 * class, which is on record, it is told from a lookup that found nothing out. Holds as little as an `HttpUnknownError` (S9.1).
 */
export class HttpLookupError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`lookup failed: ${safeCode(code)}`);
    this.name = "HttpLookupError";
    this.code = safeCode(code);
  }
}

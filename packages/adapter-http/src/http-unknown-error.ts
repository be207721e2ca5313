import { UnknownOutcomeError } from "@eoc/core";

/**
 * Thrown when the request may have been applied and the wire does not say. Its code, `http_<status>` or what happened to the
 * connection (see the table in the README), becomes the attempt's `errorCode`. Holds no message of the platform, no URL, no header
 * and no body (S9.1).
 */
export class HttpUnknownError extends UnknownOutcomeError {
  constructor(code: string, options: { retryAfterMs?: number } = {}) {
    super(safeCode(code), options);
    this.name = "HttpUnknownError";
  }
}

/** `code`, which may be a caller's, when it is a code, else `invalid_code` (S9.1). */
export function safeCode(code: unknown): string {
  return typeof code === "string" && /^[a-z0-9_.:-]{1,64}$/.test(code) ? code : "invalid_code";
}

/**
 * Thrown when the request may have been applied and the wire does not say. Holds no message of the platform, no URL, no
 * header and no body (S9.1).
 */
export class HttpUnknownError extends Error {
  /** `http_<status>`, or what happened to the connection: see the table in the README. */
  readonly code: string;

  constructor(code: string) {
    const safeCode = typeof code === "string" && /^[a-z0-9_.:-]{1,64}$/.test(code) ? code : "invalid_code";
    super(`outcome unknown: ${safeCode}`);
    this.name = "HttpUnknownError";
    this.code = safeCode;
  }
}

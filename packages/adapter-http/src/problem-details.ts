/**
 * What is safe to act on of an RFC 9457 problem: what kind it is, and which occurrence. `title`, `detail` and extension members
 * are text for people, may quote the request, and are left out.
 */
export interface HttpProblem {
  /** A URI reference of at most 1,000 characters. `about:blank` when the problem has none. */
  readonly type: string;
  readonly status?: number;
  /** A URI reference of at most 1,000 characters. */
  readonly instance?: string;
}

const MAX_LENGTH = 1000;

/** The problem in a parsed body; undefined when its content type is not `application/problem+json` or it is no object. */
export function problemDetails(headers: Headers, value: unknown): HttpProblem | undefined {
  if (mediaType(headers) !== "application/problem+json") return undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { type, status, instance } = value as Record<string, unknown>;
  // RFC 9457 §3.1: a member of the wrong type is ignored.
  return {
    type: isReference(type) ? type : "about:blank",
    ...(typeof status === "number" && Number.isInteger(status) && status >= 100 && status <= 599 ? { status } : {}),
    ...(isReference(instance) ? { instance } : {}),
  };
}

/** The media type of a message in lower case, without its parameters. */
export function mediaType(headers: Headers): string {
  return (headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}

function isReference(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_LENGTH && /^[\x21-\x7e]+$/.test(value);
}

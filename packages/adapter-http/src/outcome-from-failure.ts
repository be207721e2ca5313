import type { HttpOutcome } from "./options.js";
import { isSafe } from "./outcome-from-response.js";

// Reported only while connecting: no byte of the request can have left.
const CONNECT_CODES: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "connection_refused"],
  ["ENOTFOUND", "name_not_resolved"],
  ["EAI_AGAIN", "name_not_resolved"],
  ["UND_ERR_CONNECT_TIMEOUT", "connect_timeout"],
  // Node, when it has tried all addresses of a name.
  ["ERR_SOCKET_CONNECTION_TIMEOUT", "connect_timeout"],
]);

// Any other code, such as `ETIMEDOUT` or `ECONNRESET`, can also befall an established connection.
const CONNECT_CALLS: ReadonlyMap<unknown, string> = new Map([
  ["connect", "connect_failed"],
  ["getaddrinfo", "name_not_resolved"],
]);

// The handshake ended at the server's certificate, before any byte of HTTP (Node's "X509 certificate error codes").
const CERTIFICATE_CODES: ReadonlySet<string> = new Set(
  (
    "CERT_CHAIN_TOO_LONG CERT_HAS_EXPIRED CERT_NOT_YET_VALID CERT_REJECTED CERT_REVOKED CERT_SIGNATURE_FAILURE CERT_UNTRUSTED " +
    "CRL_HAS_EXPIRED CRL_NOT_YET_VALID CRL_SIGNATURE_FAILURE DEPTH_ZERO_SELF_SIGNED_CERT ERR_TLS_CERT_ALTNAME_INVALID " +
    "HOSTNAME_MISMATCH INVALID_CA INVALID_PURPOSE PATH_LENGTH_EXCEEDED SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_GET_CRL " +
    "UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_ISSUER_CERT_LOCALLY UNABLE_TO_VERIFY_LEAF_SIGNATURE"
  ).split(" "),
);

const FINAL_CODES: ReadonlyMap<string, string> = new Map([
  // `guardLookup` stopped at a private address, before connecting.
  ["EOC_ADDRESS_REFUSED", "address_refused"],
  // undici's, of a dispatcher that takes no more requests. `UND_ERR_DESTROYED` is also what becomes of those that were sent.
  ["UND_ERR_CLOSED", "dispatcher_closed"],
]);

const AFTER_SEND_CODES: ReadonlyMap<string, string> = new Map([
  ["ECONNRESET", "connection_reset"],
  ["EPIPE", "connection_reset"],
  ["UND_ERR_SOCKET", "connection_reset"],
  ["UND_ERR_HEADERS_TIMEOUT", "reply_timeout"],
]);

/** What a `fetch` that rejected says of the effect of its request. Reads nothing of the error but its codes. Pure. */
export function outcomeFromFailure(request: { method: string }, error: unknown, aborted: boolean): HttpOutcome {
  const chain = causes(error);
  for (const link of chain) {
    const code = connectFailure(link);
    if (code !== undefined) return { ok: false, code, retryable: true };
    const final = CERTIFICATE_CODES.has(codeOf(link)) ? "certificate_refused" : FINAL_CODES.get(codeOf(link));
    if (final !== undefined) return { ok: false, code: final, retryable: false };
  }
  const code = aborted
    ? "aborted"
    : (chain.map((link) => AFTER_SEND_CODES.get(codeOf(link))).find(isString) ?? "network_error");
  return isSafe(request.method) ? { ok: false, code, retryable: true } : { ok: "unknown", code };
}

function connectFailure(error: object): string | undefined {
  // Of the addresses of one name, tried one after the other, every one must have failed.
  const errors = read(error, "errors");
  if (Array.isArray(errors) && errors.length > 0) {
    const codes = errors.map((each) => (isObject(each) ? connectFailure(each) : undefined));
    return codes.every(isString) ? codes[0] : undefined;
  }
  return CONNECT_CODES.get(codeOf(error)) ?? CONNECT_CALLS.get(read(error, "syscall"));
}

function causes(error: unknown): object[] {
  const chain: object[] = [];
  for (let link = error; isObject(link) && chain.length < 4; link = read(link, "cause")) chain.push(link);
  return chain;
}

function codeOf(error: object): string {
  const code = read(error, "code");
  return typeof code === "string" ? code : "";
}

function read(object: object, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key];
  } catch {
    return undefined; // A getter of an injected fetch's error that throws.
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

import { NotAppliedError } from "@eoc/core";
import { BLOCKED_PORTS } from "./blocked-ports.js";
import type { HttpRequest } from "./options.js";
import { isSafe } from "./outcome-from-response.js";
import { isPrivateHost } from "./private-address.js";
import { unknownOptions, type WrongOption } from "./unknown-options.js";

/** A request that was checked and is ready for `fetch`. */
export interface PreparedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | Uint8Array | undefined;
  /** Whether it carries an idempotency key. */
  readonly keyed: boolean;
}

/** What the executor adds to every request and holds it to. */
export interface RequestRules {
  readonly origins: ReadonlySet<string>;
  readonly allowPrivateAddresses: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly idempotencyHeader: string;
  readonly idempotencyKeyForm: "bare" | "quoted";
  /** False when the caller brought a `fetch` of their own kind: it may connect to any port. */
  readonly blocksPorts: boolean;
}

// They decide where a request ends and which host it is for, so they are not the caller's to set.
const RESERVED_HEADERS = new Set(
  "connection content-length expect host keep-alive proxy-connection te trailer transfer-encoding upgrade".split(" "),
);
const MEMBERS = { method: true, url: true, headers: true, body: true } as const satisfies Record<
  keyof HttpRequest,
  true
>;
const REFUSED_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// What becomes of a key that is not there: one key for all.
const NO_KEY = /^"?(?:undefined|null)?"?$/;
// A structured-field string holds nothing else (RFC 9651 §3.3.3), and what services read as something else or drop makes one key of two.
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
// The URL parser would drop them silently, and the request go elsewhere than its text says.
const CONTROL_OR_SPACE = /[\0-\x20\x7f]/;

/**
 * Checks a request and completes it with the executor's headers and the idempotency key.
 * @throws NotAppliedError, not retryable, whose code says what is wrong.
 */
export function prepareRequest(
  request: HttpRequest,
  rules: RequestRules,
  { idempotencyKey, trace = {} }: { idempotencyKey?: string | undefined; trace?: Record<string, string> } = {},
): PreparedRequest {
  if (typeof request !== "object" || request === null) throw refused("invalid_request");
  // A body by another name would be none.
  if (unknownOptions(request, MEMBERS).length > 0) throw refused("invalid_request");
  const method = checkedMethod(request.method);
  const url = checkedUrl(request.url, rules);
  const headers = new Headers();
  setHeaders(headers, rules.headers);
  setHeaders(headers, trace);
  setHeaders(headers, request.headers ?? {});
  if (idempotencyKey !== undefined && !isSafe(method) && !headers.has(rules.idempotencyHeader)) {
    headers.set(rules.idempotencyHeader, keyField(idempotencyKey, rules.idempotencyKeyForm));
  }
  const key = headers.get(rules.idempotencyHeader);
  if (key !== null && NO_KEY.test(key)) throw refused("invalid_idempotency_key");
  const body = encodedBody(request.body, headers);
  if (body !== undefined && (method === "GET" || method === "HEAD")) throw refused("invalid_body");
  return { method, url, headers, body, keyed: key !== null };
}

/**
 * Sets headers, none of which may smuggle in another one or reframe the request.
 * @throws NotAppliedError `invalid_header`.
 */
function setHeaders(headers: Headers, entries: Readonly<Record<string, string>>): void {
  if (wrongHeaders(entries).length > 0) throw refused("invalid_header");
  for (const [name, value] of Object.entries(entries)) headers.set(name, value);
}

/** What is wrong with headers, by the name of each, and without any value. */
export function wrongHeaders(entries: unknown): WrongOption[] {
  // A `Headers`, a map or a list of pairs would lose what it holds without a word.
  if (typeof entries !== "object" || entries === null || Array.isArray(entries) || !isPlain(entries)) {
    return [{ path: "headers", expected: "a plain object" }];
  }
  return Object.entries(entries).flatMap(([name, value]) => {
    // What is no name may be a whole header, with its value.
    if (!TOKEN.test(name)) return { path: "headers", expected: "one whose names are tokens (RFC 9110 §5.6.2)" };
    const expected = expectedOf(name, value);
    return expected === undefined ? [] : { path: `headers.${name}`, expected };
  });
}

/** What a header would have to be, and is not. */
function expectedOf(name: string, value: unknown): string | undefined {
  if (RESERVED_HEADERS.has(name.toLowerCase())) return "left out, as it frames or routes the request";
  if (typeof value !== "string") return `text, not ${value === null ? "null" : typeof value}`;
  return HEADER_VALUE.test(value) ? undefined : "of one line, without control characters and characters beyond Latin-1";
}

function checkedMethod(value: unknown): string {
  const method = typeof value === "string" ? value.toUpperCase() : "";
  if (!TOKEN.test(method) || REFUSED_METHODS.has(method)) throw refused("invalid_method");
  return method;
}

function checkedUrl(value: unknown, rules: RequestRules): string {
  const text = value instanceof URL ? value.href : value;
  if (typeof text !== "string" || CONTROL_OR_SPACE.test(text) || !URL.canParse(text)) throw refused("invalid_url");
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw refused("scheme_not_allowed");
  if (url.username !== "" || url.password !== "") throw refused("credentials_in_url");
  if (!rules.allowPrivateAddresses && isPrivateHost(url.hostname)) throw refused("private_address");
  if (!rules.origins.has(url.origin)) throw refused("origin_not_allowed");
  if (rules.blocksPorts && BLOCKED_PORTS.has(url.port)) throw refused("port_blocked");
  return url.href;
}

function encodedBody(body: HttpRequest["body"], headers: Headers): string | Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === "string" || body instanceof Uint8Array) return body;
  // A form, a blob or a stream would become `{}` without a word.
  if (typeof body === "object" && !isPlain(body)) throw refused("invalid_body");
  let text: string | undefined;
  try {
    text = JSON.stringify(body, refuseOthers);
  } catch {
    // A cycle, what is not JSON, or a throwing `toJSON`.
  }
  if (text === undefined) throw refused("invalid_body");
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  return text;
}

// JSON would drop it, or say `null` or `{}` of it, without a word, and a service perhaps take that for what was meant.
function refuseOthers(this: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  if (!isJson(value, this, name)) throw refused("invalid_body");
  return value;
}

/** Whether JSON says what there is at `name`, where `value` is what it has made of itself. */
function isJson(value: unknown, holder: Readonly<Record<string, unknown>>, name: string): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value);
    case "object":
      // A date that is none says `null` of itself.
      return value === null ? !(holder[name] instanceof Date) : isPlain(value);
    case "undefined":
      // A member without a value is left out, as everybody expects; an item has a place.
      return !Array.isArray(holder);
    default:
      return false;
  }
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** An idempotency key as a header's value, which loses its outer blanks: that would make one key of two. */
function keyField(key: string, form: RequestRules["idempotencyKeyForm"]): string {
  const changes = form === "bare" && key.trim() !== key;
  if (changes || !PRINTABLE_ASCII.test(key)) throw refused("invalid_idempotency_key");
  return form === "bare" ? key : `"${key.replace(/["\\]/g, "\\$&")}"`;
}

function refused(code: string): NotAppliedError {
  return new NotAppliedError(code, { retryable: false });
}

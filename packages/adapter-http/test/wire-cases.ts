import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import type { HttpOutcome } from "../src/options.js";

/** One way in which a server treats a request: the second table of the README and the tests against real servers. */
export interface WireCase {
  readonly what: string;
  /** Misbehaves. Undefined: nobody listens. */
  readonly answer?: (socket: Socket, origin: string) => void;
  /** When it does so. @defaultValue "the request was read" */
  readonly as?: "the connection is made" | "the head was read" | "the request was read";
  /** The client gives up: before any answer, or once it has the answer's head. */
  readonly abort?: "before the answer" | "after the head";
  /** A first request of the same connection was answered properly, and the connection then kept or closed. */
  readonly first?: "keeps the connection" | "closes the connection";
  /** What became of a `POST` and of a `GET`. */
  readonly post: HttpOutcome;
  readonly get: HttpOutcome;
  /** Effects of the `POST` in the server's ledger. Both ways are played where both are possible. */
  readonly effects: readonly (0 | 1)[];
}

/** Retries that the policy of the second table allows. */
export const MAX_RETRIES = 2;

/** How often an action is dispatched whose every attempt ends so: a `POST` with effect `once`, a `GET` with effect `none`. */
export function attemptsOf(outcome: HttpOutcome): number {
  return outcome.ok === false && outcome.retryable !== false ? 1 + MAX_RETRIES : 1;
}

const head = (status: string, ...headers: string[]) => `HTTP/1.1 ${[status, ...headers, "", ""].join("\r\n")}`;
const reply = (status: string, body = "", ...headers: string[]) =>
  `${head(status, `Content-Length: ${Buffer.byteLength(body)}`, ...headers)}${body}`;
const json = (body: string) => reply("200 OK", body, "Content-Type: application/json");

/** An ordinary answer. */
export const OK = json('{"done":true}');

const applied = { ok: true } as const;
const final = (code: string) => ({ ok: false, code, retryable: false }) as const;
const retried = (code: string) => ({ ok: false, code, retryable: true }) as const;
const unknown = (code: string) => ({ ok: "unknown", code }) as const;

const DATE = "Date: Fri, 06 Nov 2026 12:00:00 GMT";

/** Writes one byte at a time, each in a packet of its own as far as can be arranged. */
function piecemeal(socket: Socket, text: string): void {
  socket.setNoDelay(true);
  const [byte, ...rest] = text;
  if (byte !== undefined) socket.write(byte, () => setImmediate(() => piecemeal(socket, rest.join(""))));
}

export const WIRE_CASES: readonly WireCase[] = [
  { what: "nobody listens", post: retried("connection_refused"), get: retried("connection_refused"), effects: [0] },
  {
    what: "accepts the connection and never says anything, until the attempt is aborted",
    answer: () => {},
    as: "the connection is made",
    abort: "before the answer",
    post: unknown("aborted"),
    get: retried("aborted"),
    effects: [0, 1],
  },
  {
    what: "resets the connection within the request",
    answer: (socket) => socket.resetAndDestroy(),
    as: "the head was read",
    post: unknown("connection_reset"),
    get: retried("connection_reset"),
    effects: [0, 1],
  },
  {
    what: "reads the request, then closes the connection",
    answer: (socket) => socket.end(),
    post: unknown("connection_reset"),
    get: retried("connection_reset"),
    effects: [0, 1],
  },
  {
    what: "reads the request, then resets the connection",
    answer: (socket) => socket.resetAndDestroy(),
    post: unknown("connection_reset"),
    get: retried("connection_reset"),
    effects: [0, 1],
  },
  {
    what: "closes a kept-alive connection as the next request arrives",
    answer: (socket) => socket.destroy(),
    first: "keeps the connection",
    post: unknown("connection_reset"),
    get: retried("connection_reset"),
    effects: [0, 1],
  },
  {
    what: "closed the kept-alive connection while it was idle, then answers 200 on another one",
    answer: (socket) => socket.write(OK),
    first: "closes the connection",
    post: { ok: true, value: { done: true } },
    get: { ok: true, value: { done: true } },
    effects: [1],
  },
  {
    what: "never answers, until the attempt is aborted",
    answer: () => {},
    abort: "before the answer",
    post: unknown("aborted"),
    get: retried("aborted"),
    effects: [0, 1],
  },
  {
    what: "never ends its headers, until the attempt is aborted",
    answer: (socket) => socket.write("HTTP/1.1 200 OK\r\nX-Slow: "),
    abort: "before the answer",
    post: unknown("aborted"),
    get: retried("aborted"),
    effects: [0, 1],
  },
  {
    what: "breaks off within its headers",
    answer: (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Le"),
    post: unknown("connection_reset"),
    get: retried("connection_reset"),
    effects: [0, 1],
  },
  {
    what: "answers with something that is not HTTP",
    answer: (socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"),
    post: unknown("network_error"),
    get: retried("network_error"),
    effects: [0, 1],
  },
  {
    what: "answers with 20 kB of headers",
    answer: (socket) => socket.write(reply("200 OK", "", `X-Long: ${"x".repeat(20_000)}`)),
    post: unknown("network_error"),
    get: retried("network_error"),
    effects: [0, 1],
  },
  {
    what: "answers with both `Content-Length` and `Transfer-Encoding`",
    answer: (socket) => socket.write(`${head("200 OK", "Content-Length: 4", "Transfer-Encoding: chunked")}0\r\n\r\n`),
    post: unknown("network_error"),
    get: retried("network_error"),
    effects: [0, 1],
  },
  {
    what: "answers 101, without having been asked",
    answer: (socket) => socket.write(head("101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket")),
    post: unknown("connection_reset"),
    get: retried("connection_reset"),
    effects: [0, 1],
  },
  {
    what: "answers 200",
    answer: (socket) => socket.write(OK),
    post: { ok: true, value: { done: true } },
    get: { ok: true, value: { done: true } },
    effects: [1],
  },
  {
    what: "answers 102 and twice 103, then 200",
    answer: (socket) =>
      socket.write(head("102 Processing") + head("103 Early Hints", "Link: </a>") + head("103 Early Hints") + OK),
    post: { ok: true, value: { done: true } },
    get: { ok: true, value: { done: true } },
    effects: [1],
  },
  {
    what: "answers 100 without having been asked, then 200 (undici closes the connection)",
    answer: (socket) => socket.write(head("100 Continue") + OK),
    post: unknown("connection_reset"),
    get: retried("connection_reset"),
    effects: [0, 1],
  },
  {
    what: "answers 103, then resets the connection",
    answer: (socket) => socket.write(head("103 Early Hints", "Link: </a>"), () => socket.resetAndDestroy()),
    post: unknown("connection_reset"),
    get: retried("connection_reset"),
    effects: [0, 1],
  },
  {
    what: "answers 200 before it has read the request",
    answer: (socket) => socket.write(OK),
    as: "the head was read",
    post: { ok: true, value: { done: true } },
    get: { ok: true, value: { done: true } },
    effects: [1],
  },
  {
    what: "answers 200 byte by byte",
    answer: (socket) => piecemeal(socket, OK),
    post: { ok: true, value: { done: true } },
    get: { ok: true, value: { done: true } },
    effects: [1],
  },
  {
    what: "answers 200 in HTTP/1.0, with a body that ends with the connection",
    answer: (socket) => socket.end(`HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{"done":true}`),
    post: { ok: true, value: { done: true } },
    get: { ok: true, value: { done: true } },
    effects: [1],
  },
  {
    what: "answers 200, then resets the connection within the body",
    answer: (socket) => socket.write(head("200 OK", "Content-Length: 100"), () => socket.resetAndDestroy()),
    post: applied,
    get: retried("body_unreadable"),
    effects: [1],
  },
  {
    what: "answers 200, then breaks off within a chunk of the body",
    answer: (socket) => socket.end(`${head("200 OK", "Transfer-Encoding: chunked")}ff\r\nhalf`),
    post: applied,
    get: retried("body_unreadable"),
    effects: [1],
  },
  {
    what: "answers 200, then garbles the chunks of the body",
    answer: (socket) => socket.write(`${head("200 OK", "Transfer-Encoding: chunked")}xyz\r\nhalf\r\n`),
    post: applied,
    get: retried("body_unreadable"),
    effects: [1],
  },
  {
    what: "answers 200, then never ends its body, until the attempt is aborted",
    answer: (socket) => socket.write(`${head("200 OK", "Content-Length: 100")}slow`),
    abort: "after the head",
    post: applied,
    get: retried("body_unreadable"),
    effects: [1],
  },
  {
    what: "answers 200 with a body longer than `maxResponseBytes`",
    answer: (socket) => socket.write(reply("200 OK", "x".repeat(5000))),
    post: applied,
    get: retried("body_unreadable"),
    effects: [1],
  },
  {
    what: "answers 200 with a body that never ends",
    answer: (socket) => {
      const more = () => !socket.destroyed && socket.write(`1000\r\n${"x".repeat(4096)}\r\n`, more);
      socket.write(head("200 OK", "Transfer-Encoding: chunked"), more);
    },
    post: applied,
    get: retried("body_unreadable"),
    effects: [1],
  },
  {
    what: "answers 200 with 10 MB packed into 10 kB",
    answer: (socket) => {
      const bomb = gzipSync(Buffer.alloc(10_000_000));
      socket.write(head("200 OK", "Content-Encoding: gzip", "Transfer-Encoding: chunked"));
      socket.write(`${bomb.length.toString(16)}\r\n`);
      socket.write(bomb);
      socket.write("\r\n0\r\n\r\n");
    },
    post: applied,
    get: retried("body_unreadable"),
    effects: [1],
  },
  {
    what: "answers 200 with broken gzip",
    answer: (socket) => socket.write(reply("200 OK", "not gzip at all", "Content-Encoding: gzip")),
    post: applied,
    get: retried("body_unreadable"),
    effects: [1],
  },
  {
    what: "answers 200 with JSON in gzip that breaks off",
    answer(socket) {
      const whole = gzipSync(JSON.stringify({ done: "x".repeat(100) }));
      const half = whole.subarray(0, whole.length - 12);
      const type = "Content-Type: application/json";
      socket.write(head("200 OK", type, "Content-Encoding: gzip", `Content-Length: ${half.length}`));
      socket.write(half);
    },
    post: applied,
    get: retried("body_unreadable"),
    effects: [1],
  },
  {
    what: "answers 200 with JSON that is none",
    answer: (socket) => socket.write(json('{"done":tr')),
    post: applied,
    get: retried("body_unreadable"),
    effects: [1],
  },
  {
    what: "answers 204",
    answer: (socket) => socket.write(head("204 No Content")),
    post: applied,
    get: applied,
    effects: [1],
  },
  {
    what: "answers 204 and declares a length of 5 MB",
    answer: (socket) => socket.write(head("204 No Content", "Content-Length: 5000000")),
    post: applied,
    get: applied,
    effects: [1],
  },
  {
    what: "answers 204 with a body all the same",
    answer: (socket) => socket.write(reply("204 No Content", "more", "Content-Type: application/json")),
    post: applied,
    get: applied,
    effects: [1],
  },
  {
    what: "redirects with 302 to nowhere",
    answer: (socket) => socket.write(reply("302 Found")),
    post: unknown("http_302"),
    get: final("http_302"),
    effects: [0, 1],
  },
  {
    what: "redirects with 303",
    answer: (socket, origin) => socket.write(reply("303 See Other", "", `Location: ${origin}/elsewhere`)),
    post: unknown("http_303"),
    get: final("http_303"),
    effects: [0, 1],
  },
  {
    what: "redirects with 302",
    answer: (socket, origin) => socket.write(reply("302 Found", "", `Location: ${origin}/elsewhere`)),
    post: unknown("http_302"),
    get: final("http_302"),
    effects: [0, 1],
  },
  {
    what: "redirects with 307 to another origin",
    answer: (socket, origin) =>
      socket.write(
        reply("307 Temporary Redirect", "", `Location: ${origin.replace("127.0.0.1", "localhost")}/elsewhere`),
      ),
    post: unknown("http_307"),
    get: final("http_307"),
    effects: [0, 1],
  },
  {
    what: "answers 429 with `Retry-After` in seconds",
    answer: (socket) => socket.write(reply("429 Too Many Requests", "slow down", "Retry-After: 30")),
    post: { ...retried("http_429"), retryAfterMs: 30_000 },
    get: { ...retried("http_429"), retryAfterMs: 30_000 },
    effects: [0],
  },
  {
    what: "answers 429 with `Retry-After` as a date",
    answer: (socket) =>
      socket.write(reply("429 Too Many Requests", "", DATE, "Retry-After: Fri, 06 Nov 2026 12:00:30 GMT")),
    post: { ...retried("http_429"), retryAfterMs: 30_000 },
    get: { ...retried("http_429"), retryAfterMs: 30_000 },
    effects: [0],
  },
  ...(
    [
      ["as a date in the form of RFC 850", "Friday, 06-Nov-26 12:00:30 GMT", 30_000],
      ["as a date in the form of `asctime`", "Fri Nov  6 12:00:30 2026", 30_000],
      ["as a date that has passed", "Fri, 06 Nov 2026 11:59:30 GMT", 0],
      ["that cannot be read", "1.5", undefined],
    ] as const
  ).map(([how, value, retryAfterMs]): WireCase => {
    const outcome = { ...retried("http_429"), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    return {
      what: `answers 429 with \`Retry-After\` ${how}`,
      answer: (socket) => socket.write(reply("429 Too Many Requests", "", DATE, `Retry-After: ${value}`)),
      post: outcome,
      get: outcome,
      effects: [0],
    };
  }),
  {
    what: "redirects with 308 to the same origin",
    answer: (socket, origin) => socket.write(reply("308 Permanent Redirect", "", `Location: ${origin}/elsewhere`)),
    post: unknown("http_308"),
    get: final("http_308"),
    effects: [0, 1],
  },
  {
    what: "answers 407 (undici makes a network error of it)",
    answer: (socket) => socket.write(reply("407 Proxy Authentication Required", "", "Proxy-Authenticate: Basic")),
    post: unknown("network_error"),
    get: retried("network_error"),
    effects: [0, 1],
  },
  {
    what: "answers 408",
    answer: (socket) => socket.write(reply("408 Request Timeout")),
    post: unknown("http_408"),
    get: retried("http_408"),
    effects: [0, 1],
  },
  {
    what: "answers 421",
    answer: (socket) => socket.write(reply("421 Misdirected Request")),
    post: final("http_421"),
    get: final("http_421"),
    effects: [0],
  },
  {
    what: "answers 429 with `RateLimit` (no quota left for 30 s)",
    answer: (socket) => socket.write(reply("429 Too Many Requests", "", 'RateLimit: "default";r=0;t=30')),
    post: { ...retried("http_429"), retryAfterMs: 30_000 },
    get: { ...retried("http_429"), retryAfterMs: 30_000 },
    effects: [0],
  },
  {
    what: "answers 429 with neither",
    answer: (socket) => socket.write(reply("429 Too Many Requests")),
    post: retried("http_429"),
    get: retried("http_429"),
    effects: [0],
  },
  {
    what: "answers 503 with `Retry-After`",
    answer: (socket) => socket.write(reply("503 Service Unavailable", "", "Retry-After: 30")),
    post: unknown("http_503"),
    get: { ...retried("http_503"), retryAfterMs: 30_000 },
    effects: [0, 1],
  },
  {
    what: "answers 503 with `RateLimit` only",
    answer: (socket) => socket.write(reply("503 Service Unavailable", "", 'RateLimit: "default";r=0;t=30')),
    post: unknown("http_503"),
    get: { ...retried("http_503"), retryAfterMs: 30_000 },
    effects: [0, 1],
  },
  {
    what: "answers 500 with a body that never ends",
    answer: (socket) => socket.write(`${head("500 Internal Server Error", "Content-Length: 100")}half`),
    post: unknown("http_500"),
    get: retried("http_500"),
    effects: [0, 1],
  },
  {
    what: "answers 503",
    answer: (socket) => socket.write(reply("503 Service Unavailable", "try again")),
    post: unknown("http_503"),
    get: retried("http_503"),
    effects: [0, 1],
  },
];

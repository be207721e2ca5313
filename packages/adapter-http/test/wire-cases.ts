import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import type { HttpOutcome } from "../src/options.js";

/** One way in which a server treats a request: the second table of the README and the tests against real servers. */
export interface WireCase {
  readonly what: string;
  /** Misbehaves, once the whole request has been read. Undefined: nobody listens. */
  readonly answer?: (socket: Socket, origin: string) => void;
  /** The client gives up: before any answer, or once it has the answer's head. */
  readonly abort?: "before the answer" | "after the head";
  /** A first request of the same connection was answered properly. */
  readonly secondOnConnection?: boolean;
  /** What became of a `POST` and of a `GET`. */
  readonly post: HttpOutcome;
  readonly get: HttpOutcome;
  /** Effects of the `POST` in the server's ledger. Both ways are played where both are possible. */
  readonly effects: readonly (0 | 1)[];
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

export const WIRE_CASES: readonly WireCase[] = [
  { what: "nobody listens", post: retried("connection_refused"), get: retried("connection_refused"), effects: [0] },
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
    secondOnConnection: true,
    post: unknown("connection_reset"),
    get: retried("connection_reset"),
    effects: [0, 1],
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
    what: "answers 200",
    answer: (socket) => socket.write(OK),
    post: { ok: true, value: { done: true } },
    get: { ok: true, value: { done: true } },
    effects: [1],
  },
  {
    what: "answers 103, then 200",
    answer: (socket) => socket.write(head("103 Early Hints", "Link: </a>") + OK),
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
    what: "redirects with 302",
    answer: (socket, origin) => socket.write(reply("302 Found", "", `Location: ${origin}/elsewhere`)),
    post: unknown("http_302"),
    get: final("http_302"),
    effects: [0, 1],
  },
  {
    what: "redirects with 307",
    answer: (socket, origin) => socket.write(reply("307 Temporary Redirect", "", `Location: ${origin}/elsewhere`)),
    post: final("http_307"),
    get: final("http_307"),
    effects: [0],
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
  {
    what: "answers 503",
    answer: (socket) => socket.write(reply("503 Service Unavailable", "try again")),
    post: unknown("http_503"),
    get: retried("http_503"),
    effects: [0, 1],
  },
];

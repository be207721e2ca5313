import type { HttpOutcome } from "../src/options.js";

/** What answers come to, by status: the first table of the README and the tests of `outcomeFromResponse`. */
export interface AnswerCase {
  readonly answer: string;
  readonly statuses: readonly number[];
  readonly headers?: Readonly<Record<string, string>>;
  /** The request carried an idempotency key. Undefined: both ways. */
  readonly keyed?: boolean;
  /** A `fetch` of the caller's has followed a redirect to it. */
  readonly redirected?: boolean;
  /** Outcome of a request that changes state, and of a read; the code is always `http_<status>`, behind a redirect `http_redirect`. */
  readonly change: Verdict;
  readonly read: Verdict;
}

export type Verdict =
  | "applied"
  | "not applied, final"
  | "not applied, retried"
  | "not applied, retried after the wait"
  | "unknown"
  | "unknown, with the wait";

/** The wait that the headers of {@link ANSWER_CASES} asks for. */
export const WAIT_MS = 7000;

const WAIT = { "retry-after": "7" };
const RATE_LIMIT = { ratelimit: '"default";r=0;t=7' };

export const ANSWER_CASES: readonly AnswerCase[] = [
  { answer: "2xx", statuses: [200, 201, 202, 203, 204, 205, 206, 207, 299], change: "applied", read: "applied" },
  {
    answer: "3xx, and a redirect that a browser hides (`http_redirect`)",
    statuses: [0, 300, 301, 302, 303, 304, 305, 307, 308, 399],
    change: "unknown",
    read: "not applied, final",
  },
  {
    answer: "any, to which a `fetch` of your own has followed a redirect (`http_redirect`)",
    statuses: [200, 204, 302, 404, 408, 429, 500, 503],
    redirected: true,
    change: "unknown",
    read: "not applied, final",
  },
  { answer: "408", statuses: [408], change: "unknown", read: "not applied, retried" },
  { answer: "425", statuses: [425], change: "not applied, retried", read: "not applied, retried" },
  { answer: "429", statuses: [429], change: "not applied, retried", read: "not applied, retried" },
  {
    answer: "429 with `Retry-After`",
    statuses: [429],
    headers: WAIT,
    change: "not applied, retried after the wait",
    read: "not applied, retried after the wait",
  },
  {
    answer: "429 with `RateLimit`, its quota used up",
    statuses: [429],
    headers: RATE_LIMIT,
    change: "not applied, retried after the wait",
    read: "not applied, retried after the wait",
  },
  {
    answer: "409 to a request with an idempotency key",
    statuses: [409],
    keyed: true,
    change: "unknown",
    read: "not applied, final",
  },
  { answer: "409 otherwise", statuses: [409], keyed: false, change: "not applied, final", read: "not applied, final" },
  {
    answer: "422, also under an idempotency key",
    statuses: [422],
    change: "not applied, final",
    read: "not applied, final",
  },
  {
    answer: "any other 4xx",
    statuses: [400, 401, 403, 404, 405, 410, 412, 413, 423, 428, 451, 499],
    change: "not applied, final",
    read: "not applied, final",
  },
  {
    answer: "503 with `Retry-After`",
    statuses: [503],
    headers: WAIT,
    change: "unknown, with the wait",
    read: "not applied, retried after the wait",
  },
  {
    answer: "503 with `RateLimit`, its quota used up",
    statuses: [503],
    headers: RATE_LIMIT,
    change: "unknown, with the wait",
    read: "not applied, retried after the wait",
  },
  {
    answer: "503 with neither, or with one that cannot be read",
    statuses: [503],
    headers: { "retry-after": "soon" },
    change: "unknown",
    read: "not applied, retried",
  },
  {
    answer: "any other 5xx and above",
    statuses: [500, 501, 502, 503, 504, 511, 599, 999],
    change: "unknown",
    read: "not applied, retried",
  },
];

/** The outcome that a verdict stands for. */
export function outcomeOfVerdict(verdict: Verdict, status: number, redirected = false): HttpOutcome {
  const code = redirected || status === 0 ? "http_redirect" : `http_${status}`;
  switch (verdict) {
    case "applied":
      return { ok: true };
    case "unknown":
      return { ok: "unknown", code };
    case "unknown, with the wait":
      return { ok: "unknown", code, retryAfterMs: WAIT_MS };
    case "not applied, final":
      return { ok: false, code, retryable: false };
    case "not applied, retried":
      return { ok: false, code, retryable: true };
    case "not applied, retried after the wait":
      return { ok: false, code, retryable: true, retryAfterMs: WAIT_MS };
  }
}

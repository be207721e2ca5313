import type { AttemptContext, Clock, ExecutorResult, PlannedAction, ReconcileVerdict } from "@eoc/core";
import type { HttpProblem } from "./problem-details.js";
import type { TraceContext } from "./trace-context.js";

/** The request that carries out one action. */
export interface HttpRequest {
  /** Case does not matter. `CONNECT`, `TRACE` and `TRACK` are refused. */
  method: string;
  /** Absolute, `http:` or `https:`, of an allowed origin, without user name and password. */
  url: string | URL;
  /** Win over the executor's own `headers`. Framing and routing headers (`Host`, `Content-Length` …) are refused. */
  headers?: Readonly<Record<string, string>>;
  /**
   * A string or bytes are sent as they are, a plain object, array, number or boolean as JSON, `null` as no body. What JSON would make
   * something else of, such as a map in it, is refused.
   */
  body?: string | Uint8Array | object | number | boolean | null;
}

/** Makes the request of an action. Nothing has been sent yet, so whatever it throws means not applied. */
export type HttpRequestFn = (action: PlannedAction, attempt: AttemptContext) => HttpRequest | Promise<HttpRequest>;

/**
 * The platform's `fetch`, or one that behaves like it: rejects with the system's error code in `error.cause.code`, answers with web
 * streams, follows no redirect and repeats no request.
 */
export type FetchFn = (url: string, init: RequestInit) => Promise<Response>;

/** What a response says before its body. */
export interface HttpHead {
  /** 0 for a redirect that a browser hides. */
  readonly status: number;
  readonly headers: Headers;
}

/** A response with its body read, as `outcome` and `reconcile.decide` see it. */
export interface HttpAnswer extends HttpHead {
  /** Method of the request, in upper case. */
  readonly method: string;
  /** Whether the request carried an idempotency key. */
  readonly keyed: boolean;
  /** `unreadable`: longer than `maxResponseBytes` or `maxResponseMs`, broken off, aborted, or not what `parse` expects. */
  readonly body: "parsed" | "empty" | "unreadable";
  /** The parsed body. Undefined unless `body` is `parsed`. */
  readonly value: unknown;
  /** Of a body that is `application/problem+json` (RFC 9457). */
  readonly problem?: HttpProblem;
}

/** What a request came to: an executor's result, or that it may or may not have been applied. */
export type HttpOutcome =
  | ExecutorResult
  | {
      ok: "unknown";
      code: string;
      /** The wait that a 503 asks for: a retry, where the action's effect or `reconcile` allows one, comes no earlier (RFC 9110 §10.2.3). */
      retryAfterMs?: number;
    };

/** How to ask whether a request of unknown outcome was applied (S3.3). */
export interface HttpReconcile {
  /**
   * The lookup, usually a `GET` by idempotency key. Sent under the same rules as every request, but without the key. It must only read, as
   * it may be asked any number of times: a method that is not safe is for services that search by `POST`. Throw where there is nothing to ask by.
   */
  request: HttpRequestFn;
  /**
   * Reads the answer. Say `not_applied` only of a lookup that cannot miss the effect: the request may still be under
   * way in the server. Not called, and the verdict `unknown`, when the lookup was not answered. What is no verdict is an error.
   */
  decide: (answer: HttpAnswer, action: PlannedAction) => ReconcileVerdict | Promise<ReconcileVerdict>;
}

/** What `createHttpExecutor` takes. */
export interface HttpExecutorOptions {
  request: HttpRequestFn;
  /** The only origins that are ever contacted, such as `https://api.example.com`; compared by `URL.origin`. */
  allowedOrigins: readonly string[];
  /**
   * Whether an allowed origin may be a private, loopback or link-local address, `localhost`, or a name that only a private
   * network knows. What a public-looking name resolves to is not looked at: see `guardLookup`. @defaultValue false
   */
  allowPrivateAddresses?: boolean;
  /** @defaultValue the platform's `fetch` */
  fetch?: FetchFn;
  /** Handed to `fetch` as `init.dispatcher`: an undici `Agent`, `ProxyAgent` and the like, in Node. It must not retry or follow redirects. */
  dispatcher?: object;
  /** Sent with every request, to every allowed origin. */
  headers?: Readonly<Record<string, string>>;
  /**
   * Carries the attempt's idempotency key, unless the request names that header itself or its method is safe (`GET`,
   * `HEAD`, `OPTIONS`).
   * @defaultValue "Idempotency-Key"
   */
  idempotencyHeader?: string;
  /** `quoted` is the structured-field string that the IETF draft asks for; most services take the `bare` key. @defaultValue "bare" */
  idempotencyKeyForm?: "bare" | "quoted";
  /** Bytes of a decoded response body. A longer one is given up: the outcome stands, without a value. @defaultValue 1000000 */
  maxResponseBytes?: number;
  /** Milliseconds from a response's head to the end of its body. A slower one is given up in the same way. @defaultValue 30000 */
  maxResponseMs?: number;
  /** Turns a body into the value. @defaultValue JSON for JSON content types, else text */
  parse?: (body: Uint8Array, head: HttpHead) => unknown;
  /** Has the last word on an answered request; `usual` is what the table in the README says. Throwing means unknown. */
  outcome?: (answer: HttpAnswer, usual: HttpOutcome) => HttpOutcome | Promise<HttpOutcome>;
  reconcile?: HttpReconcile;
  /**
   * The trace that a request belongs to, sent as W3C `traceparent` and `tracestate`. Core calls it in the caller's asynchronous
   * context, where a tracer finds its active span. What it throws, or returns malformed, only means that no trace is sent.
   */
  trace?: (action: PlannedAction, attempt: AttemptContext) => TraceContext | undefined;
  /** Times bodies, and a `Retry-After` date in a response without `Date`. @defaultValue the system clock */
  clock?: Pick<Clock, "now" | "setTimer">;
}

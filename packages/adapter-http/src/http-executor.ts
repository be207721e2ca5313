import {
  type AttemptContext,
  createSystemClock,
  type ExecuteFn,
  type ExecutorResult,
  isNotAppliedError,
  type PlannedAction,
  type ReconcileFn,
} from "@eoc/core";
import { checkOptions } from "./check-options.js";
import { HttpLookupError } from "./http-lookup-error.js";
import { HttpUnknownError } from "./http-unknown-error.js";
import type { HttpAnswer, HttpExecutorOptions, HttpHead, HttpOutcome, HttpRequest, HttpRequestFn } from "./options.js";
import { ABORTED, isThenable, orAborted } from "./or-aborted.js";
import { outcomeFromFailure } from "./outcome-from-failure.js";
import { isSafe, outcomeFromResponse } from "./outcome-from-response.js";
import { type PreparedRequest, prepareRequest } from "./prepare-request.js";
import { problemDetails } from "./problem-details.js";
import { discardBody, readBody } from "./read-body.js";
import { sentOnce } from "./sent-once.js";
import { traceHeaders } from "./trace-context.js";

/** An executor that carries actions out over HTTP. */
export interface HttpExecutor {
  readonly name: "http";
  readonly execute: ExecuteFn;
  /** Present when `options.reconcile` was given. */
  readonly reconcile?: ReconcileFn;
}

const ABORTED_BEFORE_SEND: HttpOutcome = { ok: false, code: "aborted_before_send" };

const VERDICTS: ReadonlySet<unknown> = new Set(["applied", "not_applied", "unknown"]);

type Exchange =
  | { request: PreparedRequest; response: Response }
  | {
      failure: HttpOutcome;
      /** There was no request that could have been sent. */
      unsendable?: string;
    };

/**
 * Makes an executor whose outcomes claim no more than the wire tells: applied on a 2xx, not applied when the request
 * cannot have left or the server says so, and an {@link HttpUnknownError} for everything else (S3.1).
 * @throws EocError `invalid_option`.
 */
export function createHttpExecutor(options: HttpExecutorOptions): HttpExecutor {
  const rules = checkOptions(options);
  const { request, outcome: decideOutcome, parse, reconcile: lookup, trace, dispatcher } = options;
  const { maxResponseBytes: maxBytes = 1_000_000, maxResponseMs: maxMs = 30_000 } = options;
  const clock = options.clock ?? createSystemClock();
  const fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));

  async function send(
    build: HttpRequestFn,
    action: PlannedAction,
    attempt: AttemptContext,
    idempotencyKey?: string,
  ): Promise<Exchange> {
    const { signal } = attempt;
    let prepared: PreparedRequest;
    try {
      const built = build(action, attempt);
      // A request that is never ready is never sent: who waits for it is not left in doubt.
      const made = isThenable(built) ? await orAborted(built, signal) : built;
      if (made === ABORTED) return { failure: ABORTED_BEFORE_SEND };
      prepared = prepareRequest(made as HttpRequest, rules, { idempotencyKey, trace: traceOf(action, attempt) });
    } catch (error) {
      const failure = notSent(error);
      return { failure, unsendable: failure.code };
    }
    if (signal.aborted) return { failure: ABORTED_BEFORE_SEND };
    const { method, url, headers } = prepared;
    try {
      const init = { method, headers, ...sentOnce(prepared, dispatcher), redirect: "manual", signal } as const;
      const response = await fetch(url, dispatcher === undefined ? init : ({ ...init, dispatcher } as RequestInit));
      return { request: prepared, response };
    } catch (error) {
      return { failure: outcomeFromFailure(prepared, error, signal.aborted) };
    }
  }

  function traceOf(action: PlannedAction, attempt: AttemptContext): Record<string, string> {
    try {
      return traceHeaders(trace?.(action, attempt));
    } catch {
      return {};
    }
  }

  async function answerOf(request: PreparedRequest, response: Response, signal: AbortSignal): Promise<HttpAnswer> {
    const { method, keyed } = request;
    const body = await readBody(response, method, { maxBytes, maxMs, clock, signal }, parse);
    const problem = problemDetails(response.headers, body.value);
    return { ...headOf(response), method, keyed, ...body, ...(problem && { problem }) };
  }

  const execute: ExecuteFn = async (action, attempt) => {
    const exchange = await send(request, action, attempt, attempt.idempotencyKey);
    if ("failure" in exchange) return resultOf(exchange.failure);

    const usual = outcomeFromResponse(exchange.request, exchange.response, () => clock.now());
    if (usual.ok !== true && decideOutcome === undefined) {
      await discardBody(exchange.response, { clock, signal: attempt.signal });
      return resultOf(usual);
    }
    // The status stands, whatever becomes of the body: an effect is not undone by a reply that breaks off.
    const answer = await answerOf(exchange.request, exchange.response, attempt.signal);
    const outcome = withBody(usual, answer);
    return resultOf(decideOutcome === undefined ? outcome : await decideOutcome(answer, outcome));
  };
  if (lookup === undefined) return { name: "http", execute };

  const reconcile: ReconcileFn = async (action, attempt) => {
    // Without the key: under it a server would take the lookup for a repetition of the request.
    const exchange = await send(lookup.request, action, attempt);
    if ("unsendable" in exchange) throw new HttpLookupError(exchange.unsendable);
    // What answers elsewhere was not asked: a login page is a 200 too.
    if ("failure" in exchange || exchange.response.redirected === true) return { state: "unknown" };
    const answer = await answerOf(exchange.request, exchange.response, attempt.signal);
    const verdict = await lookup.decide(answer, action);
    if (!VERDICTS.has(verdict?.state)) throw new HttpLookupError("invalid_verdict");
    return verdict;
  };
  return { name: "http", execute, reconcile };
}

function headOf(response: Response): HttpHead {
  return { status: response.status, headers: response.headers };
}

function withBody(usual: HttpOutcome, { method, body, value }: HttpAnswer): HttpOutcome {
  if (usual.ok !== true) return usual;
  if (body === "parsed") return { ok: true, value };
  // A read that brought nothing home has not been done, and harmed nothing.
  return body === "unreadable" && isSafe(method) ? { ok: false, code: "body_unreadable", retryable: true } : usual;
}

function notSent(error: unknown): ExecutorResult & { ok: false } {
  if (!isNotAppliedError(error)) return { ok: false, code: "request_failed", retryable: false };
  const { code, retryable, retryAfterMs } = error;
  return { ok: false, code, retryable, ...(retryAfterMs === undefined ? undefined : { retryAfterMs }) };
}

function resultOf(outcome: HttpOutcome): ExecutorResult {
  // Core judges anything else that a hook may return.
  if (outcome?.ok === "unknown") throw new HttpUnknownError(outcome.code, outcome);
  return outcome;
}

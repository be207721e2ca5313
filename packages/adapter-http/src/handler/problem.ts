/** Everything that the handler refuses, by the code in its problem details (RFC 9457): status, and what to do about it. */
export const PROBLEMS = {
  invalid_json: [400, "The body has to be JSON in UTF-8."],
  invalid_request: [400, 'The body has to be an object with "decision" and, if needed, "context" and "approval".'],
  invalid_control: [
    400,
    'The body has to be an object with "halted", true or false, and, if wanted, "reason", at most 500 characters.',
  ],
  invalid_idempotency_key: [400, "Idempotency-Key has to be 1 to 255 printable characters, bare or quoted."],
  not_authenticated: [401, "Send the bearer token."],
  not_authorized: [403, "This request may not do that."],
  not_approved: [403, "There is no approval of this decision."],
  not_found: [404, "There is nothing here, or no longer."],
  method_not_allowed: [405, "See Allow."],
  body_too_slow: [408, "The body did not arrive in time."],
  execution_running: [409, "The execution that this key stands for is still running."],
  body_too_large: [413, "The body is too long."],
  unsupported_media_type: [415, "Send application/json, without a content coding."],
  invalid_decision: [422, "The decision was refused: see issues."],
  invalid_context: [422, "The context was refused: see issues."],
  idempotency_key_reused: [422, "This key stands for another request."],
  rate_limited: [429, "Too many executions: see Retry-After."],
  misconfigured: [500, "The service is not set up to execute anything."],
  internal_error: [500, "The service failed."],
  approval_unavailable: [503, "Nobody could say whether this decision is approved."],
  authorization_unavailable: [503, "Nobody could say whether this request is allowed."],
  kill_switch_unavailable: [503, "The kill switch does not answer: nobody knows what it says."],
  rate_limiter_unavailable: [503, "Nobody could say whether there are too many executions."],
  too_many_executions: [503, "Too many executions are running."],
  too_many_streams: [503, "Too many streams of events are open."],
} as const satisfies Record<string, readonly [status: number, detail: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

// RFC 9110; a title is the same for every occurrence of a type (RFC 9457 §3.1.4).
const TYPE_BASE = "https://github.com/eoc-dev/eoc/tree/main/packages/adapter-http#";

// Nothing here is to be kept by a cache or guessed to be something else by a browser.
const HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** The code of a problem of an execution handler's, by its `type`; undefined of any other. */
export function problemCodeOf(type: string): ProblemCode | undefined {
  const code = type.startsWith(TYPE_BASE) ? type.slice(TYPE_BASE.length) : "";
  return Object.hasOwn(PROBLEMS, code) ? (code as ProblemCode) : undefined;
}

/** A problem as a response. `members` are added to its details. */
export function problem(
  code: ProblemCode,
  headers: Readonly<Record<string, string>> = {},
  members: Readonly<Record<string, unknown>> = {},
): Response {
  const [status, detail] = PROBLEMS[code];
  const title = code.replaceAll("_", " ");
  const body = JSON.stringify({ type: `${TYPE_BASE}${code}`, title, status, detail, code, ...members });
  return text(status, body, { "content-type": "application/problem+json", ...headers });
}

/** A value as a JSON response. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return text(status, JSON.stringify(value), { "content-type": "application/json", ...headers });
}

/** A response with the headers that all have. */
export function text(status: number, body: BodyInit | null, headers: Readonly<Record<string, string>>): Response {
  return new Response(body, { status, headers: { ...HEADERS, ...headers } });
}

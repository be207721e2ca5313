import { type ExecutionReport, execute, type FinalDecisionInput } from "@eoc/core";
import { parseStructuredList } from "../structured-list.js";
import { type Answer, ask } from "./ask.js";
import { type HandlerSettings, misconfigured } from "./check-options.js";
import { type ExecutionMemory, hex, type Remembered, type RememberedAnswer } from "./execution-memory.js";
import { followAny } from "./follow-any.js";
import type { Approval, HandlerFault } from "./options.js";
import { json, type ProblemCode, problem, text } from "./problem.js";
import { objectOf, readJson } from "./read-json.js";

export interface ExecuteRoute {
  readonly settings: HandlerSettings;
  readonly memory: ExecutionMemory;
  readonly fail: (fault: HandlerFault, error: unknown) => void;
}

/** What `POST /execute` carries. */
interface Order {
  readonly decision: FinalDecisionInput;
  readonly context: Record<string, unknown>;
  readonly approval: Approval | undefined;
}

// The service, not the request, is at fault for these.
const MISCONFIGURED: ReadonlySet<unknown> = new Set([
  "invalid_policy",
  "invalid_executor",
  "invalid_options",
  "missing_port",
]);
const REFUSED: ReadonlySet<unknown> = new Set(["invalid_decision", "invalid_context"]);

/** Makes what `POST /execute` does with a request that was let in. */
export function createExecuteRoute({ settings, memory, fail }: ExecuteRoute): (request: Request) => Promise<Response> {
  const { limits, policy, clock } = settings;

  return async (request) => {
    const read = await readJson(request, limits);
    if (read instanceof Response) return read;
    const order = orderOf(read.value, settings.approval !== undefined);
    if (order === undefined) return problem("invalid_request");
    const key = keyOf(request);
    if (key === null) return problem("invalid_idempotency_key");
    const fingerprint = key === undefined ? undefined : await digest(read.bytes);
    // From looking the key up to remembering it nothing else can happen.
    const known = key === undefined ? undefined : memory.findByKey(key);
    if (known !== undefined) return repeated(known, fingerprint);
    const remembered = memory.begin(key, fingerprint);
    if (remembered === undefined) return problem("too_many_executions", { "retry-after": "1" });

    const approval = await approvalOf(order, request);
    if ("refused" in approval) {
      remembered.forget();
      return problem(approval.refused);
    }
    const running = run(remembered, { ...order, approval: approval.given }, request);
    try {
      settings.waitUntil?.(running);
    } catch (error) {
      fail("handler", error);
    }
    // Relative to the request's own URL, and so right under any path that the handler is mounted at.
    const location = `executions/${remembered.id}`;
    if (prefersAsync(request)) return stillRunning(remembered, { location, "preference-applied": "respond-async" });
    return answerOf(await running);
  };

  async function approvalOf(
    { decision, approval }: Order,
    request: Request,
  ): Promise<{ given: Approval | undefined } | { refused: ProblemCode }> {
    const { approval: lookUp } = settings;
    if (lookUp === undefined) return { given: approval };
    const found: Answer<Approval | undefined> = await ask(clock, policy.timeout.portTimeoutMs, () =>
      lookUp(decision, request),
    );
    if (!found.ok) {
      fail("approval", found.error);
      return { refused: "approval_unavailable" };
    }
    return isApproval(found.value) ? { given: found.value } : { refused: "not_approved" };
  }

  async function run(remembered: Remembered, { decision, context, approval }: Order, request: Request) {
    const { ports = {}, executor, onDisconnect } = settings;
    const { log } = remembered;
    // Who asked to be answered at once does not stay connected.
    const stays = onDisconnect === "cancel" && !prefersAsync(request);
    const { signal, unfollow } = followAny([ports.signal, stays ? request.signal : undefined]);
    const report = await execute(decision, context, policy, executor, {
      ...ports,
      clock,
      executionId: remembered.id,
      ...(signal && { signal }),
      ...(approval && { approval }),
      onEvent(event) {
        log.append(event);
        // Core hears of an asynchronous listener that fails.
        return ports.onEvent?.(event);
      },
    });
    unfollow();
    if (MISCONFIGURED.has(report.reason)) fail("handler", misconfigured(report.issues));
    const answer = await rememberable(report);
    remembered.finish(answer);
    return answer;
  }
}

/** What `GET /executions/:id` shows. */
export function showExecution(remembered: Remembered): Response {
  return remembered.answer === undefined
    ? stillRunning(remembered, { "retry-after": "1" })
    : answerOf(remembered.answer);
}

function repeated(known: Remembered, fingerprint: string | undefined): Response {
  const instance = `executions/${known.id}`;
  if (known.fingerprint !== fingerprint) return problem("idempotency_key_reused", {}, { instance });
  if (known.answer !== undefined) return answerOf(known.answer);
  return problem("execution_running", { "retry-after": "1" }, { instance });
}

function stillRunning({ id }: Remembered, headers: Record<string, string>): Response {
  return json(202, { executionId: id, state: "running" }, headers);
}

async function rememberable(report: ExecutionReport): Promise<RememberedAnswer> {
  const { reason, issues, executionId } = report;
  const response = REFUSED.has(reason)
    ? problem(reason as ProblemCode, {}, { executionId, issues })
    : MISCONFIGURED.has(reason)
      ? problem("misconfigured", {}, { executionId })
      : json(200, report);
  return {
    status: response.status,
    contentType: response.headers.get("content-type")!,
    body: await response.text(),
  };
}

function answerOf({ status, contentType, body }: RememberedAnswer): Response {
  return text(status, body, { "content-type": contentType });
}

function orderOf(value: unknown, approvalsAreKept: boolean): Order | undefined {
  const body = objectOf(value, approvalsAreKept ? ["decision", "context"] : ["decision", "context", "approval"]);
  if (body === undefined || !("decision" in body)) return undefined;
  const { decision, context = {}, approval } = body;
  if (approval !== undefined && !isApproval(approval)) return undefined;
  // Core checks both, and says what is wrong with them.
  return { decision: decision as FinalDecisionInput, context: context as Order["context"], approval };
}

function isApproval(value: unknown): value is Approval {
  const approval = objectOf(value, ["digest", "expiresAtMs"]);
  if (approval === undefined || typeof approval["digest"] !== "string") return false;
  const { expiresAtMs } = approval;
  return expiresAtMs === undefined || (typeof expiresAtMs === "number" && Number.isFinite(expiresAtMs));
}

/** The request's idempotency key, in the draft's quoted form or bare; undefined when it has none, null when it is malformed. */
function keyOf({ headers }: Request): string | null | undefined {
  const field = headers.get("idempotency-key");
  if (field === null) return undefined;
  const [item, more] = field.startsWith('"') ? (parseStructuredList(field) ?? []) : [{ value: field }];
  const key = more === undefined ? item?.value : undefined;
  return typeof key === "string" && /^[\x20-\x7e]{1,255}$/.test(key) ? key : null;
}

/** RFC 7240. */
function prefersAsync({ headers }: Request): boolean {
  return (headers.get("prefer") ?? "").split(",").some((each) => /^\s*respond-async\s*(?:;|$)/i.test(each));
}

async function digest(bytes: Uint8Array): Promise<string> {
  return hex(new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", bytes as BufferSource)));
}

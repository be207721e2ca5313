import type { ExecutionStatus } from "@eoc/core";
import { type ProblemCode, problemCodeOf } from "./handler/problem.js";
import type { HttpAnswer, HttpOutcome } from "./options.js";

// What nothing was applied under, and what may have been.
const STATUSES: ReadonlyMap<unknown, false | "unknown" | true> = new Map<ExecutionStatus, false | "unknown" | true>([
  ["success", true],
  ["failed", false],
  ["denied", false],
  ["skipped", false],
  ["partial", "unknown"],
  ["unknown", "unknown"],
]);

// The handler's own refusals, before an execution began, among those that of another service prove nothing: whether to try again.
const NOT_BEGUN: ReadonlyMap<ProblemCode | undefined, boolean> = new Map<ProblemCode, boolean>([
  ["body_too_slow", true],
  ["misconfigured", false],
  ["approval_unavailable", true],
  ["authorization_unavailable", true],
  ["rate_limiter_unavailable", true],
  ["too_many_executions", true],
]);

/**
 * The hook `outcome` of an executor that sends decisions to an execution handler's `POST /execute`. That answers 200 to whatever became of
 * them: the outcome is what the report says, `report_<status>`, final where nothing was applied, as the handler has retried by its own policy;
 * unknown where a part was, and where there is no report (`report_unreadable`). The handler's refusals say that nothing was begun.
 */
export function outcomeOfReport(answer: HttpAnswer, usual: HttpOutcome): HttpOutcome {
  if (usual.ok === true) {
    const { status, actions } = (answer.value ?? {}) as { status?: unknown; actions?: unknown };
    const applied = answer.status === 200 && Array.isArray(actions) ? STATUSES.get(status) : undefined;
    if (applied === undefined) return { ok: "unknown", code: "report_unreadable" };
    if (applied === true) return usual;
    const code = `report_${String(status)}`;
    return applied === false ? { ok: false, code, retryable: false } : { ok: "unknown", code };
  }
  const code = answer.problem && problemCodeOf(answer.problem.type);
  const retryable = NOT_BEGUN.get(code);
  if (code === undefined || retryable === undefined || usual.ok !== "unknown") return usual;
  const { retryAfterMs } = usual;
  return { ok: false, code, retryable, ...(retryAfterMs === undefined ? undefined : { retryAfterMs }) };
}

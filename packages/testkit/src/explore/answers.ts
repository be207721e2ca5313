import { isNotAppliedError, type RetryPolicy } from "@eoc/core";

/** What an executor said at the end of a call, and when. */
export interface Answer {
  /** Undefined when it threw, or said something that no executor may say: nothing is known. */
  readonly ok?: boolean;
  readonly retryable?: unknown;
  readonly retryAfterMs?: unknown;
  readonly atMs: number;
}

/** Of a value that it resolved to. */
export function answerOf(result: unknown): Omit<Answer, "atMs"> {
  const { ok, retryable, retryAfterMs } = (result ?? {}) as Record<string, unknown>;
  return typeof ok === "boolean" ? { ok, retryable, retryAfterMs } : {};
}

/** Of something that it threw. */
export function thrownAnswer(error: unknown): Omit<Answer, "atMs"> {
  if (!isNotAppliedError(error)) return {};
  return { ok: false, retryable: error.retryable, retryAfterMs: error.retryAfterMs };
}

/** What the executor's last word has against another call at `nowMs` (S3.1, S3.5). */
export function objectionTo(
  last: Answer | undefined,
  nowMs: number,
  { maxRetryAfterMs }: RetryPolicy,
): { clause: string; message: string } | undefined {
  if (last?.ok === undefined) return undefined;
  if (last.ok) return { clause: "S3.1", message: "the executor was called again after `ok: true`" };
  if (last.retryable === false) {
    return { clause: "S3.1", message: "the executor was called again after `retryable: false`" };
  }
  const { retryAfterMs } = last;
  if (typeof retryAfterMs !== "number" || !(retryAfterMs > 0)) return undefined;
  if (retryAfterMs > maxRetryAfterMs) {
    const message = `the executor was called again although it asked for ${retryAfterMs} ms; the most is ${maxRetryAfterMs} ms`;
    return { clause: "S3.5", message };
  }
  const waitedMs = nowMs - last.atMs;
  if (waitedMs >= retryAfterMs) return undefined;
  return {
    clause: "S3.5",
    message: `the executor was called again after ${waitedMs} ms; it asked for ${retryAfterMs} ms`,
  };
}

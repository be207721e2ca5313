import { type Answer, Attempt, isUnknown, type Task, THREW } from "./attempt.ts";
import { Deadlines } from "./deadlines.ts";
import { SlidingLog } from "./sliding-log.ts";
import { Slots } from "./slots.ts";

export interface FullFloorOptions {
  readonly maxRetries: number;
  readonly initialBackoffMs: number;
  readonly attemptTimeoutMs: number;
  readonly slots: number;
  readonly killSwitch: FloorSwitch;
  readonly rateLimit: { readonly limit: number; readonly windowMs: number };
  readonly signal?: AbortSignal;
}

export interface FullReport {
  readonly executionId: string;
  readonly status: "success" | "failed" | "unknown" | "denied";
  readonly code: string | undefined;
  readonly value: unknown;
  readonly attempts: readonly FullAttemptRow[];
  readonly successCount: number;
  readonly failedCount: number;
  readonly startedAtMs: number;
  readonly totalLatencyMs: number;
}

interface FullAttemptRow {
  readonly attemptNumber: number;
  readonly status: "success" | "failed" | "unknown";
  readonly startedAtMs: number;
  readonly latencyMs: number;
  readonly code: string | undefined;
}

/** A switch that stops everything that watches it. */
export class FloorSwitch {
  halted = false;
  readonly #listeners = new Set<() => void>();

  subscribe(listener: () => void): void {
    this.#listeners.add(listener);
  }

  halt(): void {
    this.halted = true;
    for (const listener of this.#listeners) listener();
  }
}

const ACTIONS = new Set<unknown>(["HOLD", "ACT", "EXIT", "CANCEL", "STOP"]);

/** What is checked of a decision before anything is done. */
export function isDecision(decision: unknown): decision is { action: string; allowed?: boolean; params?: object } {
  if (typeof decision !== "object" || decision === null) return false;
  const { action, allowed, params, reasons } = decision as Record<string, unknown>;
  return (
    ACTIONS.has(action) &&
    (allowed === undefined || typeof allowed === "boolean") &&
    (params === undefined || (typeof params === "object" && params !== null)) &&
    (reasons === undefined || Array.isArray(reasons))
  );
}

/**
 * The lean floor and what makes it safe enough to use: a decision that is checked, a kill switch read before every
 * dispatch and obeyed in flight, an exact rate limit, and a report with a row for each attempt. Whatever waits
 * continues in the caller's asynchronous context, since it awaits promises and is called by nobody else.
 */
export function createFullFloor(options: FullFloorOptions): (decision: unknown, task: Task) => Promise<FullReport> {
  const { maxRetries, initialBackoffMs, attemptTimeoutMs, killSwitch, rateLimit, signal } = options;
  const slots = new Slots(options.slots);
  const deadlines = new Deadlines(attemptTimeoutMs);
  const permits = new SlidingLog(rateLimit.limit, rateLimit.windowMs);
  killSwitch.subscribe(() => deadlines.stopAll());
  signal?.addEventListener("abort", () => deadlines.stopAll(), { once: true });
  let executions = 0;

  function report(
    status: FullReport["status"],
    code: string | undefined,
    value: unknown,
    attempts: readonly FullAttemptRow[],
    startedAt: number,
  ): FullReport {
    const successCount = status === "success" ? 1 : 0;
    return {
      executionId: `floor-${++executions}`,
      status,
      code,
      value,
      attempts,
      successCount,
      failedCount: attempts.length - successCount,
      startedAtMs: performance.timeOrigin + startedAt,
      totalLatencyMs: performance.now() - startedAt,
    };
  }

  return async (decision, task) => {
    const startedAt = performance.now();
    const rows: FullAttemptRow[] = [];
    if (!isDecision(decision)) return report("denied", "invalid_decision", undefined, rows, startedAt);
    for (let number = 0; ; number++) {
      if (!slots.tryEnter()) await slots.wait();
      const waitMs = permits.take(performance.now());
      // The last thing before a dispatch, after all waiting.
      const denial =
        waitMs > 0 ? "rate_limited" : killSwitch.halted ? "kill_switch" : signal?.aborted ? "cancelled" : "";
      if (denial !== "") {
        slots.leave();
        return report(number === 0 ? "denied" : "failed", denial, undefined, rows, startedAt);
      }
      const attempt = new Attempt(number);
      const attemptStartedAt = performance.now();
      let answer: Answer;
      try {
        const given = task(attempt);
        answer = given instanceof Promise ? await attempt.answerOf(given, deadlines) : given;
      } catch {
        answer = THREW;
      }
      slots.leave();
      const status = answer.ok ? "success" : isUnknown(answer) ? "unknown" : "failed";
      const code = answer.ok ? undefined : answer.code;
      rows.push({
        attemptNumber: number,
        status,
        startedAtMs: attemptStartedAt - startedAt,
        latencyMs: performance.now() - attemptStartedAt,
        code,
      });
      if (answer.ok) return report("success", code, answer.value, rows, startedAt);
      if (status === "unknown") {
        if (answer !== THREW) attempt.abort(answer.code);
        return report("unknown", code, undefined, rows, startedAt);
      }
      if (number === maxRetries) return report("failed", code, undefined, rows, startedAt);
      const backoffMs = initialBackoffMs * 2 ** number;
      if (backoffMs > 0) await new Promise((resolve) => setTimeout(resolve, backoffMs));
    }
  };
}

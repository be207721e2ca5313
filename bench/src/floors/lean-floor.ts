import { type Answer, Attempt, isUnknown, type Task, THREW } from "./attempt.ts";
import { Deadlines } from "./deadlines.ts";
import { Slots } from "./slots.ts";

export interface LeanFloorOptions {
  readonly maxRetries: number;
  readonly initialBackoffMs: number;
  readonly attemptTimeoutMs: number;
  readonly slots: number;
  /** Long-lived: cancels whatever is under way when it aborts. */
  readonly signal?: AbortSignal;
}

export interface LeanOutcome {
  readonly status: "success" | "failed" | "unknown";
  readonly attempts: number;
  readonly code?: string;
  readonly value?: unknown;
}

/**
 * The least that does retry, attempt limit, slots, a parent signal and a count of attempts: what somebody who knows the
 * platform well writes by hand. Outcomes are values; one list holds the deadlines and what a cancel has to stop.
 */
export function createLeanFloor(options: LeanFloorOptions): (task: Task) => Promise<LeanOutcome> {
  const { maxRetries, initialBackoffMs, attemptTimeoutMs, signal } = options;
  const slots = new Slots(options.slots);
  const deadlines = new Deadlines(attemptTimeoutMs);
  signal?.addEventListener("abort", () => deadlines.stopAll(), { once: true });

  return async (task) => {
    for (let number = 0; ; number++) {
      if (!slots.tryEnter()) await slots.wait();
      if (signal?.aborted) {
        slots.leave();
        return { status: "failed", attempts: number, code: "cancelled" };
      }
      const attempt = new Attempt(number);
      let answer: Answer;
      try {
        const given = task(attempt);
        answer = given instanceof Promise ? await attempt.answerOf(given, deadlines) : given;
      } catch {
        answer = THREW;
      }
      slots.leave();
      if (answer.ok) return { status: "success", attempts: number + 1, value: answer.value };
      if (isUnknown(answer)) {
        if (answer !== THREW) attempt.abort(answer.code);
        return { status: "unknown", attempts: number + 1, code: answer.code };
      }
      if (number === maxRetries) return { status: "failed", attempts: number + 1, code: answer.code };
      const backoffMs = initialBackoffMs * 2 ** number;
      if (backoffMs > 0) await new Promise((resolve) => setTimeout(resolve, backoffMs));
    }
  };
}

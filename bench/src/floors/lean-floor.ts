import { Deadlines, type InFlight, type StopCause } from "./deadlines.ts";
import { Slots } from "./slots.ts";

export interface LeanFloorOptions {
  readonly maxRetries: number;
  readonly initialBackoffMs: number;
  readonly attemptTimeoutMs: number;
  readonly slots: number;
  /** Long-lived: cancels whatever is under way when it aborts. */
  readonly signal?: AbortSignal;
}

export type LeanAnswer = { ok: true; value?: unknown } | { ok: false; code: string };

export type LeanTask = (attempt: LeanAttempt) => LeanAnswer | Promise<LeanAnswer>;

export interface LeanOutcome {
  readonly status: "success" | "failed" | "unknown";
  readonly attempts: number;
  readonly code?: string;
  readonly value?: unknown;
}

const THREW: LeanAnswer = { ok: false, code: "threw" };
const STOPPED: Record<StopCause, LeanAnswer> = {
  attempt_timeout: { ok: false, code: "attempt_timeout" },
  cancelled: { ok: false, code: "cancelled" },
};

/** What a task is handed; its signal is made when it is first read. */
export class LeanAttempt implements InFlight {
  readonly number: number;
  dueAt = 0;
  previous: InFlight | undefined = undefined;
  next: InFlight | undefined = undefined;
  /** Ends the wait for the task's answer. */
  settle: ((answer: LeanAnswer) => void) | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  constructor(number: number) {
    this.number = number;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** The reason spares the platform from building an error. */
  stop(cause: StopCause): void {
    this.settle?.(STOPPED[cause]);
    this.#controller?.abort(cause);
  }
}

/**
 * The least that does retry, attempt limit, slots, a parent signal and a count of attempts: what somebody who knows the
 * platform well writes by hand. Outcomes are values; one list holds the deadlines and what a cancel has to stop.
 */
export function createLeanFloor(options: LeanFloorOptions): (task: LeanTask) => Promise<LeanOutcome> {
  const { maxRetries, initialBackoffMs, attemptTimeoutMs, signal } = options;
  const slots = new Slots(options.slots);
  const deadlines = new Deadlines(attemptTimeoutMs);
  signal?.addEventListener("abort", () => deadlines.stopAll(), { once: true });

  function limited(answer: Promise<LeanAnswer>, attempt: LeanAttempt): Promise<LeanAnswer> {
    return new Promise((resolve) => {
      attempt.settle = resolve;
      deadlines.add(attempt);
      const settle = (value: LeanAnswer) => {
        deadlines.remove(attempt);
        resolve(value);
      };
      answer.then(settle, () => settle(THREW));
    });
  }

  return async (task) => {
    for (let number = 0; ; number++) {
      if (!slots.tryEnter()) await slots.wait();
      if (signal?.aborted) {
        slots.leave();
        return { status: "failed", attempts: number, code: "cancelled" };
      }
      const attempt = new LeanAttempt(number);
      let answer: LeanAnswer;
      try {
        const given = task(attempt);
        answer = given instanceof Promise ? await limited(given, attempt) : given;
      } catch {
        answer = THREW;
      }
      slots.leave();
      if (answer.ok) return { status: "success", attempts: number + 1, value: answer.value };
      const isKnown = answer !== THREW && answer !== STOPPED.attempt_timeout && answer !== STOPPED.cancelled;
      if (!isKnown || number === maxRetries) {
        return { status: isKnown ? "failed" : "unknown", attempts: number + 1, code: answer.code };
      }
      const backoffMs = initialBackoffMs * 2 ** number;
      if (backoffMs > 0) await new Promise((resolve) => setTimeout(resolve, backoffMs));
    }
  };
}

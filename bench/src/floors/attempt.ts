import type { Deadlines, InFlight, StopCause } from "./deadlines.ts";

/** What a task answers; failing is a value. */
export type Answer = { ok: true; value?: unknown } | { ok: false; code: string };

export type Task = (attempt: Attempt) => Answer | Promise<Answer>;

/** What a task that threw comes to. */
export const THREW: Answer = { ok: false, code: "threw" };

/** What a task that was stopped comes to. */
const STOPPED: Record<StopCause, Answer> = {
  attempt_timeout: { ok: false, code: "attempt_timeout" },
  cancelled: { ok: false, code: "cancelled" },
};

/** Whether nobody knows what a task did that came to this. */
export function isUnknown(answer: Answer): boolean {
  return answer === THREW || answer === STOPPED.attempt_timeout || answer === STOPPED.cancelled;
}

/** What a task is handed; its signal is made when it is first read. */
export class Attempt implements InFlight {
  readonly number: number;
  dueAt = 0;
  previous: InFlight | undefined = undefined;
  next: InFlight | undefined = undefined;
  #settle: ((answer: Answer) => void) | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  constructor(number: number) {
    this.number = number;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** The task's answer, or what it comes to when it throws or is stopped. Never rejects. */
  answerOf(given: Promise<Answer>, deadlines: Deadlines): Promise<Answer> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      deadlines.add(this);
      const settle = (answer: Answer) => {
        deadlines.remove(this);
        resolve(answer);
      };
      given.then(settle, () => settle(THREW));
    });
  }

  /** Only ends the wait: the caller aborts, in its own asynchronous context. */
  stop(cause: StopCause): void {
    this.#settle?.(STOPPED[cause]);
  }

  /** The reason spares the platform from building an error. */
  abort(reason: string): void {
    this.#controller?.abort(reason);
  }
}

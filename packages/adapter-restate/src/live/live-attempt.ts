import { type AttemptContext, EocError, type EocErrorCode, type ExecutionContext } from "@eoc/core";
import type { AbortCause } from "@eoc/core/machine";

const MESSAGES: Record<AbortCause & EocErrorCode, string> = {
  attempt_timeout: "the attempt took longer than its limit",
  deadline: "the execution's time is up",
  halt: "a kill switch halted the execution",
  cancelled: "the execution was cancelled",
};

/** What an executor is handed. Its signal is made when it is first read (S4.6). */
export class LiveAttempt implements AttemptContext {
  readonly attempt: number;
  readonly actionIndex: number;
  readonly executionId: string;
  readonly idempotencyKey: string | undefined;
  readonly deadlineMs: number;
  readonly context: Readonly<ExecutionContext>;
  #controller: AbortController | undefined;
  #abortedFor: AbortCause | undefined;
  #settled = false;

  constructor(given: Omit<AttemptContext, "signal">) {
    this.attempt = given.attempt;
    this.actionIndex = given.actionIndex;
    this.executionId = given.executionId;
    this.idempotencyKey = given.idempotencyKey;
    this.deadlineMs = given.deadlineMs;
    this.context = given.context;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortedFor !== undefined) this.#controller.abort(reason(this.#abortedFor));
    }
    return this.#controller.signal;
  }

  /** True the first time: an executor is believed once. */
  static settle(attempt: LiveAttempt): boolean {
    const first = !attempt.#settled;
    attempt.#settled = true;
    return first;
  }

  static abort(attempt: LiveAttempt, cause: AbortCause): void {
    if (attempt.#settled || attempt.#abortedFor !== undefined) return;
    attempt.#abortedFor = cause;
    attempt.#controller?.abort(reason(cause));
  }
}

function reason(cause: AbortCause): EocError {
  return new EocError(cause, MESSAGES[cause]);
}

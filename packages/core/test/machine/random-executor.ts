import {
  type AttemptContext,
  type ExecutionEvent,
  type Executor,
  type ExecutorResult,
  NotAppliedError,
  type PlannedAction,
} from "../../src/index.js";
import { createWorld } from "../support.js";
import type { FastClock } from "./fast-clock.js";
import { faulty, SECRET } from "./faulty-ports.js";
import type { Behaviour, RandomCase } from "./random-case.js";

/** One call of an executor, seen from outside. */
export interface Call {
  readonly action: number;
  readonly attempt: number;
  readonly startedMs: number;
  /** Calls of this execution that had not settled, this one included. */
  readonly inFlight: number;
  /** The same of all executions. */
  readonly inFlightTogether: number;
  /** Another of the same action had not settled. */
  readonly overlaps: boolean;
  /** The switch had been thrown, or the caller had cancelled. */
  readonly afterStop: boolean;
  /** Its intent was on record. */
  readonly intended: boolean;
  endedMs?: number;
}

/** What an execution has done so far. */
export interface Doings {
  readonly executionId: string;
  readonly controller: AbortController;
  readonly events: ExecutionEvent[];
  readonly calls: Call[];
  readonly effects: { readonly action: number; readonly key: string | undefined }[];
}

/** What the executors of a case need to know of everything else. */
interface Surroundings {
  readonly time: FastClock;
  readonly halt: () => void;
  readonly isHalted: () => boolean;
  readonly isIntended: (executionId: string, attempt: string) => boolean;
}

const WELL: Behaviour = { says: "applied", applies: true, afterMs: 0, obeysAbort: true, meanwhile: "nothing" };

/** Executors that behave by the script of a case, on a world that remembers. */
export class RandomExecutors {
  readonly #random: RandomCase;
  readonly #around: Surroundings;
  readonly #world = createWorld();
  #dispatches = 0;
  inFlight = 0;

  constructor(random: RandomCase, around: Surroundings) {
    this.#random = random;
    this.#around = around;
  }

  executorOf(doings: Doings): Executor {
    const { reconcile } = this.#random;
    const look = ({ id }: PlannedAction) => ({
      state: this.#world.has(id) ? ("applied" as const) : ("not_applied" as const),
    });
    return {
      execute: (action, attempt) => this.#execute(action, attempt, doings),
      ...(reconcile && { reconcile: faulty(look, reconcile, this.#around.time) }),
    };
  }

  hasApplied(action: number): boolean {
    return this.#world.has(`action-${action}`);
  }

  #execute(action: PlannedAction, attempt: AttemptContext, doings: Doings): ExecutorResult | Promise<ExecutorResult> {
    const behaviour = this.#random.dispatches[this.#dispatches++] ?? WELL;
    const call = this.#open(attempt, doings);
    const apply = () => this.#apply(action, attempt, doings);
    if (behaviour.meanwhile === "halt") this.#around.halt();
    if (behaviour.meanwhile === "cancel") doings.controller.abort();
    if (behaviour.says === "never" && behaviour.applies) apply();
    if (behaviour.afterMs > 0 || behaviour.says === "never") return this.#later(attempt.signal, behaviour, call, apply);
    try {
      return answerOf(behaviour, apply);
    } finally {
      this.#close(call);
    }
  }

  #open({ actionIndex: action, attempt }: AttemptContext, { calls, controller, executionId }: Doings): Call {
    const { time, isHalted, isIntended } = this.#around;
    const open = calls.filter(({ endedMs }) => endedMs === undefined);
    const call: Call = {
      action,
      attempt,
      startedMs: time.now(),
      inFlight: 1 + open.length,
      inFlightTogether: ++this.inFlight,
      overlaps: open.some((other) => other.action === action),
      afterStop: controller.signal.aborted || isHalted(),
      intended: isIntended(executionId, `${action}/${attempt}`),
    };
    calls.push(call);
    return call;
  }

  #close(call: Call): void {
    this.inFlight--;
    call.endedMs = this.#around.time.now();
  }

  async #later(signal: AbortSignal, behaviour: Behaviour, call: Call, apply: () => void): Promise<ExecutorResult> {
    const { says, afterMs, obeysAbort } = behaviour;
    const answer = says === "never" ? new Promise<void>(() => {}) : this.#around.time.sleep(afterMs);
    try {
      await (obeysAbort ? Promise.race([answer, abortOf(signal)]) : answer);
      return answerOf(behaviour, apply);
    } finally {
      this.#close(call);
    }
  }

  #apply({ id, index }: PlannedAction, { idempotencyKey: key }: AttemptContext, { effects }: Doings): void {
    this.#world.apply(id, { key, atMs: this.#around.time.now() });
    effects.push({ action: index, key });
  }
}

function answerOf({ says, applies }: Behaviour, apply: () => void): ExecutorResult {
  switch (says) {
    case "applied":
      apply();
      return { ok: true, value: { token: SECRET } };
    case "not_applied":
      return { ok: false, code: "busy" };
    case "final":
      return { ok: false, code: `NO ${SECRET}`, retryable: false };
    case "later":
      return { ok: false, code: "later", retryAfterMs: 8 };
    case "not_applied_error":
      throw new NotAppliedError("refused", { retryAfterMs: 2, cause: SECRET });
    default:
      if (applies) apply();
      if (says === "throws") throw new TypeError(SECRET);
      return SECRET as never;
  }
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

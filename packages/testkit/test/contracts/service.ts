import type { Executor, ExecutorResult, PlannedAction, ReconcileVerdict } from "@eoc/core";
import { NotAppliedError } from "@eoc/core";
import type { ExecutorUnderTest, OutsideWorld, VirtualClock } from "@eoc/testkit";

/** A service over a wire, as far as one test needs it. */
class Service {
  how: OutsideWorld = "well";
  readonly #clock: VirtualClock;
  readonly #dedupes: boolean;
  readonly #applied: { id: string; key: string | undefined }[] = [];

  constructor(clock: VirtualClock, dedupes: boolean) {
    this.#clock = clock;
    this.#dedupes = dedupes;
  }

  count(id: string): number {
    return this.#applied.filter((effect) => effect.id === id).length;
  }

  /** Rejects with a plain Error when nothing comes back, and with the signal's reason when it is aborted. */
  async request(id: string, key: string | undefined, signal: AbortSignal | undefined): Promise<"done" | "refused"> {
    signal?.throwIfAborted();
    if (this.how === "is_unreachable") throw new Error("ECONNREFUSED");
    if (this.how === "refuses") return "refused";
    if (this.how === "is_slow") {
      this.#clock.setTimer(() => this.#apply(id, key), 10_000);
      await this.#clock.sleep(10_000, signal === undefined ? {} : { signal });
      return "done";
    }
    this.#apply(id, key);
    if (this.how === "loses_reply") throw new Error("ECONNRESET");
    return "done";
  }

  async lookup(key: string | undefined): Promise<boolean> {
    if (this.how === "is_unreachable") throw new Error("ECONNREFUSED");
    return this.#applied.some((effect) => effect.key === key);
  }

  #apply(id: string, key: string | undefined): void {
    if (this.#dedupes && this.#applied.some((effect) => effect.key === key)) return;
    this.#applied.push({ id, key });
  }
}

/** What can be wrong with an executor. */
export type ExecutorFault =
  | "says ok: false when the reply was lost"
  | "says ok: false when it was aborted"
  | "sends what was aborted in advance, and says ok: false"
  | "says ok: true when nobody was there"
  | "retries on its own"
  | "ignores the signal"
  | "aborts everybody with one signal"
  | "gives a sentence as its code"
  | "resolves to something else"
  | "makes a key of its own for every dispatch"
  | "says not_applied of what is on its way"
  | "says not_applied when it could not ask"
  | "says applied without asking";

export interface ServiceOptions {
  clock: VirtualClock;
  fault?: ExecutorFault | undefined;
  dedupes?: boolean;
  reconciles?: boolean;
  heedsAbort?: boolean;
}

/** An executor for the service, and the service. */
export function openService(options: ServiceOptions): ExecutorUnderTest {
  const { clock, fault, dedupes = true, reconciles = true, heedsAbort = true } = options;
  const service = new Service(clock, dedupes);
  const everybody = new AbortController();
  let dispatches = 0;

  const execute = async (
    action: PlannedAction,
    attempt: { signal: AbortSignal; idempotencyKey?: string | undefined },
  ): Promise<ExecutorResult> => {
    const key = fault === "makes a key of its own for every dispatch" ? `own ${dispatches++}` : attempt.idempotencyKey;
    if (fault === "sends what was aborted in advance, and says ok: false" && attempt.signal.aborted) {
      await service.request(action.id, key, undefined);
      return { ok: false, code: "aborted" };
    }
    const shared = fault === "aborts everybody with one signal";
    if (shared) attempt.signal.addEventListener("abort", () => everybody.abort(new Error("aborted")));
    const heeded = shared ? everybody.signal : attempt.signal;
    const signal = heedsAbort && fault !== "ignores the signal" ? heeded : undefined;
    try {
      const answer = await withRetry(fault, () => service.request(action.id, key, signal));
      if (fault === "resolves to something else") return { done: true } as never;
      if (answer === "done") return { ok: true };
      return {
        ok: false,
        code: fault === "gives a sentence as its code" ? "Refused by the service!" : "refused",
        retryable: false,
      };
    } catch (error) {
      if (attempt.signal.aborted && fault === "says ok: false when it was aborted")
        return { ok: false, code: "aborted" };
      if ((error as Error).message === "ECONNREFUSED") {
        if (fault === "says ok: true when nobody was there") return { ok: true };
        throw new NotAppliedError("connection_refused");
      }
      if (fault === "says ok: false when the reply was lost") return { ok: false, code: "connection_reset" };
      throw error;
    }
  };

  const reconcile = async (
    _action: PlannedAction,
    { idempotencyKey }: { idempotencyKey?: string | undefined },
  ): Promise<ReconcileVerdict> => {
    if (fault === "says applied without asking") return { state: "applied" };
    try {
      if (await service.lookup(idempotencyKey)) return { state: "applied" };
    } catch {
      return { state: fault === "says not_applied when it could not ask" ? "not_applied" : "unknown" };
    }
    return { state: fault === "says not_applied of what is on its way" ? "not_applied" : "unknown" };
  };

  const executor: Executor = reconciles ? { execute, reconcile } : { execute };
  return {
    executor,
    behave: (how) => {
      service.how = how;
    },
    effects: ({ id }) => service.count(id),
  };
}

async function withRetry<T>(fault: ExecutorFault | undefined, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (fault !== "retries on its own") throw error;
    return call();
  }
}

import { digestDecision, FinalDecisionSchema } from "@eoc/decision-schema";
import {
  type AttemptContext,
  type Bulkhead,
  createBulkhead,
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  createRetryBudget,
  type ExecuteOptions,
  type ExecutionEvent,
  type ExecutionReport,
  type Executor,
  execute,
  type FinalDecisionInput,
  type GateVerdict,
  type IdempotencyStore,
  NotAppliedError,
  type PlannedAction,
  type RateLimiter,
} from "../../src/index.js";
import { createWorld } from "../support.js";
import { createFastClock, type FastClock } from "./fast-clock.js";
import { type Fault, faulty, SECRET } from "./faulty-ports.js";
import type { Behaviour, RandomCase } from "./random-case.js";

/** One call of the executor, seen from outside. */
export interface Call {
  readonly action: number;
  readonly attempt: number;
  readonly key: string | undefined;
  readonly startedMs: number;
  /** Calls of this execution that had not settled, this one included. */
  readonly inFlight: number;
  /** Of the same action. */
  readonly overlaps: boolean;
  /** The switch had been thrown, or the caller had cancelled. */
  readonly afterStop: boolean;
  /** Its intent was on record. */
  readonly intended: boolean;
  endedMs?: number;
}

/** What came of one execution, seen from outside. */
export interface Seen {
  readonly report: ExecutionReport;
  readonly events: readonly ExecutionEvent[];
  readonly calls: readonly Call[];
  readonly startedMs: number;
  readonly endedMs: number;
  /** What reached the world while this execution and its stragglers ran. */
  readonly effects: readonly { readonly action: number; readonly key: string | undefined }[];
  /** Actions of which an effect had reached the world before. */
  readonly appliedBefore: readonly number[];
  /** When the report was handed out, and at the very end. */
  readonly timersLeft: readonly [number, number];
  readonly listenersLeft: number;
  readonly permitsLeft: number;
}

/** Everything that three executions of one decision, one after the other, did to the world. */
export interface Outcome {
  readonly random: RandomCase;
  readonly runs: readonly Seen[];
  readonly sharedSlotsLeft: number;
}

const CONTEXT = { session_id: "s-1", api_key: SECRET };

/** Runs a case to its very end, and twice more. */
export async function runCase(random: RandomCase): Promise<Outcome> {
  const bench = new Bench(random);
  const runs = [await bench.run(true)];
  for (let again = 0; again < 2; again++) {
    await bench.pause();
    runs.push(await bench.run(false));
  }
  return { random, runs, sharedSlotsLeft: bench.sharedSlotsLeft() };
}

class Bench {
  readonly #random: RandomCase;
  readonly #time: FastClock = createFastClock();
  readonly #world = createWorld();
  readonly #store: IdempotencyStore;
  readonly #limiter: RateLimiter;
  readonly #bulkhead: Bulkhead | undefined;
  readonly #switch = createManualKillSwitch();
  readonly #decision: FinalDecisionInput;
  #permits = 0;
  #inFlight = 0;
  #dispatches = 0;

  constructor(random: RandomCase) {
    this.#random = random;
    this.#store = this.#faultyStore();
    this.#limiter = this.#faultyLimiter();
    this.#bulkhead = this.#sharedSlots();
    this.#decision = {
      action: "ACT",
      actions: random.actions.map(({ effect, hold, key }) => ({
        action: hold ? ("HOLD" as const) : ("ACT" as const),
        effect,
        ...(key === undefined ? undefined : { idempotency_key: key }),
      })),
      ...(random.throttleMs === undefined ? undefined : { throttle_ms: random.throttleMs }),
    };
  }

  async run(isFirst: boolean): Promise<Seen> {
    const time = this.#time;
    const controller = new AbortController();
    const listeners = countListeners(controller.signal);
    const events: ExecutionEvent[] = [];
    const calls: Call[] = [];
    const startedMs = time.now();
    const before = [...this.#world.effects];
    this.#intents.clear();
    if (isFirst) this.#schedule(controller);
    const report = await time.run(
      execute(
        this.#decision,
        CONTEXT,
        this.#random.policy,
        this.#executor(calls, controller),
        this.#options(controller.signal, events),
      ),
    );
    const endedMs = time.now();
    const timersLeft = time.pending("execute");
    const listenersLeft = listeners();
    const permitsLeft = this.#permits;
    await time.idle();
    return {
      report,
      events,
      calls,
      startedMs,
      endedMs,
      effects: this.#world.effects
        .slice(before.length)
        .map(({ actionId, key }) => ({ action: indexOf(actionId), key })),
      appliedBefore: before.map(({ actionId }) => indexOf(actionId)),
      timersLeft: [timersLeft, time.pending("execute")],
      listenersLeft,
      permitsLeft: Math.max(permitsLeft, this.#permits),
    };
  }

  async pause(): Promise<void> {
    this.#switch.clear();
    await this.#time.run(this.#time.sleep(this.#random.pauseMs));
  }

  /** Slots of the bulkhead that nobody holds, less those that should be free. */
  sharedSlotsLeft(): number {
    const { bulkhead } = this.#random;
    if (bulkhead === undefined) return 0;
    let free = 0;
    while (this.#bulkhead!.tryEnter()) free++;
    return free + this.#inFlight - bulkhead.limit;
  }

  #schedule(controller: AbortController): void {
    const { haltAt, cancelAt, wallStepAt } = this.#random;
    if (haltAt !== undefined) this.#time.at(haltAt, () => this.#switch.halt(SECRET));
    if (cancelAt !== undefined) this.#time.at(cancelAt, () => controller.abort(new Error(SECRET)));
    if (wallStepAt !== undefined) this.#time.at(wallStepAt, () => this.#time.step(-3_600_000));
  }

  #options(signal: AbortSignal, events: ExecutionEvent[]): ExecuteOptions {
    const { killSwitch, journal, gate, retries, listener, approvalMs } = this.#random;
    const time = this.#time;
    return {
      clock: time.clock,
      executionId: "exec-1",
      signal,
      rateLimiter: this.#limiter,
      idempotencyStore: this.#store,
      ...(killSwitch && {
        killSwitch: { read: faulty(() => this.#switch.read(), killSwitch, time), subscribe: this.#switch.subscribe },
      }),
      ...(journal && { journal: { append: faulty((event) => void this.#intents.add(nameOf(event)), journal, time) } }),
      ...(gate && { gates: [this.#gate(gate)] }),
      ...(this.#bulkhead && { bulkhead: this.#bulkhead }),
      ...(retries !== undefined && { retryBudget: createRetryBudget({ capacity: retries, refillPerSuccess: 0.5 }) }),
      ...(listener !== "none" && { onEvent: watcher(listener, events) }),
      ...(approvalMs !== undefined && {
        approval: {
          digest: digestDecision(FinalDecisionSchema.parse(this.#decision)),
          expiresAtMs: time.clock.now() + approvalMs,
        },
      }),
    };
  }

  readonly #intents = new Set<string>();

  #gate(script: NonNullable<RandomCase["gate"]>): () => GateVerdict {
    let asked = 0;
    const verdict = (): GateVerdict => {
      const entry = script[asked++];
      if (entry === "deny") return { allow: false, code: "quota" };
      return entry === "later" ? { allow: false, code: "quota", retryAfterMs: 4 } : { allow: true };
    };
    return faulty(
      verdict,
      script.map((entry) => (entry === "deny" || entry === "later" ? "none" : entry)) as Fault[],
      this.#time,
    );
  }

  #faultyStore(): IdempotencyStore {
    const { store: faults } = this.#random;
    const time = this.#time;
    const store = createMemoryIdempotencyStore({ clock: time.clock });
    return {
      claim: faulty(store.claim, faults.claim, time),
      start: faulty(store.start, faults.start, time),
      renew: store.renew,
      complete: faulty(store.complete, faults.write, time),
      release: faulty(store.release, faults.write, time),
      markUnknown: faulty(store.markUnknown, faults.write, time),
    };
  }

  /** Some of the slots are taken by others, for a while. */
  #sharedSlots(): Bulkhead | undefined {
    const { bulkhead } = this.#random;
    if (bulkhead === undefined) return undefined;
    const slots = createBulkhead(bulkhead);
    for (let i = 0; i < bulkhead.taken; i++) {
      slots.tryEnter();
      this.#time.at(11, () => slots.leave());
    }
    return slots;
  }

  /** Counts what is granted and neither used nor handed back. */
  #faultyLimiter(): RateLimiter {
    const limiter = createMemoryRateLimiter();
    const acquire: RateLimiter["acquire"] = (requests, nowMs) => {
      const verdict = limiter.acquire(requests, nowMs);
      if (verdict instanceof Promise || !verdict.granted) return verdict;
      this.#permits++;
      const closing = (close: () => void) => {
        this.#permits--;
        close();
      };
      return {
        granted: true,
        dispatched: (atMs) => closing(() => verdict.dispatched?.(atMs)),
        cancel: () => closing(() => verdict.cancel?.()),
      };
    };
    return { acquire: faulty(acquire, this.#random.rateLimiter, this.#time) };
  }

  #executor(calls: Call[], controller: AbortController): Executor {
    const { reconcile, dispatches } = this.#random;
    return {
      execute: (action, attempt) => {
        const behaviour = dispatches[this.#dispatches++] ?? WELL;
        const call = this.#open(calls, attempt, controller.signal);
        if (behaviour.meanwhile === "halt") this.#switch.halt();
        if (behaviour.meanwhile === "cancel") controller.abort();
        if (behaviour.afterMs > 0 || behaviour.says === "never") return this.#later(action, attempt, behaviour, call);
        try {
          return this.#answer(action, attempt, behaviour) as { ok: true };
        } finally {
          this.#close(call);
        }
      },
      ...(reconcile && {
        reconcile: faulty(
          (action: PlannedAction) => ({
            state: this.#world.has(action.id) ? ("applied" as const) : ("not_applied" as const),
          }),
          reconcile,
          this.#time,
        ),
      }),
    };
  }

  #open(calls: Call[], attempt: AttemptContext, signal: AbortSignal): Call {
    const { actionIndex: action, attempt: number, idempotencyKey: key } = attempt;
    const call: Call = {
      action,
      attempt: number,
      key,
      startedMs: this.#time.now(),
      inFlight: 1 + calls.filter(({ endedMs }) => endedMs === undefined).length,
      overlaps: calls.some((other) => other.action === action && other.endedMs === undefined),
      afterStop: signal.aborted || (this.#random.killSwitch !== undefined && this.#switch.read().halted),
      intended: this.#random.journal === undefined || this.#intents.has(`attempt.intended ${action}/${number}`),
    };
    calls.push(call);
    this.#inFlight++;
    return call;
  }

  #close(call: Call): void {
    this.#inFlight--;
    call.endedMs = this.#time.now();
  }

  async #later(
    action: PlannedAction,
    attempt: AttemptContext,
    behaviour: Behaviour,
    call: Call,
  ): Promise<{ ok: true }> {
    const { signal } = attempt;
    if (behaviour.says === "never" && behaviour.applies) this.#apply(action, attempt);
    const answer = behaviour.says === "never" ? new Promise<void>(() => {}) : this.#time.sleep(behaviour.afterMs);
    try {
      await (behaviour.obeysAbort ? Promise.race([answer, abortOf(signal)]) : answer);
      return this.#answer(action, attempt, behaviour) as { ok: true };
    } finally {
      this.#close(call);
    }
  }

  #answer(action: PlannedAction, attempt: AttemptContext, { says, applies }: Behaviour): unknown {
    switch (says) {
      case "applied":
        this.#apply(action, attempt);
        return { ok: true, value: { token: SECRET } };
      case "not_applied":
        return { ok: false, code: "busy", message: SECRET };
      case "final":
        return { ok: false, code: `NO ${SECRET}`, retryable: false };
      case "later":
        return { ok: false, code: "later", retryAfterMs: 8 };
      case "not_applied_error":
        throw new NotAppliedError("refused", { retryAfterMs: 2 });
      default:
        if (applies) this.#apply(action, attempt);
        if (says === "throws") throw new TypeError(SECRET);
        return SECRET;
    }
  }

  #apply({ id }: PlannedAction, { idempotencyKey }: AttemptContext): void {
    this.#world.apply(id, { key: idempotencyKey, atMs: this.#time.now() });
  }
}

const WELL: Behaviour = { says: "applied", applies: true, afterMs: 0, obeysAbort: true, meanwhile: "nothing" };

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function watcher(listener: RandomCase["listener"], events: ExecutionEvent[]): (event: ExecutionEvent) => void {
  return (event) => {
    events.push(event);
    if (listener === "throws") throw new SyntaxError(SECRET);
    if (listener === "rejects") return Promise.reject(new SyntaxError(SECRET)) as never;
  };
}

function nameOf(event: ExecutionEvent): string {
  return "attemptNumber" in event ? `${event.type} ${event.actionIndex}/${event.attemptNumber}` : event.type;
}

function indexOf(actionId: string): number {
  return Number(actionId.slice("action-".length));
}

/** How many listeners of ours a signal has. */
function countListeners(signal: AbortSignal): () => number {
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (type: string, listener: never, options: never) => {
    count++;
    add(type, listener, options);
  };
  signal.removeEventListener = (type: string, listener: never) => {
    count--;
    remove(type, listener);
  };
  return () => (signal.aborted ? 0 : count);
}

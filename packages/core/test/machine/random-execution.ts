import { digestDecision, FinalDecisionSchema } from "@eoc/decision-schema";
import {
  type Bulkhead,
  createBulkhead,
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  createRetryBudget,
  type ExecuteOptions,
  type ExecutionEvent,
  type ExecutionReport,
  execute,
  type FinalDecisionInput,
  type GateVerdict,
  type IdempotencyStore,
  type RateLimiter,
} from "../../src/index.js";
import { createFastClock, type FastClock } from "./fast-clock.js";
import { type Fault, faulty, SECRET } from "./faulty-ports.js";
import type { RandomCase } from "./random-case.js";
import { type Doings, RandomExecutors } from "./random-executor.js";

/** What came of one execution, seen from outside. */
export interface Seen extends Doings {
  readonly report: ExecutionReport;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly listenersLeft: number;
}

/** Everything that three executions of one decision did to the world. */
export interface Outcome {
  readonly random: RandomCase;
  readonly runs: readonly Seen[];
  readonly hasApplied: (action: number) => boolean;
  /** When the last report of those that ran together was handed out, and at the very end. */
  readonly timersLeft: readonly (readonly [number, number])[];
  /** Granted, and neither used nor handed back. */
  readonly permitsLeft: number;
  /** Free slots of the bulkhead, less those that should be. */
  readonly sharedSlotsLeft: number;
}

const CONTEXT = { session_id: "s-1", api_key: SECRET };

/** Executes a decision three times, the first two at once or one after the other, each to the very end. */
export async function runCase(random: RandomCase): Promise<Outcome> {
  const bench = new Bench(random);
  const runs: Seen[] = [];
  const timersLeft: [number, number][] = [];
  for (const count of random.together ? [2, 1] : [1, 1, 1]) {
    const { seen, timers } = await bench.run(count);
    runs.push(...seen);
    timersLeft.push(timers);
  }
  return { random, runs, timersLeft, ...bench.rest() };
}

class Bench {
  readonly #random: RandomCase;
  readonly #time: FastClock = createFastClock();
  readonly #store: IdempotencyStore;
  readonly #limiter: RateLimiter;
  readonly #bulkhead: Bulkhead | undefined;
  readonly #switch = createManualKillSwitch();
  readonly #caller = new AbortController();
  readonly #intents = new Set<string>();
  readonly #executors: RandomExecutors;
  readonly #decision: FinalDecisionInput;
  #runs = 0;
  #permits = 0;

  constructor(random: RandomCase) {
    this.#random = random;
    this.#store = this.#faultyStore();
    this.#limiter = this.#faultyLimiter();
    this.#bulkhead = this.#sharedSlots();
    this.#executors = new RandomExecutors(random, {
      time: this.#time,
      halt: () => this.#switch.halt(),
      isHalted: () => random.killSwitch !== undefined && this.#switch.read().halted,
      isIntended: (executionId, attempt) =>
        random.journal === undefined || this.#intents.has(`${executionId} attempt.intended ${attempt}`),
    });
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

  /** Executes so many at once, and moves time to their very end and on to the next. */
  async run(count: number): Promise<{ seen: Seen[]; timers: [number, number] }> {
    const time = this.#time;
    if (this.#runs === 0) this.#schedule();
    const seen = await time.run(Promise.all(Array.from({ length: count }, () => this.#start())));
    const left = time.pending("execute");
    await time.idle();
    this.#switch.clear();
    const timers: [number, number] = [left, time.pending("execute")];
    await time.run(time.sleep(this.#random.pauseMs));
    return { seen, timers };
  }

  /** What nobody has given back. */
  rest(): Pick<Outcome, "hasApplied" | "permitsLeft" | "sharedSlotsLeft"> {
    let free = 0;
    while (this.#bulkhead?.tryEnter()) free++;
    const limit = this.#random.bulkhead?.limit ?? this.#executors.inFlight;
    return {
      hasApplied: (action) => this.#executors.hasApplied(action),
      permitsLeft: this.#permits,
      sharedSlotsLeft: free + this.#executors.inFlight - limit,
    };
  }

  async #start(): Promise<Seen> {
    const executionId = `exec-${this.#runs++}`;
    const controller = this.#runs === 1 ? this.#caller : new AbortController();
    const listeners = countListeners(controller.signal);
    const doings: Doings = { executionId, controller, events: [], calls: [], effects: [] };
    const startedMs = this.#time.now();
    const executor = this.#executors.executorOf(doings);
    const report = await execute(this.#decision, CONTEXT, this.#random.policy, executor, this.#options(doings));
    return { ...doings, report, startedMs, endedMs: this.#time.now(), listenersLeft: listeners() };
  }

  #schedule(): void {
    const { haltAt, cancelAt, wallStepAt } = this.#random;
    if (haltAt !== undefined) this.#time.at(haltAt, () => this.#switch.halt(SECRET));
    if (cancelAt !== undefined) this.#time.at(cancelAt, () => this.#caller.abort(new Error(SECRET)));
    if (wallStepAt !== undefined) this.#time.at(wallStepAt, () => this.#time.step(-3_600_000));
  }

  #options({ executionId, controller, events }: Doings): ExecuteOptions {
    const { killSwitch, journal, gate, retries, listener, approvalMs } = this.#random;
    const time = this.#time;
    const keep = (event: ExecutionEvent) => void this.#intents.add(`${executionId} ${nameOf(event)}`);
    return {
      clock: time.clock,
      executionId,
      signal: controller.signal,
      rateLimiter: this.#limiter,
      idempotencyStore: this.#store,
      ...(killSwitch && {
        killSwitch: { read: faulty(() => this.#switch.read(), killSwitch, time), subscribe: this.#switch.subscribe },
      }),
      ...(journal && { journal: { append: faulty(keep, journal, time) } }),
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

  #gate(script: NonNullable<RandomCase["gate"]>): () => GateVerdict {
    let asked = 0;
    const verdict = (): GateVerdict => {
      const entry = script[asked++];
      if (entry === "deny") return { allow: false, code: "quota" };
      return entry === "later" ? { allow: false, code: "quota", retryAfterMs: 4 } : { allow: true };
    };
    const faults = script.map((entry): Fault => (entry === "deny" || entry === "later" ? "none" : entry));
    return faulty(verdict, faults, this.#time);
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
    const { taken, copied, ...options } = bulkhead;
    const slots = createBulkhead(options);
    for (let i = 0; i < taken; i++) {
      slots.tryEnter();
      this.#time.at(11, () => slots.leave());
    }
    return copied ? { ...slots } : slots;
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

/** How many listeners a signal has. */
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

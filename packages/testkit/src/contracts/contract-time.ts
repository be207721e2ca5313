import type { Clock } from "@eoc/core";
import { host } from "../host.js";
import { createVirtualClock, type VirtualClock } from "../virtual-clock.js";

/** How a contract keeps time with what it tests. */
export interface ContractTiming {
  /**
   * The implementation lives in real time: a database, a socket, a worker, a file. Its answers are then waited for however
   * long they take, and leases, records and windows are so long that no real time that goes by matters: hours, over in
   * no time, since its `advance(ms)` is what makes them run out. The bench's clock moves at the same time and only then.
   * @defaultValue false
   */
  realTime?: boolean;
  /**
   * Only in real time: how many real milliseconds an answer may take where none at all will do as well (an outage), and
   * how long a listener may take to hear. No test waits for it unless an implementation hangs. @defaultValue 1000
   */
  patienceMs?: number;
}

/** The names of these, for who takes them among others. */
export const TIMING = { realTime: true, patienceMs: true } as const satisfies Record<keyof ContractTiming, true>;

/** Durations of the cases. `marginMs` and `tickMs` are far above whatever goes by while a case runs. */
export interface Spans {
  readonly leaseMs: number;
  readonly ttlMs: number;
  readonly windowMs: number;
  /** A moment that every store tells from the next, also one that counts in whole seconds. */
  readonly marginMs: number;
  /** The same for a limiter. */
  readonly tickMs: number;
}

/** The time of one case. */
export interface CaseTime {
  readonly clock: VirtualClock;
  /** The clock for executions that a case makes. */
  readonly executionClock: Clock | undefined;
  readonly spans: Spans;
  /** How long an execution that a case makes waits for a port that may hang. */
  readonly portTimeoutMs: number;
  /** Runs a case, and moves time for it where nobody else does. */
  drive(body: () => Promise<void>): Promise<void>;
  /** What `answer` comes to; `silent` when it does not. */
  within<T>(answer: T | PromiseLike<T>): Promise<T | typeof silent>;
  /** Whether `condition` holds, or comes to hold. */
  eventually(condition: () => boolean): Promise<boolean>;
  /** Milliseconds by which the implementation's time may be ahead of the bench's: 0 unless it is real. */
  aheadMs(): number;
}

/** No answer at all. */
export const silent: unique symbol = Symbol("silent");

const PATIENCE_MS = 1000;
const SILENCE_MS = 60_000;
const HOUR_MS = 3_600_000;

export function createCaseTime({ realTime = false, patienceMs = PATIENCE_MS }: ContractTiming): CaseTime {
  return realTime ? createRealTime(patienceMs) : createVirtualTime();
}

function createVirtualTime(): CaseTime {
  const clock = createVirtualClock();
  return {
    clock,
    executionClock: clock,
    spans: { leaseMs: 10_000, ttlMs: 60_000, windowMs: 1000, marginMs: 2000, tickMs: 1 },
    portTimeoutMs: PATIENCE_MS,
    // Driven by the clock, so that an implementation that hangs fails its case, and not the runner's patience.
    drive: (body) => clock.run(body),
    within: (answer) => Promise.race([answer, clock.sleep(SILENCE_MS).then((): typeof silent => silent)]),
    eventually: async (condition) => condition(),
    aheadMs: () => 0,
  };
}

function createRealTime(patienceMs: number): CaseTime {
  const startedMs = host.elapsedMs();
  return {
    // Moved by the cases only, between two calls: there is no work to wait for.
    clock: createVirtualClock({ realWorkPatienceMs: 0 }),
    executionClock: undefined,
    spans: {
      leaseMs: 2 * HOUR_MS,
      ttlMs: 12 * HOUR_MS,
      windowMs: 2 * HOUR_MS,
      marginMs: HOUR_MS / 6,
      tickMs: HOUR_MS / 6,
    },
    portTimeoutMs: patienceMs,
    drive: (body) => body(),
    within: (answer) => beforeSilence(answer, patienceMs),
    eventually: async (condition) => {
      const untilMs = host.elapsedMs() + patienceMs;
      while (!condition() && host.elapsedMs() < untilMs) await host.pause();
      return condition();
    },
    aheadMs: () => host.elapsedMs() - startedMs,
  };
}

function beforeSilence<T>(answer: T | PromiseLike<T>, patienceMs: number): Promise<T | typeof silent> {
  return new Promise((resolve, reject) => {
    const cancel = host.after(patienceMs, () => resolve(silent));
    Promise.resolve(answer).then(resolve, reject).finally(cancel);
  });
}

import { type Clock, checkOptionNames } from "@eoc/core";
import { checkNumber, checkOption, checkWord } from "./check-option.js";
import { host } from "./host.js";
import { Pump } from "./pump.js";
import { type PickTimer, Timeline } from "./timeline.js";

/** Options of {@link createVirtualClock}. */
export interface VirtualClockOptions {
  /** Wall-clock time at the beginning. @defaultValue 1_700_000_000_000 (14 November 2023) */
  startMs?: number;
  /**
   * Real milliseconds for which time stands still while real work (a file, a socket, a real timer) is under way and
   * shows no sign of life. What outlasts it is taken for idle and no longer waited for. @defaultValue 1000
   */
  realWorkPatienceMs?: number;
  /**
   * Whether real work may be under way at all. `"none"` says that nothing is ever awaited but promises and this clock's own timers:
   * one macrotask turn before each step is enough then, and nothing is looked at. Several times as fast where the platform shows no real
   * work, as browsers do not. What is declared with `hold` is waited for all the same. @defaultValue "watched"
   */
  realWork?: "watched" | "none";
  /** Timers that may fire before a run or an advance is given up as endless. @defaultValue 1_000_000 */
  maxTimers?: number;
}

/** Options of a virtual clock's `sleep`. */
export interface SleepOptions {
  /** Ends the sleep: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Who sleeps, for the table of a {@link DeadlockError}. */
  name?: string;
}

/**
 * A clock whose time moves only when it is told to, and only when everything is quiet, real asynchronous work included.
 * Timers fire one at a time, in the order in which they are due (then in the order of arming), each at its own time.
 */
export interface VirtualClock extends Clock {
  /** Number of armed timers. */
  readonly pending: number;
  /** Moves time by `ms`, firing on the way what comes due, up to and including the last moment. */
  advance(ms: number): Promise<void>;
  /** Fires timers until none is left that can come due. */
  runUntilIdle(): Promise<void>;
  /**
   * Calls `fn` at once and moves time until its promise settles; resolves or rejects with it. Runs may overlap and
   * nest: they share the time.
   * @throws DeadlockError when the promise can never settle, or `maxTimers` timers did not settle it.
   */
  run<T>(fn: () => T | Promise<T>): Promise<T>;
  /** Steps the wall clock, back when negative. Monotonic time and timers do not notice. */
  stepWall(ms: number): void;
  /** Resolves `ms` of virtual time from now: for executors and ports written for a test. */
  sleep(ms: number, options?: SleepOptions): Promise<void>;
  /** The same promise, listed under `name` in the table of a {@link DeadlockError} until it settles. */
  waitFor<T>(name: string, promise: PromiseLike<T>): Promise<T>;
  /**
   * The same promise, and time stands still until it settles: for real work that the platform does not show. Browsers
   * show none; Node does not show answers from workers, lazy imports under a bundling runner, or unref'ed timers. Work
   * that outlasts `realWorkPatienceMs` fails what is being driven, by name.
   */
  hold<T>(name: string, promise: PromiseLike<T>): Promise<T>;
}

/**
 * Makes a {@link VirtualClock}. Its monotonic time begins at 0. Make it inside the test: what is alive in the process at
 * that moment (a runner's timers, a server's connections) is not taken for work of the test.
 * @throws EocError `invalid_option`
 */
export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  checkOptionNames(options, { startMs: true, realWorkPatienceMs: true, realWork: true, maxTimers: true });
  const { startMs = 0, realWork = "watched" } = options;
  checkOption(Number.isFinite(startMs), "startMs", "a finite number", startMs);
  checkWord("realWork", realWork, ["watched", "none"]);
  checkNumber("realWorkPatienceMs", options.realWorkPatienceMs);
  checkNumber("maxTimers", options.maxTimers, 1);
  return createClock(options);
}

/** The same, with a word in the order of timers that are due together. */
export function createClock(options: VirtualClockOptions, pick?: PickTimer): VirtualClock {
  const {
    startMs = 1_700_000_000_000,
    realWorkPatienceMs = 1000,
    realWork = "watched",
    maxTimers = 1_000_000,
  } = options;
  const timeline = new Timeline(startMs, pick);
  const pump = new Pump(timeline, host, { realWorkPatienceMs, realWork, maxTimers });
  return {
    now: () => timeline.wallMs,
    monotonic: () => timeline.monotonicMs,
    setTimer: (callback, delayMs) => timeline.arm(callback, delayMs),
    get pending() {
      return timeline.armedCount;
    },
    advance: async (ms) => {
      if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new RangeError("time advances by a finite number >= 0");
      await pump.pumpUntil(timeline.monotonicMs + ms);
    },
    runUntilIdle: () => pump.pumpUntil("idle"),
    run: (fn) => pump.run(fn),
    stepWall: (ms) => timeline.stepWall(ms),
    sleep: (ms, sleepOptions) => sleep(timeline, ms, sleepOptions),
    waitFor: (name, promise) => noted(timeline, name, "a promise", promise),
    hold: async (name, promise) => {
      const hold = {};
      timeline.holds.add(hold);
      try {
        return await noted(timeline, name, "real work", promise);
      } finally {
        timeline.holds.delete(hold);
      }
    },
  };
}

async function noted<T>(timeline: Timeline, who: string, waitsFor: string, promise: PromiseLike<T>): Promise<T> {
  const done = timeline.noteWaiting(who, waitsFor);
  try {
    return await promise;
  } finally {
    done();
  }
}

function sleep(timeline: Timeline, ms: number, { signal, name }: SleepOptions = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const wake = () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    const cancel = timeline.arm(wake, ms, name);
    const stop = () => {
      cancel();
      reject(signal!.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

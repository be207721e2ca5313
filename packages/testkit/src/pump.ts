import { DeadlockError } from "./deadlock-error.js";
import type { Host } from "./host.js";
import { Quiet, type Stillness } from "./quiet.js";
import type { Timeline } from "./timeline.js";

interface PumpOptions {
  realWorkPatienceMs: number;
  realWork?: "watched" | "none";
  maxTimers: number;
}

interface Goal {
  /** Virtual time to reach; `idle`: until no timer is left; `run`: until the goal is taken away. */
  readonly until: number | "idle" | "run";
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Moves virtual time for as long as anybody wants it moved, one step at a time, with full quiet before each. One pump
 * serves all goals of a clock, so that runs and advances may overlap: it takes the earliest step that any asks for.
 */
export class Pump {
  readonly #timeline: Timeline;
  readonly #host: Host;
  readonly #options: PumpOptions;
  readonly #quiet: Quiet;
  readonly #goals = new Set<Goal>();
  readonly #isWanted = () => this.#goals.size > 0;
  readonly #isDeadEnd = () =>
    this.#timeline.nextDueMs === Number.POSITIVE_INFINITY && this.#targetMs() === Number.POSITIVE_INFINITY;
  #isPumping = false;
  #endWatch: (() => void) | undefined;
  #runs = 0;
  #fired = 0;

  constructor(timeline: Timeline, host: Host, options: PumpOptions) {
    this.#timeline = timeline;
    this.#host = host;
    this.#options = options;
    this.#quiet = new Quiet(timeline, host, options.realWorkPatienceMs, options.realWork);
  }

  /** Calls `fn` and moves time until its promise settles. */
  run<T>(fn: () => T | Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!this.#isWanted()) this.#quiet.startRun();
      const endWaiting = this.#timeline.noteWaiting(`run ${++this.#runs}`, "its promise to settle");
      const goal = this.#pursue("run", endWaiting, (error) => {
        endWaiting();
        reject(error);
      });
      const end = () => {
        endWaiting();
        this.#remove(goal);
      };
      const promise = new Promise<T>((settle) => settle(fn()));
      // First the pumping ends, then the caller hears of it.
      promise.then(end, end);
      promise.then(resolve, reject);
    });
  }

  /** Moves time to `until`, or until no timer is left. */
  pumpUntil(until: number | "idle"): Promise<void> {
    if (!this.#isWanted()) this.#quiet.startAdvance();
    return new Promise((resolve, reject) => {
      this.#pursue(until, resolve, reject);
    });
  }

  #pursue(until: Goal["until"], resolve: () => void, reject: (error: unknown) => void): Goal {
    if (!this.#isWanted()) this.#fired = 0;
    const goal: Goal = { until, resolve, reject };
    this.#goals.add(goal);
    this.#endWatch ??= this.#host.watch();
    this.#timeline.activity++;
    if (!this.#isPumping) void this.#pump();
    return goal;
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    while (this.#isWanted()) {
      const stillness = await this.#quiet.reach(this.#isWanted, this.#isDeadEnd);
      if (stillness === "stuck") this.#failStuck();
      else if (this.#isWanted() && !this.#step()) this.#endWait(await this.#quiet.lasts(this.#isWanted));
    }
    this.#isPumping = false;
  }

  /** Takes the earliest step that a goal asks for; false when there is none. */
  #step(): boolean {
    const dueMs = this.#timeline.nextDueMs;
    const targetMs = this.#targetMs();
    if (dueMs < Number.POSITIVE_INFINITY && dueMs <= targetMs) {
      this.#fire();
      return true;
    }
    if (targetMs === Number.POSITIVE_INFINITY) return this.#finish("idle");
    this.#timeline.moveTo(targetMs);
    return this.#finish(targetMs);
  }

  /** The earliest time that is to be reached; infinite when none is. */
  #targetMs(): number {
    let targetMs = Number.POSITIVE_INFINITY;
    for (const { until } of this.#goals) if (typeof until === "number" && until < targetMs) targetMs = until;
    return targetMs;
  }

  #fire(): void {
    const { maxTimers } = this.#options;
    if (this.#fired++ >= maxTimers) {
      this.#failAll("livelock", `${maxTimers} timers have fired and no end is in sight (option maxTimers)`);
      return;
    }
    try {
      this.#timeline.fireNext();
    } catch (error) {
      // A real timer would bring the process down: whoever drives the clock is told instead.
      for (const goal of this.#goals) this.#drop(goal, error);
    }
  }

  #finish(until: number | "idle"): boolean {
    let isAny = false;
    for (const goal of this.#goals) {
      if (goal.until !== until) continue;
      isAny = true;
      this.#remove(goal);
      goal.resolve();
    }
    return isAny;
  }

  #endWait(stillness: Stillness): void {
    if (stillness === "stuck") this.#failStuck();
    else if (stillness === "quiet") {
      this.#failAll("deadlock", "nothing can happen any more: no timer can come due and no real work is under way");
    }
  }

  #failStuck(): void {
    const { realWorkPatienceMs } = this.#options;
    this.#failAll("deadlock", `held work did not end within ${realWorkPatienceMs} real ms (option realWorkPatienceMs)`);
  }

  #failAll(kind: "deadlock" | "livelock", summary: string): void {
    const text = `${summary} (${this.#timeline.monotonicMs} ms of virtual time)`;
    const error = new DeadlockError(kind, text, this.#timeline.waiting(), this.#timeline.armed());
    for (const goal of this.#goals) this.#drop(goal, error);
  }

  #drop(goal: Goal, error: unknown): void {
    this.#remove(goal);
    goal.reject(error);
  }

  #remove(goal: Goal): void {
    this.#goals.delete(goal);
    if (this.#isWanted()) return;
    // Now, not when the pump stops: what a runner begins between two tests is nobody's work.
    this.#endWatch?.();
    this.#endWatch = undefined;
  }
}

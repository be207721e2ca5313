import type { Host } from "./host.js";
import { RealWork } from "./real-work.js";
import type { Timeline } from "./timeline.js";

/** Turns given to real work before each step on a platform that cannot tell whether there is any. */
const BLIND_TURNS = 4;

/** Real work is watched turn by turn for so long, then once in a millisecond. */
const SPIN_MS = 4;

/** One look counts for so much waiting at most: a process that was held up has not waited. */
const MAX_STEP_MS = 5;

/** Idle pauses, of about a millisecond each, after which what nothing can end is given up. */
const IDLE_PAUSES = 100;

/** The share of the patience after which a dead end is one: its error comes within the patience, idle pauses included. */
const DEAD_END = 0.7;

/** What ended the waiting for quiet: `stuck` is declared real work that did not end within the patience. */
export type Stillness = "quiet" | "unwanted" | "stuck";

/**
 * Tells when everything is quiet: nothing that is under way can call back without time moving on.
 *
 * A full macrotask turn proves that no microtask and no tick is pending: the platform drains them all before it starts
 * the next macrotask, however long the chain, so that no number of promise ticks has to be guessed. Everything else
 * that can still call back (a timer, a file, a socket, an immediate) keeps the event loop alive, and {@link RealWork}
 * sees it. In Node a turn costs about a microsecond and the look a tenth of that, so both are done before every step,
 * without exception. Where the platform does not show real work, several turns stand in for the look.
 */
export class Quiet {
  readonly #timeline: Timeline;
  readonly #host: Host;
  readonly #work: RealWork;
  readonly #patienceMs: number;
  /** What had happened when real work was last given up after the whole patience. */
  #gaveUpAt = -1;
  readonly #isWatching: boolean;

  constructor(timeline: Timeline, host: Host, patienceMs: number, realWork: "watched" | "none" = "watched") {
    this.#timeline = timeline;
    this.#host = host;
    this.#work = new RealWork(host);
    this.#patienceMs = patienceMs;
    this.#isWatching = realWork === "watched";
  }

  /** What is under way now was begun before a run: it is given less time. */
  startRun(): void {
    this.#work.startRun();
  }

  /** What is under way now is what time is to be advanced for. */
  startAdvance(): void {
    this.#work.startAdvance();
  }

  /** Waits for quiet, for as long as it `isWanted`. A dead end is where only real work can lead to anything. */
  async reach(isWanted: () => boolean, isDeadEnd: () => boolean = () => false): Promise<Stillness> {
    await this.#host.turn();
    if (this.#isWatching && !this.#work.isVisible)
      for (let turns = 1; turns < BLIND_TURNS; turns++) await this.#host.turn();
    let waitedMs = 0;
    let lookedAtMs = this.#host.elapsedMs();
    let lastSign = "";
    for (;;) {
      const patienceMs = this.#patience();
      if (patienceMs === 0) return "quiet";
      if (!isWanted()) return "unwanted";
      const sign = this.#signOfLife();
      // What was begun earlier gets its time once, whatever comes and goes.
      if (sign !== lastSign && patienceMs === this.#patienceMs) waitedMs = 0;
      lastSign = sign;
      if (waitedMs >= (isDeadEnd() ? DEAD_END : 1) * patienceMs) return this.#giveUp(patienceMs);
      if (waitedMs >= SPIN_MS) await this.#host.pause();
      await this.#host.turn();
      const nowMs = this.#host.elapsedMs();
      waitedMs += Math.min(nowMs - lookedAtMs, MAX_STEP_MS);
      lookedAtMs = nowMs;
    }
  }

  /**
   * Waits a little for what cannot be seen, when there is nothing else to do. `quiet` means that nothing happened. Idle
   * pauses are counted, not time, so that neither a slow machine nor work in between is taken for idleness.
   */
  async lasts(isWanted: () => boolean): Promise<Stillness> {
    const { activity } = this.#timeline;
    const isSure = !this.#isWatching || this.#gaveUpAt === activity || (this.#work.isVisible && !this.#work.isDoubtful);
    const pauses = isSure ? IDLE_PAUSES : Math.max(IDLE_PAUSES, this.#patienceMs / 2);
    for (let count = 0; count < pauses; count++) {
      await this.#host.pause();
      const stillness = await this.reach(isWanted, () => true);
      if (stillness === "stuck") return stillness;
      if (!isWanted() || this.#timeline.activity !== activity) return "unwanted";
    }
    return "quiet";
  }

  /** Real milliseconds worth waiting for the real work that is under way; 0 when there is none. */
  #patience(): number {
    const visibleMs = this.#isWatching ? this.#work.patience(this.#patienceMs) : 0;
    return this.#timeline.holds.size > 0 ? this.#patienceMs : visibleMs;
  }

  #giveUp(patienceMs: number): Stillness {
    this.#work.giveUp();
    if (patienceMs === this.#patienceMs) this.#gaveUpAt = this.#timeline.activity;
    if (this.#timeline.holds.size === 0) return "quiet";
    // Declared work is known to be awaited: to move on would lose it, and silently.
    this.#timeline.holds.clear();
    return "stuck";
  }

  #signOfLife(): string {
    return `${this.#timeline.activity} ${this.#work.signature}`;
  }
}

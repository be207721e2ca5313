import type { Host } from "./host.js";

/** What keeps the event loop alive without being work that anybody waits for: it listens for others. */
const LISTENERS: ReadonlySet<string> = new Set([
  "TCPServerWrap",
  "PipeServerWrap",
  "SignalWrap",
  "FSEventWrap",
  "StatWatcher",
  "TTYWrap",
]);

/** What is never part of the rest: what always ends by itself (immediates, requests), and what is watched one by one. */
const PASSING = /^Immediate$|^watched |Req|(Connect|Write|Shutdown|Send)Wrap$/;

/** How long work that was under way before a run is waited for: enough for a short one, harmless for what never ends. */
const EARLIER_WORK_MS = 30;

type Census = ReadonlyMap<string, number>;

/**
 * Tells whether real asynchronous work is under way: more live things of some kind than there were at rest. What is
 * there from the beginning (a test runner's pipes and timers) never counts; what sat through a whole patience without
 * a sign of life (an idle connection) does not count from then on.
 */
export class RealWork {
  readonly #liveWork: (() => readonly string[]) | undefined;
  /** Live since the clock was made. Only falls. */
  #steady: Census;
  /** Live at rest. Falls too when something of it ends, so that it cannot hide what begins later. */
  #rest: Census;
  /** Live when the current run began: work from before it is given less time. Falls likewise. */
  #atStart: Census;
  #live: readonly string[] = [];
  #last: Census = new Map();

  constructor(host: Host) {
    this.#liveWork = host.liveWork;
    this.#steady = this.#liveWork === undefined ? new Map() : lasting(census(this.#liveWork()));
    this.#rest = this.#steady;
    this.#atStart = this.#steady;
  }

  get isVisible(): boolean {
    return this.#liveWork !== undefined;
  }

  /** Marks the start of a run: what is live now was not begun by it. */
  startRun(): void {
    if (this.#liveWork !== undefined) this.#atStart = higher(this.#rest, lasting(census(this.#liveWork())));
  }

  /** Marks that whatever is live beyond rest is somebody's work. */
  startAdvance(): void {
    this.#atStart = this.#rest;
  }

  /** How long to go on waiting for the work that is live now, given that nothing changes: 0 when there is none. */
  patience(patienceMs: number): number {
    if (this.#liveWork === undefined) return 0;
    this.#live = this.#liveWork();
    const now = census(this.#live);
    this.#steady = lower(this.#steady, now, this.#last);
    this.#rest = lower(this.#rest, now, this.#last);
    this.#atStart = lower(this.#atStart, now, this.#last);
    this.#last = now;
    if (!exceeds(now, this.#rest)) return 0;
    return exceeds(now, this.#atStart) ? patienceMs : Math.min(patienceMs, EARLIER_WORK_MS);
  }

  /** Whether something was live at the last look that was not when the clock was made: it may be work after all. */
  get isDoubtful(): boolean {
    return exceeds(census(this.#live), this.#steady);
  }

  /** What was live at the last look, as text: changes when work ends or begins. */
  get signature(): string {
    return this.#live.join();
  }

  /** Gives up on what is live now: it counts as rest from here on. */
  giveUp(): void {
    this.#rest = census(this.#live);
    this.#atStart = this.#rest;
  }
}

function census(live: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of live) if (!LISTENERS.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

function lasting(counts: Map<string, number>): Census {
  for (const kind of counts.keys()) if (PASSING.test(kind)) counts.delete(kind);
  return counts;
}

function exceeds(counts: Census, limit: Census): boolean {
  for (const [kind, count] of counts) if (count > (limit.get(kind) ?? 0)) return true;
  return false;
}

function higher(a: Census, b: Census): Census {
  const result = new Map(a);
  for (const [kind, count] of b) result.set(kind, Math.max(count, result.get(kind) ?? 0));
  return result;
}

/** Takes away from `base` what has ended. */
function lower(base: Census, now: Census, last: Census): Census {
  let result: Map<string, number> | undefined;
  for (const [kind, count] of base) {
    const current = now.get(kind) ?? 0;
    // When a timer has ended, nobody knows whose it was: had it been ours, we should only wait for the other in vain.
    const ended = kind === "Timeout" ? Math.max(0, (last.get(kind) ?? 0) - current) : 0;
    const left = Math.max(0, Math.min(current, count - ended));
    if (left === count) continue;
    result ??= new Map(base);
    result.set(kind, left);
  }
  return result ?? base;
}

import { checkCount } from "../check-count.js";
import { checkOptionNames } from "../check-option-names.js";
import type { Clock } from "../ports/clock.js";
import type {
  ClaimRequest,
  ClaimVerdict,
  IdempotencyEntry,
  IdempotencyRecord,
  IdempotencyState,
  IdempotencyStore,
} from "../ports/idempotency-store.js";
import { refuseOption } from "../refuse-option.js";
import { Fifo, Place } from "./fifo.js";
import { createSystemClock } from "./system-clock.js";

/** Options of {@link createMemoryIdempotencyStore}. */
export interface MemoryIdempotencyStoreOptions {
  /** Times leases and records. @defaultValue the system clock */
  clock?: Clock;
  /** Completed records beyond this many are forgotten, oldest first; claims and doubts never are. @defaultValue 100000 */
  maxEntries?: number;
  /** How long a completed record is kept at the longest. @defaultValue as long as its execution's policy says */
  ttlMs?: number;
}

/** What is known of a key; once completed, it stands in the queue of those that may be forgotten. */
class Entry extends Place {
  readonly key: string;
  readonly fingerprint: string;
  readonly token: number;
  state: IdempotencyState;
  updatedAtMs: number;
  /** Monotonic: end of the lease, or of a completed record. */
  untilMs: number;
  record: IdempotencyRecord | undefined = undefined;

  constructor(
    key: string,
    fingerprint: string,
    token: number,
    state: IdempotencyState,
    updatedAtMs: number,
    untilMs: number,
  ) {
    super();
    this.key = key;
    this.fingerprint = fingerprint;
    this.token = token;
    this.state = state;
    this.updatedAtMs = updatedAtMs;
    this.untilMs = untilMs;
  }
}

/** An idempotency store that answers at once. */
export interface MemoryIdempotencyStore extends Required<IdempotencyStore> {
  claim(key: string, request: ClaimRequest): ClaimVerdict;
  start(key: string, token: string | number): boolean;
  renew(key: string, token: string | number, leaseMs: number): boolean;
  complete(key: string, token: string | number, record: IdempotencyRecord): boolean;
  release(key: string, token: string | number): boolean;
  markUnknown(key: string, token: string | number): boolean;
  resolve(key: string, outcome: "applied" | "not_applied"): boolean;
  list(filter?: { state?: IdempotencyState }): readonly IdempotencyEntry[];
}

/**
 * An idempotency store in this process's memory: its keys die with the process.
 * @throws EocError `invalid_option`
 */
export function createMemoryIdempotencyStore(options: MemoryIdempotencyStoreOptions = {}): MemoryIdempotencyStore {
  checkOptionNames(options, { clock: true, maxEntries: true, ttlMs: true });
  const { clock = createSystemClock(), maxEntries = 100_000, ttlMs = Number.POSITIVE_INFINITY } = options;
  checkCount("maxEntries", maxEntries, 1);
  const entries = new Map<string, Entry>();
  const completed = new Fifo<Entry>();
  let tokens = 0;

  /** The entry as it is at `at`: a completed record that has run out is gone, a lease that has run out is in doubt or free. */
  const current = (key: string, at: number): Entry | undefined => {
    const entry = entries.get(key);
    if (entry === undefined || at < entry.untilMs) return entry;
    if (entry.state === "completed" || entry.state === "claimed") {
      forget(entry);
      return undefined;
    }
    if (entry.state === "in_progress") change(entry, "unknown", Number.POSITIVE_INFINITY);
    return entry;
  };

  const forget = (entry: Entry) => {
    entries.delete(entry.key);
    completed.remove(entry);
  };

  const change = (entry: Entry, state: IdempotencyState, untilMs: number) => {
    entry.state = state;
    entry.untilMs = untilMs;
    entry.updatedAtMs = clock.now();
  };

  /** Only the newest claim of a key may write (S7.3). */
  const write = (
    key: string,
    token: string | number,
    // biome-ignore lint/suspicious/noConfusingVoidType: as of a store, only an explicit `false` means refused.
    apply: (entry: Entry, at: number) => void | false,
  ): boolean => {
    const at = clock.monotonic();
    const entry = current(key, at);
    if (entry === undefined || entry.token !== token || entry.state === "completed") return false;
    return apply(entry, at) !== false;
  };

  const complete = (entry: Entry, record: IdempotencyRecord, at: number) => {
    entry.record = record;
    change(entry, "completed", at + Math.min(record.ttlMs, ttlMs));
    completed.add(entry);
    if (completed.size > maxEntries) forget(completed.first!);
  };

  return {
    claim(key, { fingerprint, leaseMs, takeOver }): ClaimVerdict {
      const at = clock.monotonic();
      const entry = current(key, at);
      if (entry !== undefined && entry.fingerprint !== fingerprint) return { state: "conflict" };
      if (entry?.state === "completed") {
        const { value, valueOmitted } = entry.record!;
        return {
          state: "completed",
          ...(value === undefined ? undefined : { value }),
          ...(valueOmitted ? { valueOmitted } : undefined),
        };
      }
      if (entry?.state === "unknown" && !takeOver) return { state: "unknown" };
      if (entry !== undefined && entry.state !== "unknown") {
        return { state: "in_progress", untilMs: clock.now() + entry.untilMs - at };
      }
      const token = ++tokens;
      // What was in doubt stays so until it is written: the new claim counts as started.
      const state = entry === undefined ? "claimed" : "in_progress";
      entries.set(key, new Entry(key, fingerprint, token, state, clock.now(), at + leaseMs));
      return { state: "claimed", token };
    },
    start: (key, token) =>
      write(key, token, (entry) => {
        if (entry.state === "unknown") return false; // Its lease has run out.
        return change(entry, "in_progress", entry.untilMs);
      }),
    renew: (key, token, leaseMs) =>
      write(key, token, (entry, at) => {
        if (entry.state === "unknown") return false; // Nor is there anything left to renew.
        entry.untilMs = at + leaseMs;
        return undefined;
      }),
    complete: (key, token, record) => write(key, token, (entry, at) => complete(entry, record, at)),
    release: (key, token) => write(key, token, forget),
    markUnknown: (key, token) => write(key, token, (entry) => change(entry, "unknown", Number.POSITIVE_INFINITY)),
    list(filter = {}): IdempotencyEntry[] {
      const at = clock.monotonic();
      const found: IdempotencyEntry[] = [];
      for (const key of [...entries.keys()]) {
        const entry = current(key, at);
        if (entry === undefined || (filter.state !== undefined && entry.state !== filter.state)) continue;
        const { state, fingerprint, updatedAtMs } = entry;
        found.push({ key, state, fingerprint, updatedAtMs });
      }
      return found;
    },
    resolve(key, outcome) {
      if (outcome !== "applied" && outcome !== "not_applied")
        refuseOption("outcome", '"applied" or "not_applied"', typeof outcome);
      const at = clock.monotonic();
      const entry = current(key, at);
      if (entry?.state !== "unknown") return false;
      if (outcome === "applied") complete(entry, { ttlMs: Number.POSITIVE_INFINITY }, at);
      else forget(entry);
      return true;
    },
  };
}

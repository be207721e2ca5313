import { checkCount } from "../check-count.js";
import type { Clock } from "../ports/clock.js";
import type {
  ClaimRequest,
  ClaimVerdict,
  IdempotencyEntry,
  IdempotencyRecord,
  IdempotencyState,
  IdempotencyStore,
} from "../ports/idempotency-store.js";
import { createSystemClock } from "./system-clock.js";

export interface MemoryIdempotencyStoreOptions {
  /** Times leases and records. @defaultValue the system clock */
  clock?: Clock;
  /** Completed records beyond this many are forgotten, oldest first; claims and doubts never are. @defaultValue 100000 */
  maxEntries?: number;
  /** How long a completed record is kept at the longest. @defaultValue as long as its execution's policy says */
  ttlMs?: number;
}

interface Entry {
  state: IdempotencyState;
  fingerprint: string;
  token: number;
  updatedAtMs: number;
  /** Monotonic: end of the lease, or of a completed record. */
  untilMs: number;
  record?: IdempotencyRecord;
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
  const { clock = createSystemClock(), maxEntries = 100_000, ttlMs = Number.POSITIVE_INFINITY } = options;
  checkCount("maxEntries", maxEntries, 1);
  const entries = new Map<string, Entry>();
  const completed = new Set<string>();
  /** One for all times: every other would begin by stepping over what has been forgotten, 36 µs of it for 100,000 entries. */
  const oldestFirst = completed.values();
  let tokens = 0;

  /** The entry as it is now: a completed record that has run out is gone, a lease that has run out is in doubt or free. */
  const current = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (entry === undefined || clock.monotonic() < entry.untilMs) return entry;
    if (entry.state === "completed" || entry.state === "claimed") {
      forget(key);
      return undefined;
    }
    if (entry.state === "in_progress") change(entry, "unknown", Number.POSITIVE_INFINITY);
    return entry;
  };

  const forget = (key: string) => {
    entries.delete(key);
    completed.delete(key);
  };

  const change = (entry: Entry, state: IdempotencyState, untilMs: number) => {
    entry.state = state;
    entry.untilMs = untilMs;
    entry.updatedAtMs = clock.now();
  };

  /** Only the newest claim of a key may write (S7.3). */
  const write = (key: string, token: string | number, apply: (entry: Entry) => void): boolean => {
    const entry = current(key);
    if (entry === undefined || entry.token !== token || entry.state === "completed") return false;
    apply(entry);
    return true;
  };

  const complete = (key: string, entry: Entry, record: IdempotencyRecord) => {
    entry.record = record;
    change(entry, "completed", clock.monotonic() + Math.min(record.ttlMs, ttlMs));
    completed.add(key);
    // It cannot have come to its end: there is more in the set than may stay.
    if (completed.size > maxEntries) forget(oldestFirst.next().value!);
  };

  return {
    claim(key, { fingerprint, leaseMs, takeOver }): ClaimVerdict {
      const entry = current(key);
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
        return { state: "in_progress", untilMs: clock.now() + entry.untilMs - clock.monotonic() };
      }
      const token = ++tokens;
      const untilMs = clock.monotonic() + leaseMs;
      // What was in doubt stays so until it is written: the new claim counts as started.
      const state = entry === undefined ? "claimed" : "in_progress";
      entries.set(key, { state, fingerprint, token, updatedAtMs: clock.now(), untilMs });
      return { state: "claimed", token };
    },
    start: (key, token) => write(key, token, (entry) => change(entry, "in_progress", entry.untilMs)),
    renew: (key, token, leaseMs) =>
      write(key, token, (entry) => {
        if (entry.state !== "unknown") entry.untilMs = clock.monotonic() + leaseMs;
      }),
    complete: (key, token, record) => write(key, token, (entry) => complete(key, entry, record)),
    release: (key, token) => write(key, token, () => forget(key)),
    markUnknown: (key, token) => write(key, token, (entry) => change(entry, "unknown", Number.POSITIVE_INFINITY)),
    list(filter = {}): IdempotencyEntry[] {
      const found: IdempotencyEntry[] = [];
      for (const key of [...entries.keys()]) {
        const entry = current(key);
        if (entry === undefined || (filter.state !== undefined && entry.state !== filter.state)) continue;
        const { state, fingerprint, updatedAtMs } = entry;
        found.push({ key, state, fingerprint, updatedAtMs });
      }
      return found;
    },
    resolve(key, outcome) {
      const entry = current(key);
      if (entry?.state !== "unknown") return false;
      if (outcome === "applied") complete(key, entry, { ttlMs: Number.POSITIVE_INFINITY });
      else forget(key);
      return true;
    },
  };
}

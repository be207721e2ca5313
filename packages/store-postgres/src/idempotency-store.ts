import type {
  ClaimRequest,
  ClaimVerdict,
  IdempotencyEntry,
  IdempotencyRecord,
  IdempotencyState,
  IdempotencyStore,
} from "@eoc/core";
import { checkOutcome, decodeKey, encodeKey } from "@eoc/store-kit";
import { Calls } from "./calls.js";
import type { Param, Row } from "./database.js";
import { idempotencySql } from "./idempotency-sql.js";
import { type PostgresOptions, settingsOf } from "./options.js";
import { StoreError } from "./store-error.js";

/** Completions after which a batch of what has run out is deleted, and how many are in it. */
const PURGE_EVERY = 256;
const PURGE_BATCH = 1000;
const PAGE = 1000;
/** A claim that lost a race sees what won it when it looks again; more than a few times in a row, nobody makes headway. */
const MAX_RACES = 20;

/** What is asked of `list`. */
export interface PostgresListFilter {
  state?: IdempotencyState;
  /** Only keys behind this one, in the order of their bytes: the last one of the page before. */
  after?: string;
  /** At most so many. @defaultValue all of them */
  limit?: number;
}

/** What is known of a key. */
export interface PostgresIdempotencyEntry extends IdempotencyEntry {
  /** Fencing token of its newest claim. */
  readonly token: number;
  readonly claimedAtMs: number;
  /** When its dispatch was about to start; absent when it never was. */
  readonly startedAtMs?: number;
}

/** An idempotency store that rejects with a `StoreError` when it cannot do what it is asked to. */
export interface PostgresIdempotencyStore extends Required<IdempotencyStore> {
  claim(key: string, request: ClaimRequest): Promise<ClaimVerdict>;
  start(key: string, token: string | number): Promise<boolean>;
  renew(key: string, token: string | number, leaseMs: number): Promise<boolean>;
  complete(key: string, token: string | number, record: IdempotencyRecord): Promise<boolean>;
  release(key: string, token: string | number): Promise<boolean>;
  markUnknown(key: string, token: string | number): Promise<boolean>;
  resolve(key: string, outcome: "applied" | "not_applied"): Promise<boolean>;
  /** In the order of keys, read page by page. */
  list(filter?: PostgresListFilter): Promise<readonly PostgresIdempotencyEntry[]>;
  /** Deletes what has run out, at most `limit` records (by default 1,000), and says how many. Done by itself now and then. */
  purge(limit?: number): Promise<number>;
  /** Refuses further calls, and waits for what it does in the background. The pool stays open. */
  close(): Promise<void>;
}

/**
 * Keys in a PostgreSQL that processes share (S7): every call is one statement, decided and timed by the server. What it
 * acknowledged is there after a crash of either, as far as the server's `fsync` and `synchronous_commit` are on.
 * @throws EocError `invalid_option`
 */
export function createPostgresIdempotencyStore(options: PostgresOptions): PostgresIdempotencyStore {
  const settings = settingsOf(options);
  const calls = new Calls(settings);
  const sql = idempotencySql(settings.schema);
  let completions = 0;

  const write = async (text: string, key: string, token: string | number, ...more: Param[]): Promise<boolean> => {
    // What never was a token of this store is stale.
    if (!/^\d{1,18}$/.test(String(token))) return false;
    const rows = await calls.query(text, [encodeKey(key), String(token), ...more]);
    return rows.length > 0;
  };

  const purge = async (limit = PURGE_BATCH): Promise<number> => {
    const rows = await calls.query(sql.purge, [limit]);
    return rows.length;
  };

  const release = (key: string, token: string | number) => write(sql.release, key, token);
  const markUnknown = (key: string, token: string | number) => write(sql.markUnknown, key, token);

  return {
    async claim(key, { fingerprint, leaseMs, takeOver = false }): Promise<ClaimVerdict> {
      const params = [encodeKey(key), fingerprint, leaseMs, takeOver];
      // Claimed after all, for nobody: given back as it was, else it would be in the way until its lease ends.
      const tooLate = ([row]: readonly Row[]) => {
        const token = row?.["token"];
        if (token) void calls.inBackground(() => (takeOver ? markUnknown(key, token) : release(key, token)));
      };
      for (let race = 0; race < MAX_RACES; race++) {
        const [row] = await calls.query(sql.claim, params, tooLate);
        if (row !== undefined) return verdictOf(row);
      }
      throw new StoreError("unavailable", "the key changes hands too fast");
    },
    start: (key, token) => write(sql.start, key, token),
    renew: (key, token, leaseMs) => write(sql.renew, key, token, leaseMs),
    async complete(key, token, { value, valueOmitted = false, ttlMs }) {
      const text = value === undefined ? null : JSON.stringify(value);
      const done = await write(sql.complete, key, token, text ?? null, valueOmitted, finite(ttlMs));
      if (done && ++completions % PURGE_EVERY === 0) void calls.inBackground(() => purge());
      return done;
    },
    release,
    markUnknown,
    async resolve(key, outcome) {
      checkOutcome(outcome);
      const text = outcome === "applied" ? sql.resolveApplied : sql.resolveNotApplied;
      return (await calls.query(text, [encodeKey(key)])).length > 0;
    },
    async list({ state, after, limit = Number.POSITIVE_INFINITY } = {}) {
      const text = state === undefined || state === "completed" ? sql.page : sql.openPage;
      const entries: PostgresIdempotencyEntry[] = [];
      let last = after === undefined ? null : encodeKey(after);
      while (entries.length < limit) {
        const size = Math.min(PAGE, limit - entries.length);
        const rows = await calls.query(text, [last, state ?? null, size]);
        entries.push(...rows.map(entryOf));
        if (rows.length < size) break;
        last = rows.at(-1)!["key"]!;
      }
      return entries;
    },
    purge,
    close: () => calls.close(),
  };
}

function verdictOf(row: Row): ClaimVerdict {
  const { verdict, token, value, omitted, until } = row as Record<string, string | null>;
  switch (verdict) {
    case "claimed":
      return { state: verdict, token: Number(token) };
    case "completed":
      return {
        state: verdict,
        ...(value == null ? undefined : { value: JSON.parse(value) as unknown }),
        ...(omitted === "true" ? { valueOmitted: true } : undefined),
      };
    case "in_progress":
      return { state: verdict, untilMs: Number(until) };
    case "conflict":
    case "unknown":
      return { state: verdict };
    default:
      throw new StoreError("corrupt", "a record is not what this package writes");
  }
}

function entryOf(row: Row): PostgresIdempotencyEntry {
  const { key, state, fingerprint, updated, token, claimed, started } = row as Record<string, string>;
  return {
    key: decodeKey(key!),
    state: state as IdempotencyState,
    fingerprint: fingerprint!,
    updatedAtMs: Number(updated),
    token: Number(token),
    claimedAtMs: Number(claimed),
    ...(started == null ? undefined : { startedAtMs: Number(started) }),
  };
}

/** As a statement can be told of it: `float8` knows infinity, but drivers write it in their own ways. */
function finite(ms: number): number {
  return Math.min(ms, Number.MAX_VALUE);
}

import {
  type ClaimRequest,
  type ClaimVerdict,
  EocError,
  type IdempotencyEntry,
  type IdempotencyRecord,
  type IdempotencyState,
  type IdempotencyStore,
} from "@eoc/core";
import type { StoredKey, StoredVerdict } from "./protocol.js";
import type { StoreThread } from "./store-thread.js";
import { originalText, storedText } from "./stored-text.js";

/** What is known of a key. */
export interface SqliteKeyEntry extends IdempotencyEntry {
  /** Fencing token of its last claim. */
  token: number;
  claimedAtMs: number;
  /** When its dispatch was about to start; absent when it never was. */
  startedAtMs?: number;
  /** Until when its lease runs, if nobody renews it: of one that is claimed or in progress. */
  leaseUntilMs?: number;
}

/** What is asked of `list`. */
export interface SqliteListFilter {
  state?: IdempotencyState;
  /** Only keys behind this one, in the order of their bytes: the last one of the page before. */
  after?: string;
  /** At most so many. @defaultValue all of them */
  limit?: number;
}

/** An idempotency store in a file. Its leases and records go by the file's own time (see the README). */
export interface SqliteIdempotencyStore extends Required<IdempotencyStore> {
  claim(key: string, request: ClaimRequest): Promise<ClaimVerdict>;
  start(key: string, token: string | number): Promise<boolean>;
  renew(key: string, token: string | number, leaseMs: number): Promise<boolean>;
  complete(key: string, token: string | number, record: IdempotencyRecord): Promise<boolean>;
  release(key: string, token: string | number): Promise<boolean>;
  markUnknown(key: string, token: string | number): Promise<boolean>;
  /** In the order of the keys' bytes; read page by page, so not as of one moment. */
  list(filter?: SqliteListFilter): Promise<SqliteKeyEntry[]>;
  /** What is known of one key; undefined when it is free. */
  find(key: string): Promise<SqliteKeyEntry | undefined>;
  resolve(key: string, outcome: "applied" | "not_applied"): Promise<boolean>;
}

/** Keys that are read in one go. */
const PAGE = 1000;

export function createSqliteIdempotencyStore(thread: StoreThread): SqliteIdempotencyStore {
  return {
    async claim(key, { fingerprint, leaseMs, takeOver = false }) {
      const lease = checkDuration("leaseMs", leaseMs);
      const name = storedText(key);
      // Claimed after all, for nobody: given back as it was, else it would be in the way until its lease ends.
      const tooLate = (late: StoredVerdict) => {
        if (late.state !== "claimed") return;
        thread.request(takeOver ? "mark_unknown" : "release", name, late.token).catch(() => {});
      };
      return verdictOf(await thread.requestOwned(tooLate, "claim", name, storedText(fingerprint), lease, takeOver));
    },
    start: async (key, token) => isToken(token) && thread.request("start", storedText(key), token),
    async renew(key, token, leaseMs) {
      const lease = checkDuration("leaseMs", leaseMs);
      return isToken(token) && thread.request("renew", storedText(key), token, lease);
    },
    async complete(key, token, { value, valueOmitted = false, ttlMs }) {
      if (!isToken(token)) return false;
      const json = value === undefined ? null : jsonOf(value);
      const omitted = valueOmitted || json === undefined;
      const ttl = ttlMs === Number.POSITIVE_INFINITY ? null : checkDuration("ttlMs", ttlMs);
      return thread.request("complete", storedText(key), token, json ?? null, omitted, ttl);
    },
    release: async (key, token) => isToken(token) && thread.request("release", storedText(key), token),
    markUnknown: async (key, token) => isToken(token) && thread.request("mark_unknown", storedText(key), token),
    async list({ state, after, limit = Number.POSITIVE_INFINITY } = {}) {
      const found: SqliteKeyEntry[] = [];
      for (let last = after === undefined ? "" : storedText(after); ; ) {
        const count = Math.min(PAGE, limit - found.length);
        const page = count > 0 ? await thread.request("list", state ?? null, last, count) : [];
        found.push(...page.map(entryOf));
        if (page.length < PAGE) return found;
        last = page.at(-1)!.key;
      }
    },
    async find(key) {
      const stored = await thread.request("find", storedText(key));
      return stored === null ? undefined : entryOf(stored);
    },
    async resolve(key, outcome) {
      if (outcome !== "applied" && outcome !== "not_applied")
        refuseOption("outcome", '"applied" or "not_applied"', typeof outcome);
      return thread.request("resolve", storedText(key), outcome);
    },
  };
}

/** A token of another kind is of another store: stale here. */
function isToken(token: string | number): token is number {
  return Number.isSafeInteger(token);
}

function verdictOf(stored: StoredVerdict): ClaimVerdict {
  if (stored.state !== "completed") return stored;
  const { state, value, valueOmitted } = stored;
  return {
    state,
    ...(value === null ? undefined : { value: JSON.parse(value) as unknown }),
    ...(valueOmitted ? { valueOmitted } : undefined),
  };
}

function entryOf({ key, fingerprint, startedAtMs, leaseUntilMs, ...rest }: StoredKey): SqliteKeyEntry {
  return {
    ...rest,
    key: originalText(key),
    fingerprint: originalText(fingerprint),
    ...(startedAtMs === null ? undefined : { startedAtMs }),
    ...(leaseUntilMs === null ? undefined : { leaseUntilMs }),
  };
}

/** Undefined for what JSON cannot say (S7.5). */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** A duration that is no number would be a lease that never ends. @throws EocError `invalid_option` */
function checkDuration(path: string, value: number): number {
  if (value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  return refuseOption(path, "a finite number >= 0", String(value));
}

/** @throws EocError `invalid_option`, always */
function refuseOption(path: string, expected: string, received: string): never {
  throw new EocError("invalid_option", `${path} must be ${expected}, not ${received}`, {
    issues: [{ path, expected, received }],
  });
}

import type {
  ClaimRequest,
  ClaimVerdict,
  IdempotencyEntry,
  IdempotencyRecord,
  IdempotencyState,
  IdempotencyStore,
} from "@eoc/core";
import { checkOutcome, decodeKey, encodeKey, refuseOption } from "@eoc/store-kit";
import { Calls, type Reply } from "./calls.js";
import { IDEMPOTENCY_SCRIPT } from "./idempotency-script.js";
import { type RedisOptions, settingsOf } from "./options.js";
import { StoreError } from "./store-error.js";

const PAGE = 200;

/** Options of {@link createRedisIdempotencyStore}. */
export interface RedisIdempotencyStoreOptions extends RedisOptions {
  /**
   * Has to be said, since it is what happens: Redis replicates after it has answered. When a replica takes over, the
   * claims and completions of the moments before are gone, and their actions may be dispatched a second time. Where
   * that must not be, keep the keys in PostgreSQL.
   */
  onFailover: "may_dispatch_again";
}

/** What is asked of `list`. */
export interface RedisListFilter {
  state?: IdempotencyState;
  /** Only keys behind this one, in the order of their bytes: the last one of the page before. */
  after?: string;
  /** At most so many. @defaultValue all of them */
  limit?: number;
}

/** What is known of a key. */
export interface RedisIdempotencyEntry extends IdempotencyEntry {
  /** Fencing token of its newest claim. */
  readonly token: number;
  readonly claimedAtMs: number;
  /** When its dispatch was about to start; absent when it never was. */
  readonly startedAtMs?: number;
}

/** An idempotency store that rejects with a `StoreError` when it cannot do what it is asked to. */
export interface RedisIdempotencyStore extends Required<IdempotencyStore> {
  claim(key: string, request: ClaimRequest): Promise<ClaimVerdict>;
  start(key: string, token: string | number): Promise<boolean>;
  renew(key: string, token: string | number, leaseMs: number): Promise<boolean>;
  complete(key: string, token: string | number, record: IdempotencyRecord): Promise<boolean>;
  release(key: string, token: string | number): Promise<boolean>;
  markUnknown(key: string, token: string | number): Promise<boolean>;
  resolve(key: string, outcome: "applied" | "not_applied"): Promise<boolean>;
  /** In the order of keys, read page by page. */
  list(filter?: RedisListFilter): Promise<readonly RedisIdempotencyEntry[]>;
  /** Refuses further calls, and waits for what it does in the background. The client stays open. */
  close(): Promise<void>;
}

/**
 * Keys in a Redis that processes share (S7): one script for each call, timed by the server. What it acknowledged is
 * there after a crash of either if the server has `appendonly yes` and `appendfsync always`; not after a failover.
 * @throws EocError `invalid_option`
 */
export function createRedisIdempotencyStore(options: RedisIdempotencyStoreOptions): RedisIdempotencyStore {
  const settings = settingsOf(options);
  if (options.onFailover !== "may_dispatch_again") {
    refuseOption("onFailover", '"may_dispatch_again": read what it says', options.onFailover);
  }
  const calls = new Calls(settings);

  const ask = (op: string, key: string, values: readonly string[] = [], tooLate?: (reply: Reply) => void) => {
    const name = encodeKey(key);
    const keys = ["tokens", `key:${name}`, "keys", "ending"];
    return calls.run(IDEMPOTENCY_SCRIPT, keys, [op, name, ...values], tooLate);
  };
  const write = async (op: string, key: string, ...values: (string | number)[]): Promise<boolean> =>
    (await ask(op, key, values.map(String))).length > 0;
  const release = (key: string, token: string | number) => write("release", key, token);
  const markUnknown = (key: string, token: string | number) => write("mark_unknown", key, token);

  return {
    async claim(key, { fingerprint, leaseMs, takeOver }) {
      // Claimed after all, for nobody: given back as it was, else it would be in the way until its lease ends.
      const tooLate = ([state, token]: Reply) => {
        if (state !== "claimed") return;
        void calls.inBackground(() => (takeOver ? markUnknown(key, token!) : release(key, token!)));
      };
      return verdictOf(await ask("claim", key, [fingerprint, String(leaseMs), takeOver ? "1" : "0"], tooLate));
    },
    start: (key, token) => write("start", key, token),
    renew: (key, token, leaseMs) => write("renew", key, token, leaseMs),
    complete(key, token, { value, valueOmitted, ttlMs }) {
      const text = value === undefined ? undefined : JSON.stringify(value);
      const stored = text === undefined ? ["0", ""] : ["1", text];
      return write("complete", key, token, Math.min(ttlMs, 1e15), ...stored, valueOmitted ? "1" : "0");
    },
    release,
    markUnknown,
    async resolve(key, outcome) {
      checkOutcome(outcome);
      return write("resolve", key, outcome);
    },
    async list({ state, after = "", limit = Number.POSITIVE_INFINITY } = {}) {
      const entries: RedisIdempotencyEntry[] = [];
      for (let last = after; entries.length < limit; ) {
        const keys = (await ask("list", last, [String(PAGE)])).map(decodeKey);
        const found = await Promise.all(keys.map(async (key) => entryOf(key, await ask("show", key))));
        for (const entry of found) {
          const isWanted = entry !== undefined && (state === undefined || entry.state === state);
          if (isWanted && entries.length < limit) entries.push(entry);
        }
        if (keys.length < PAGE) break;
        last = keys.at(-1)!;
      }
      return entries;
    },
    close: () => calls.close(),
  };
}

function verdictOf([state, first, value, omitted]: Reply): ClaimVerdict {
  switch (state) {
    case "claimed":
      return { state, token: Number(first) };
    case "completed":
      return {
        state,
        ...(first === "1" ? { value: JSON.parse(value!) as unknown } : undefined),
        ...(omitted === "1" ? { valueOmitted: true } : undefined),
      };
    case "in_progress":
      return { state, untilMs: Number(first) };
    case "conflict":
    case "unknown":
      return { state };
    default:
      throw new StoreError("corrupt", "a record is not what this package writes");
  }
}

function entryOf(
  key: string,
  [state, fingerprint, token, updated, claimed, started]: Reply,
): RedisIdempotencyEntry | undefined {
  if (state === undefined) return undefined;
  return {
    key,
    state: state as IdempotencyState,
    fingerprint: fingerprint!,
    updatedAtMs: Math.floor(Number(updated)),
    token: Number(token),
    claimedAtMs: Math.floor(Number(claimed)),
    ...(started ? { startedAtMs: Math.floor(Number(started)) } : undefined),
  };
}

/** A completed action as it is stored, so that the same key can be answered again. */
export interface IdempotencyRecord {
  /** The executor's value. Absent when it does not survive JSON (S7.5). */
  value?: unknown;
  /** True when the executor returned a value that could not be stored. */
  valueOmitted?: boolean;
  /** How long the record is to be kept. */
  ttlMs: number;
}

/** What a store is told with a claim. Times are milliseconds. */
export interface ClaimRequest {
  /** Digest of the action's payload: the same key with another fingerprint is a conflict. */
  fingerprint: string;
  leaseMs: number;
  /** The caller's wall clock. A store shared by machines uses its own clock for leases (S7.2). */
  nowMs: number;
  /**
   * Claims a key in doubt as well: reconcile, the effect class or the policy allows another dispatch (S7.2). Such a claim
   * counts as started: when its lease runs out, the key is in doubt again.
   */
  takeOver?: boolean;
}

/** A store's answer to a claim (S7.2). */
export type ClaimVerdict =
  | { state: "claimed" /** Fencing token: grows with every claim of the key. */; token: string | number }
  | { state: "in_progress"; untilMs?: number }
  | { state: "completed"; value?: unknown; valueOmitted?: boolean }
  | { state: "conflict" }
  | { state: "unknown" };

/** What a store knows of a key that is not free: claimed, dispatched (`in_progress`), completed, or in doubt (`unknown`). */
export type IdempotencyState = "claimed" | "in_progress" | "completed" | "unknown";

/** What an operator sees of a key. */
export interface IdempotencyEntry {
  key: string;
  state: IdempotencyState;
  fingerprint: string;
  updatedAtMs: number;
}

/**
 * Remembers which keys are being executed, are done, or are in doubt (S7). Every write names the fencing token of its
 * claim; a stale token changes nothing. Writes answer `false` when they were refused for that, anything else when done.
 */
export interface IdempotencyStore {
  claim(key: string, request: ClaimRequest): ClaimVerdict | Promise<ClaimVerdict>;
  /**
   * Marks that a dispatch is about to start; a lease that runs out before the first is simply taken over. Is asked before every
   * dispatch, and answers `false` where the lease has run out. Without it `renew` is asked.
   */
  start?(key: string, token: string | number): StoreWrite;
  /** Answers `false` also where the lease has run out, or the key is marked unknown: there is nothing left to renew. */
  renew(key: string, token: string | number, leaseMs: number): StoreWrite;
  complete(key: string, token: string | number, record: IdempotencyRecord): StoreWrite;
  release(key: string, token: string | number): StoreWrite;
  markUnknown(key: string, token: string | number): StoreWrite;
  list?(filter?: { state?: IdempotencyState }): readonly IdempotencyEntry[] | Promise<readonly IdempotencyEntry[]>;
  /** An operator's word on a key that is in doubt. */
  resolve?(key: string, outcome: "applied" | "not_applied"): StoreWrite;
}

/** The answer to a write: `false` where it was refused, for a stale token or a lease that has run out; anything else when done. */
// biome-ignore lint/suspicious/noConfusingVoidType: a store need not answer; only an explicit `false` means refused.
export type StoreWrite = void | boolean | Promise<void | boolean>;

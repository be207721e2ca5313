import type { IdempotencyState } from "@eoc/core";
import type { StoreErrorCode } from "./store-error.js";

/** How the thread answers a claim: values are JSON texts. */
export type StoredVerdict =
  | { state: "claimed"; token: number }
  | { state: "in_progress"; untilMs: number }
  | { state: "completed"; value: string | null; valueOmitted: boolean }
  | { state: "conflict" }
  | { state: "unknown" };

/** A key as it is listed; texts as they are stored. */
export interface StoredKey {
  key: string;
  state: IdempotencyState;
  fingerprint: string;
  token: number;
  claimedAtMs: number;
  startedAtMs: number | null;
  updatedAtMs: number;
  leaseUntilMs: number | null;
}

export interface StoredSwitch {
  /** Counts the changes; 0 before the first. */
  revision: number;
  halted: boolean;
  reason: string | null;
  changedBy: string | null;
  changedAtMs: number | null;
}

export type StoredLimit = readonly [key: string, limit: number, windowMs: number];

export type StoredGrant = { permit: number } | { retryAfterMs: number };

/** Every request of the main thread to the store's: its arguments and its answer. */
export interface Requests {
  claim: { args: [key: string, fingerprint: string, leaseMs: number, takeOver: boolean]; answer: StoredVerdict };
  start: { args: [key: string, token: number]; answer: boolean };
  renew: { args: [key: string, token: number, leaseMs: number]; answer: boolean };
  complete: {
    args: [key: string, token: number, value: string | null, valueOmitted: boolean, ttlMs: number | null];
    answer: boolean;
  };
  release: { args: [key: string, token: number]; answer: boolean };
  mark_unknown: { args: [key: string, token: number]; answer: boolean };
  resolve: { args: [key: string, outcome: "applied" | "not_applied"]; answer: boolean };
  find: { args: [key: string]; answer: StoredKey | null };
  list: { args: [state: IdempotencyState | null, after: string, count: number]; answer: StoredKey[] };
  acquire: { args: [limits: readonly StoredLimit[]]; answer: StoredGrant };
  /** Writes when the dispatch of a permit started, on the machine's monotonic clock. Answered by nobody. */
  stamp: { args: [permit: number, monotonicMs: number]; answer: never };
  /** Hands a permit back. Answered by nobody. */
  cancel: { args: [permit: number]; answer: never };
  read_switch: { args: []; answer: StoredSwitch };
  set_switch: {
    args: [halted: boolean, reason: string | null, changedBy: string | null];
    answer: StoredSwitch;
  };
  open_journal: { args: [name: string]; answer: { seq: number; line: string } | null };
  append: { args: [name: string, seq: number, line: string]; answer: null };
  journal_names: { args: []; answer: string[] };
  read_journal: { args: [name: string, afterSeq: number, count: number]; answer: [seq: number, line: string][] };
}

export type Operation = keyof Requests;

/** One request in a message; several that were made together share one. */
export type Request = [id: number, operation: Operation, ...args: unknown[]];

/** What went wrong, as it crosses the threads. */
export interface Failure {
  code: StoreErrorCode;
  message: string;
}

/** What came of one request. */
export type Answer = [id: number, answer: unknown] | [id: number, answer: undefined, failure: Failure];

/** From the thread: it has opened its file, or cannot; answers. Its end says that it has closed. */
export type ThreadMessage = { opened: true } | { failed: Failure } | { answers: Answer[] };

/** To the thread. */
export type MainMessage = Request[] | "close";

/** What the thread is started with. */
export interface ThreadOptions {
  path: string;
  create: boolean;
  /** Nothing of the file is changed, not even what the dead have left behind. */
  readOnly?: boolean;
  busyTimeoutMs: number;
  openTimeoutMs: number;
  /** For tests: clocks in shared memory, another boot, limits of the database. */
  time?: SharedArrayBuffer;
  bootId?: string;
  pragmas?: readonly string[];
}

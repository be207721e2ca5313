import { checkOptionNames, type Journal, type RateLimiter } from "@eoc/core";
import { check, checkCount, checkPath } from "./check-options.js";
import { createSqliteIdempotencyStore, type SqliteIdempotencyStore } from "./idempotency-store.js";
import { DEFAULT_JOURNAL, openJournalSink, readJournalLines, type SqliteJournalSink } from "./journal-sink.js";
import { createSqliteKillSwitch, type SqliteKillSwitch } from "./kill-switch.js";
import { machineTime } from "./machine-time.js";
import type { ThreadOptions } from "./protocol.js";
import { createSqliteRateLimiter } from "./rate-limiter.js";
import { StoreThread } from "./store-thread.js";

/** Options of {@link createLocalRuntime}. Times are milliseconds. */
export interface LocalRuntimeOptions<J extends Journal = Journal> {
  /**
   * Makes the journal from its sink: `createJsonlJournal` of `@eoc/trace`, or a function that calls it with options.
   * @defaultValue no journal
   */
  journal?: (sink: SqliteJournalSink) => J;
  /** Which of the file's journals this runtime writes. Each that is open needs its own. @defaultValue "main" */
  journalName?: string;
  /** Whether a file that is not there is made, for its owner alone. @defaultValue true */
  create?: boolean;
  /**
   * How long others may hold the file before a request is refused as `busy`. Keep it below the policies' `portTimeoutMs`.
   * @defaultValue 500
   */
  busyTimeoutMs?: number;
  /** How often subscribers of the kill switch look for a change by another process. @defaultValue 50 */
  pollMs?: number;
  /** After how long without any answer, as from a disk that hangs, a request is given up. @defaultValue 5000 */
  timeoutMs?: number;
}

/**
 * Every port that one machine needs, in one file. Its own enumerable properties are ports, so it can be handed to `execute` as its
 * options, or spread into them.
 */
export interface LocalRuntime<J extends Journal = Journal> {
  readonly idempotencyStore: SqliteIdempotencyStore;
  readonly rateLimiter: RateLimiter;
  readonly killSwitch: SqliteKillSwitch;
  /** There when the options made one, and with all that it can. */
  readonly journal?: J;
  /** The lines of a journal of this file, each with its end: for `verifyJournal`, or to be written to a file. */
  journalLines(name?: string): AsyncGenerator<string, void, undefined>;
  /**
   * Finishes what has been asked for and lets go of the file: no thread, handle or timer is left. Later requests are refused. End the
   * executions first: permits that are still open count as started now.
   */
  close(): Promise<void>;
}

const OPTIONS = {
  journal: true,
  journalName: true,
  create: true,
  busyTimeoutMs: true,
  pollMs: true,
  timeoutMs: true,
} as const satisfies Record<keyof LocalRuntimeOptions, true>;

/** What tests put in the place of the machine. */
export type ThreadHooks = Pick<ThreadOptions, "time" | "bootId" | "pragmas">;

/**
 * Opens `file`, or makes it, and gives the ports that it keeps: durable, shared by all processes of this machine that open it.
 * @throws StoreError when the file cannot be used: see its codes
 * @throws EocError `invalid_option`
 */
export async function createLocalRuntime<J extends Journal>(
  file: string,
  options: LocalRuntimeOptions<J> & { journal: (sink: SqliteJournalSink) => J },
): Promise<LocalRuntime<J> & { readonly journal: J }>;
/** The same, where the options make no journal, or may make none. */
export async function createLocalRuntime<J extends Journal = Journal>(
  file: string,
  options?: LocalRuntimeOptions<J>,
): Promise<LocalRuntime<J>>;
export async function createLocalRuntime(file: string, options: LocalRuntimeOptions = {}): Promise<LocalRuntime> {
  return openLocalRuntime(file, options, {});
}

/** {@link createLocalRuntime}, on a machine that tests have made up. */
export async function openLocalRuntime(
  file: string,
  options: LocalRuntimeOptions,
  hooks: ThreadHooks,
): Promise<LocalRuntime> {
  checkOptionNames(options, OPTIONS);
  const { create = true, journal: makeJournal, journalName = DEFAULT_JOURNAL } = options;
  const busyTimeoutMs = checkCount("busyTimeoutMs", options.busyTimeoutMs ?? 500, 0);
  const pollMs = checkCount("pollMs", options.pollMs ?? 50, 1);
  const timeoutMs = checkCount("timeoutMs", options.timeoutMs ?? 5000, 1);
  // One that was made for another place would be a second writer there.
  const isMaker = makeJournal === undefined || typeof makeJournal === "function";
  check(
    isMaker,
    "journal",
    "a function that makes a journal of its sink, such as createJsonlJournal",
    typeof makeJournal,
  );
  check(typeof journalName === "string", "journalName", "a name", typeof journalName);
  const thread = await StoreThread.open({ path: checkPath(file), create, busyTimeoutMs, ...hooks }, timeoutMs);
  let journal: Journal | undefined;
  try {
    if (makeJournal !== undefined) journal = makeJournal(await openJournalSink(thread, journalName));
  } catch (error) {
    await thread.close();
    throw error;
  }
  const ports = {
    idempotencyStore: createSqliteIdempotencyStore(thread),
    rateLimiter: createSqliteRateLimiter(thread, machineTime(hooks.time)),
    killSwitch: createSqliteKillSwitch(thread, pollMs),
    ...(journal === undefined ? undefined : { journal }),
  };
  const methods = {
    journalLines: (name: string = DEFAULT_JOURNAL) => readJournalLines(thread, name),
    async close() {
      await Promise.resolve(); // A journal hands over at the end of a turn what was appended in it.
      await thread.close();
    },
  };
  // On the prototype, where no spread finds them: `execute` knows no option of these names.
  return Object.assign(Object.create(methods) as typeof methods, ports);
}

import { checkOptionNames } from "@eoc/core";
import { checkCount, checkPath } from "./check-options.js";
import { DEFAULT_JOURNAL, readJournalLines } from "./journal-sink.js";
import { StoreThread } from "./store-thread.js";

/** Options of {@link openSqliteJournals}. Times are milliseconds. */
export interface SqliteJournalsOptions {
  /** How long others may hold the file before a request is refused as `busy`. @defaultValue 500 */
  busyTimeoutMs?: number;
  /** After how long without any answer, as from a disk that hangs, a request is given up. @defaultValue 5000 */
  timeoutMs?: number;
}

/** The journals in a file, for who looks at them from outside. */
export interface SqliteJournals {
  /** The names of the journals that hold a record. */
  names(): Promise<string[]>;
  /** The lines of one, each with its end, in little memory: for `verifyJournal`. @defaultValue those of "main" */
  lines(name?: string): AsyncGenerator<string, void, undefined>;
  /** Lets go of the file. */
  close(): Promise<void>;
}

/**
 * Opens a file that is there to read its journals. Nothing in it is changed, whoever writes it meanwhile; it may be read-only, but not
 * its folder, where SQLite keeps what readers and writers share.
 * @throws StoreError when the file cannot be used: see its codes
 * @throws EocError `invalid_option`
 */
export async function openSqliteJournals(file: string, options: SqliteJournalsOptions = {}): Promise<SqliteJournals> {
  checkOptionNames(options, { busyTimeoutMs: true, timeoutMs: true });
  const busyTimeoutMs = checkCount("busyTimeoutMs", options.busyTimeoutMs ?? 500, 0);
  const timeoutMs = checkCount("timeoutMs", options.timeoutMs ?? 5000, 1);
  const path = checkPath(file);
  const thread = await StoreThread.open({ path, create: false, readOnly: true, busyTimeoutMs }, timeoutMs);
  return {
    names: () => thread.request("journal_names"),
    lines: (name = DEFAULT_JOURNAL) => readJournalLines(thread, name),
    close: () => thread.close(),
  };
}

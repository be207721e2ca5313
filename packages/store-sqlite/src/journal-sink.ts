import { StoreError } from "./store-error.js";
import type { StoreThread } from "./store-thread.js";

/**
 * Where a journal's lines go: hand it to `createJsonlJournal` of `@eoc/trace`. It has one writer at a time; a second one is refused,
 * and so is a line that does not follow the last.
 */
export interface SqliteJournalSink {
  /** Resolves when the line is on the disk. */
  append(line: string): Promise<void>;
  /** Resolves when the lines are on the disk: as a rule in one transaction. */
  appendAll(lines: readonly string[]): Promise<void>;
  /** The last record that is there; a journal goes on from it. */
  readonly head: { seq: number; hash: string } | undefined;
}

/** The one that nobody names. */
export const DEFAULT_JOURNAL = "main";

/** Lines that are read in one go. */
const PAGE = 200;

/** @throws StoreError `journal_in_use` */
export async function openJournalSink(thread: StoreThread, name: string): Promise<SqliteJournalSink> {
  const last = await thread.request("open_journal", name);
  const append = async (line: string) => {
    const { seq } = JSON.parse(line) as { seq: unknown };
    if (!Number.isSafeInteger(seq)) throw new StoreError("journal_conflict", "the line is no journal record");
    await thread.request("append", name, seq as number, line);
  };
  const appendAll = async (lines: readonly string[]) => {
    // What is asked in one turn goes into as few transactions as there can be; no line follows one that has failed.
    await Promise.all(lines.map(append));
  };
  const head = last === null ? undefined : { seq: last.seq, hash: (JSON.parse(last.line) as { hash: string }).hash };
  // Not enumerable: who wraps `append` and takes over the rest is not to be passed by.
  return Object.defineProperty({ head, append }, "appendAll", { value: appendAll }) as SqliteJournalSink;
}

/** The lines of a journal, each with its end, in little memory: for `verifyJournal`, or for a file. */
export async function* readJournalLines(thread: StoreThread, name: string): AsyncGenerator<string, void, undefined> {
  for (let after = -1; ; ) {
    const page = await thread.request("read_journal", name, after, PAGE);
    for (const [, line] of page) yield `${line}\n`;
    if (page.length < PAGE) return;
    after = page.at(-1)![0];
  }
}

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { checkOptionNames } from "@eoc/core";
import { checkOption, checkWord } from "../check-option.js";
import { goesOnAfterRecord, type JournalHead, readRecord } from "../journal-record.js";
import type { JournalSink } from "../jsonl-journal.js";
import { hashAfter } from "./follows.js";
import { type FileCalls, type FsyncPolicy, LineFile } from "./line-file.js";
import { otherWriterOf } from "./other-writer.js";
import { fileAfter, journalFiles } from "./parts.js";

/** More than one write of a journal holds. */
const LAST_WRITE_BYTES = 1_048_576;

/** Options of {@link createFileSink}. */
export interface FileSinkOptions {
  /**
   * When a line counts as kept: `"always"` when the disk has it, `"never"` when the operating system has it, which a loss of power
   * does not survive.
   * @defaultValue "always"
   */
  fsync?: FsyncPolicy;
  /**
   * How long a file may get before the journal goes on in another one: `<path>.000001`, and so on. A record is never split.
   * @defaultValue the journal stays in one file
   */
  maxBytes?: number;
}

/**
 * A journal's file. Has one writer. Who opens it while this process has it open is refused, and on Linux while another process has it
 * open for writing, under whatever name; elsewhere, whoever finds at his next append that somebody else has written is broken from then
 * on. So is who finds that the file was deleted, moved or replaced. A record that does not follow the last one is refused, and the file
 * goes on without it.
 */
export interface FileSink extends JournalSink {
  append(line: string): Promise<void>;
  appendAll(lines: readonly string[]): Promise<void>;
  /** What was there when the file was opened. */
  readonly recovered: {
    /** The last whole record; a journal goes on from it by itself. Its own hash fits; `verifyJournal` looks at the rest. */
    readonly head?: JournalHead;
    /**
     * Length of a line without an end, which a crash leaves behind. It is cut off by the first append: its own was never acknowledged,
     * so nothing was done on its strength.
     */
    readonly tornBytes: number;
  };
  /** Resolves when the file is closed. Appends that are under way end first, later ones fail. */
  close(): Promise<void>;
}

/**
 * Opens `path`, or the last of the files that its journal was rotated into, for appending lines, or creates it for its owner alone
 * (mode 0600). What is appended together is one write and, unless `fsync` says otherwise, one fsync. After one that failed every later one
 * fails: the file may end in half a line.
 *
 * @throws EocError `invalid_option`; what opening the file throws, when another process writes it, when this one does and has neither closed it
 * nor failed to, and when its last line is no journal record, those before it do not lead up to it, or records without their line ends follow it: it is some
 * other file, or damaged
 */
export function createFileSink(path: string, options: FileSinkOptions = {}): FileSink {
  checkOptionNames(options, { fsync: true, maxBytes: true });
  return openFileSink(path, options);
}

/** {@link createFileSink} with the calls that it makes. */
export function openFileSink(name: string, options: FileSinkOptions, calls?: FileCalls): FileSink {
  const { fsync = "always", maxBytes = Number.POSITIVE_INFINITY } = options;
  checkWord("fsync", fsync, ["always", "never"]);
  checkOption(typeof maxBytes === "number" && maxBytes >= 1, "maxBytes", "a number >= 1", maxBytes);
  const use = { fsync, ...(calls === undefined ? undefined : { calls }) };
  // The same from wherever the process works by then.
  const path = resolve(name);
  const files = filesOf(path);
  let file = new LineFile(files.at(-1) ?? path, { ...use, to: "append" });
  let recovered: FileSink["recovered"];
  try {
    const writer = otherWriterOf(file.path);
    if (writer !== undefined)
      throw new Error(`process ${writer} writes ${file.path}: give each process a journal of its own`);
    recovered = recover(file, files.at(-2));
  } catch (error) {
    file.closeSync();
    throw error;
  }
  /** The journal has records, but none of them is in this file: its first one is to carry the head of the file before. */
  let isUnused = file.size === 0 && recovered.head !== undefined;

  let last: Promise<void> = Promise.resolve();
  let failed: unknown;
  let closed = false;
  let closing: Promise<void> | undefined;
  const isClosed = () => Promise.reject(new Error("the journal's file is closed"));

  /** One after the other; after one that failed none. */
  function queue(work: () => Promise<void>): Promise<void> {
    if (closed) return isClosed();
    const result = last.then(async () => {
      if (failed !== undefined) throw failed;
      try {
        await work();
      } catch (error) {
        failed = error;
        file.giveUp();
        throw error;
      }
    });
    last = result.catch(() => undefined);
    return result;
  }

  async function end(): Promise<void> {
    await Promise.resolve(); // A journal hands over at the end of a turn what was appended in it.
    closed = true;
    await last;
    await file.close();
  }

  let lastHash = recovered.head?.hash;

  function appendAll(lines: readonly string[]): Promise<void> {
    try {
      lastHash = hashAfter(lastHash, lines);
    } catch (error) {
      // Nothing was written: whoever wrote what is there may go on.
      return Promise.reject(error);
    }
    return queue(async () => {
      if (lines.length === 0) return;
      const next = fileAfter(path, file.path);
      if (existsSync(next)) throw new Error(`something else writes to ${next}`);
      await file.append(lines);
      isUnused = false;
    });
  }

  const sink: Omit<FileSink, "appendAll"> = {
    recovered,
    head: recovered.head,
    append: (line) => (closing === undefined ? appendAll([line]) : isClosed()),
    isFull: (pending = 0) => isUnused || file.size + pending >= maxBytes,
    rotate: () =>
      queue(async () => {
        if (isUnused) return;
        const before = file;
        before.trim();
        file = new LineFile(fileAfter(path, before.path), { ...use, to: "create" });
        await before.close();
      }),
    close() {
      closing ??= end();
      return closing;
    },
  };
  return Object.defineProperty(sink, "appendAll", { value: appendAll }) as FileSink;
}

function filesOf(path: string): string[] {
  try {
    return journalFiles(path);
  } catch {
    return []; // Opening the file says what is wrong with its folder.
  }
}

/** Finds the last whole record and cuts off what follows it. */
function recover(file: LineFile, before: string | undefined): FileSink["recovered"] {
  const { line, tornBytes, torn } = file.tail();
  if (goesOnAfterRecord(torn))
    throw new Error(`${file.path} has records without their line ends: something has converted it`);
  if (line === undefined) {
    // A file that never had a line end may be anything; only the start of a record is ours to cut.
    if (tornBytes > 0 && !startsLikeRecord(file)) throw new Error(`${file.path} is not a journal`);
    file.cutLater(tornBytes);
    return before === undefined ? { tornBytes } : { head: headOfClosed(before), tornBytes };
  }
  const head = headOf(line, file.path);
  mustBeChained(file);
  file.cutLater(tornBytes);
  return { head, tornBytes };
}

/**
 * What one write held may have reached the disk in part when the power went, with a hole before its end: no journal goes on behind one.
 */
function mustBeChained(file: LineFile): void {
  let previous: string | undefined;
  for (const line of file.lastLines(LAST_WRITE_BYTES)) {
    const { record, fault } = readRecord(line);
    if (record === undefined || fault !== undefined || (previous !== undefined && record.prev !== previous))
      throw new Error(`${file.path} is damaged near its end: verifyJournal, or eoc verify, says where`);
    previous = record.hash;
  }
}

/** The end of a file that was rotated: whole, since another one was begun after it. */
function headOfClosed(path: string): JournalHead {
  const file = new LineFile(path, { to: "read", fsync: "never" });
  try {
    const { line, tornBytes } = file.tail();
    if (line === undefined || tornBytes > 0) throw new Error(`${path} does not end in a journal record`);
    return headOf(line, path);
  } finally {
    file.closeSync();
  }
}

function headOf(line: string, path: string): JournalHead {
  const { record, fault } = readRecord(line);
  if (record === undefined || fault !== undefined)
    throw new Error(`the last line of ${path} is not a journal record: ${fault}`);
  return { seq: record.seq, hash: record.hash };
}

function startsLikeRecord(file: LineFile): boolean {
  const start = '{"event":';
  return start.startsWith(file.start(start.length));
}

import { close, closeSync, fstatSync, fsync, fsyncSync, ftruncateSync, openSync, readSync, write } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { type JournalHead, readRecord } from "./journal-record.js";
import type { JournalSink } from "./jsonl-journal.js";

export interface FileSinkOptions {
  /**
   * When a line counts as kept: `"always"` when the disk has it, `"never"` when the operating system has it, which a loss of power
   * does not survive.
   * @defaultValue "always"
   */
  fsync?: "always" | "never";
}

/** A journal's file. Has one writer: a second one, in this process or another, is noticed at its next append. */
export interface FileSink extends JournalSink {
  append(line: string): Promise<void>;
  /** What was there when the file was opened. */
  readonly recovered: {
    /** The last whole record; a journal goes on from it by itself. Its own hash fits; `verifyJournal` looks at the rest. */
    readonly head?: JournalHead;
    /**
     * Length of a line without an end, which a crash leaves behind. It was cut off: its append was never acknowledged, so nothing
     * was done on its strength.
     */
    readonly tornBytes: number;
  };
  /** Resolves when the file is closed. Appends that are under way end first, later ones fail. */
  close(): Promise<void>;
}

const NEW_LINE = 0x0a;
const CHUNK = 65_536;

/**
 * Opens `path` for appending lines, or creates it for its owner alone (mode 0600). Every append is one write and, unless
 * `fsync` says otherwise, one fsync. After one that failed every later one fails: the file may end in half a line.
 *
 * @throws what opening the file throws, and when its last line is no journal record: it is some other file, or damaged
 */
export function createFileSink(path: string, options: FileSinkOptions = {}): FileSink {
  const { fsync: policy = "always" } = options;
  if (policy !== "always" && policy !== "never") throw new TypeError('fsync must be "always" or "never"');
  const fd = openSync(path, "a+", 0o600);
  let recovered: FileSink["recovered"];
  let size: number;
  try {
    ({ recovered, size } = recover(fd, path));
    if (policy === "always") {
      fsyncSync(fd);
      if (size === 0) syncDirectory(dirname(path));
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }

  let last: Promise<void> = Promise.resolve();
  let failed: unknown;
  let closed = false;

  async function writeLine(line: string): Promise<void> {
    if (failed !== undefined) throw failed;
    try {
      const bytes = new TextEncoder().encode(`${line}\n`);
      if (fstatSync(fd).size !== size) throw new Error("something else writes to the journal's file");
      const { bytesWritten } = await writeFile(fd, bytes);
      // Half a line stays behind, as after a crash: it is cut off when the file is opened again.
      if (bytesWritten !== bytes.length) throw new Error(`only ${bytesWritten} of ${bytes.length} bytes were written`);
      size += bytes.length;
      if (policy === "always") await syncFile(fd);
    } catch (error) {
      failed = error;
      throw error;
    }
  }

  return {
    recovered,
    head: recovered.head,
    append(line) {
      if (closed) return Promise.reject(new Error("the journal's file is closed"));
      const result = last.then(() => writeLine(line));
      last = result.catch(() => undefined);
      return result;
    },
    async close() {
      if (closed) return last;
      closed = true;
      last = last.then(() => closeFile(fd));
      return last;
    },
  };
}

/**
 * The lines of a journal's file, one after the other, in little memory: for `verifyJournal`. Ends lines at `\n` alone, as JSON
 * lines do, and gives a last line without an end too.
 */
export async function* readJournalFile(path: string): AsyncGenerator<string, void, undefined> {
  const file = await open(path, "r");
  try {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let rest = "";
    for await (const chunk of file.createReadStream({ highWaterMark: CHUNK, autoClose: false })) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
      rest = lines.pop()!;
      yield* lines;
    }
    rest += decoder.decode();
    if (rest !== "") yield rest;
  } finally {
    await file.close();
  }
}

const writeFile = promisify(write) as (fd: number, bytes: Uint8Array) => Promise<{ bytesWritten: number }>;
const syncFile = promisify(fsync);
const closeFile = promisify(close);

/** Finds the last whole line and cuts off what follows it. */
function recover(fd: number, path: string): { recovered: FileSink["recovered"]; size: number } {
  const found = fstatSync(fd).size;
  const size = lastLineEnd(fd, found);
  const tornBytes = found - size;
  if (size === 0) {
    // A file that never had a line end may be anything; only the start of a record is ours to cut.
    if (tornBytes > 0 && !startsLikeRecord(fd, tornBytes)) throw new Error(`${path} is not a journal`);
    if (tornBytes > 0) ftruncateSync(fd, 0);
    return { recovered: { tornBytes }, size };
  }
  const start = lastLineEnd(fd, size - 1);
  const { record, fault } = readRecord(
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(readBytes(fd, start, size - 1 - start)),
  );
  if (record === undefined || fault !== undefined)
    throw new Error(`the last line of ${path} is not a journal record: ${fault}`);
  if (tornBytes > 0) ftruncateSync(fd, size);
  return { recovered: { head: { seq: record.seq, hash: record.hash }, tornBytes }, size };
}

/** Where the last line that ends before `end` ends; 0 for none. */
function lastLineEnd(fd: number, end: number): number {
  for (let to = end; to > 0; to -= CHUNK) {
    const from = Math.max(0, to - CHUNK);
    const index = readBytes(fd, from, to - from).lastIndexOf(NEW_LINE);
    if (index >= 0) return from + index + 1;
  }
  return 0;
}

function startsLikeRecord(fd: number, length: number): boolean {
  const start = '{"event":';
  const text = new TextDecoder().decode(readBytes(fd, 0, Math.min(length, start.length)));
  return start.startsWith(text);
}

function readBytes(fd: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let read = 0;
  while (read < length) {
    const count = readSync(fd, bytes, read, length - read, position + read);
    if (count === 0) break;
    read += count;
  }
  return bytes.subarray(0, read);
}

/** Makes the name of a new file as durable as its content. Some systems cannot sync a directory, and need not. */
function syncDirectory(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return;
  }
  try {
    fsyncSync(fd);
  } catch {
    // As above.
  } finally {
    closeSync(fd);
  }
}

import * as fs from "node:fs";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { identityOf, takeForWriting } from "./identity.js";
import { decodeLine, MAX_LINE_BYTES } from "./read-lines.js";

/** When a line counts as kept: when the disk has it, or when the operating system has it. */
export type FsyncPolicy = "always" | "never";

/** What is called for every line. Tests put failing ones in. */
export interface FileCalls {
  write(fd: number, bytes: Uint8Array): Promise<{ bytesWritten: number }>;
  fsync(fd: number): Promise<void>;
}

const NODE_CALLS: FileCalls = {
  write: promisify(fs.write) as unknown as FileCalls["write"],
  fsync: promisify(fs.fsync),
};

const closeFile = promisify(fs.close);
const encoder = new TextEncoder();
const NEW_LINE = 0x0a;
const CHUNK = 65_536;

const FLAGS = { append: "a+", create: "ax+", read: "r" } as const;

interface LineFileOptions {
  readonly to: keyof typeof FLAGS;
  readonly fsync: FsyncPolicy;
  readonly calls?: FileCalls;
}

/** A file of lines with one writer, which appends. */
export class LineFile {
  readonly path: string;
  /** The same from wherever the process works by then. */
  readonly #place: string;
  readonly #identity: string | undefined;
  readonly #fd: number;
  readonly #fsync: FsyncPolicy;
  readonly #calls: FileCalls;
  #size: number;
  /** How much of the end goes before the next line comes. */
  #tornBytes = 0;
  /** Lets others in this process write it. */
  readonly giveUp: () => void;

  /**
   * Opens a file to `append` to it, creating it for its owner alone where there is none; to `create` it, where there must be none;
   * or to `read` it.
   * @throws what opening it throws, and when this process writes it already
   */
  constructor(path: string, { to, fsync, calls = NODE_CALLS }: LineFileOptions) {
    this.path = path;
    this.#place = resolve(path);
    this.#fsync = fsync;
    this.#calls = calls;
    this.#fd = fs.openSync(path, FLAGS[to], 0o600);
    let giveUp = () => {};
    try {
      const stat = fs.fstatSync(this.#fd, { bigint: true });
      this.#size = Number(stat.size);
      this.#identity = identityOf(stat);
      if (to !== "read") giveUp = takeForWriting(stat, path);
      if (fsync === "always") {
        // What is there may have been written by somebody who died before it was durable.
        fs.fsyncSync(this.#fd);
        if (this.#size === 0) syncDirectory(dirname(path));
      }
    } catch (error) {
      giveUp();
      fs.closeSync(this.#fd);
      throw error;
    }
    this.giveUp = giveUp;
  }

  /** Without what is to go. */
  get size(): number {
    return this.#size - this.#tornBytes;
  }

  /**
   * One write and, by the policy, one fsync. After one that failed the file may end in half a line.
   * @throws when the file is no longer the one under its name, also if it has only just been replaced: nobody would find the lines
   */
  async append(lines: readonly string[]): Promise<void> {
    const bytes = encoder.encode(`${lines.join("\n")}\n`);
    if (bytes.length > MAX_LINE_BYTES) for (const line of lines) mustBeReadable(line);
    this.trim();
    const { bytesWritten } = await this.#calls.write(this.#fd, bytes);
    // Half a line stays behind, as after a crash: it is cut off when the file is opened again.
    if (bytesWritten !== bytes.length) throw new Error(`only ${bytesWritten} of ${bytes.length} bytes were written`);
    this.#size += bytes.length;
    if (this.#fsync === "always") await this.#calls.fsync(this.#fd);
    this.#mustBeInPlace();
  }

  /** The last whole line, without its end, and what follows it: how many bytes, and the text of as many as a line may have. */
  tail(): { line: string | undefined; tornBytes: number; torn: string } {
    const end = this.#lineEndBefore(this.#size);
    const tornBytes = this.#size - end;
    const torn = decodeLine(this.#read(end, Math.min(tornBytes, MAX_LINE_BYTES)));
    if (end === 0) return { line: undefined, tornBytes, torn };
    const start = this.#lineEndBefore(end - 1);
    return { line: decodeLine(this.#read(start, end - 1 - start)), tornBytes, torn };
  }

  /** The whole lines in the last `maxBytes` before a torn end. */
  lastLines(maxBytes: number): string[] {
    const end = this.#lineEndBefore(this.#size);
    const from = Math.max(0, end - maxBytes);
    const bytes = this.#read(from, end - from);
    const start = from === 0 ? 0 : bytes.indexOf(NEW_LINE) + 1;
    return decodeLine(bytes.subarray(start)).split("\n").slice(0, -1);
  }

  /** The first bytes as text. */
  start(length: number): string {
    return decodeLine(this.#read(0, Math.min(length, this.#size)));
  }

  /** Has the last bytes cut off before the next line comes. Until then somebody else may be writing them. */
  cutLater(bytes: number): void {
    this.#tornBytes = bytes;
  }

  /**
   * Cuts off what is to go.
   * @throws when the file is not what it was
   */
  trim(): void {
    this.#mustBeInPlace();
    if (fs.fstatSync(this.#fd).size !== this.#size) throw new Error(`something else writes to ${this.path}`);
    if (this.#tornBytes === 0) return;
    fs.ftruncateSync(this.#fd, this.size);
    this.#size = this.size;
    this.#tornBytes = 0;
    if (this.#fsync === "always") fs.fsyncSync(this.#fd);
  }

  async close(): Promise<void> {
    try {
      await closeFile(this.#fd);
    } finally {
      this.giveUp();
    }
  }

  closeSync(): void {
    this.giveUp();
    fs.closeSync(this.#fd);
  }

  #mustBeInPlace(): void {
    if (isAt(this.#place, this.#identity) ?? fs.fstatSync(this.#fd).nlink > 0) return;
    throw new Error(`${this.path} was deleted, moved or replaced while it was written`);
  }

  /** Where the last line that ends before `end` ends; 0 for none. */
  #lineEndBefore(end: number): number {
    for (let to = end; to > 0; to -= CHUNK) {
      const from = Math.max(0, to - CHUNK);
      const index = this.#read(from, to - from).lastIndexOf(NEW_LINE);
      if (index >= 0) return from + index + 1;
    }
    return 0;
  }

  #read(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let read = 0;
    while (read < length) {
      const count = fs.readSync(this.#fd, bytes, read, length - read, position + read);
      if (count === 0) break;
      read += count;
    }
    return bytes.subarray(0, read);
  }
}

/** Whether it is this file that has the name; undefined when the name cannot be looked at, such as after a change of the user. */
function isAt(place: string, identity: string | undefined): boolean | undefined {
  try {
    const found = fs.statSync(place, { bigint: true, throwIfNoEntry: false });
    return found !== undefined && identityOf(found) === identity;
  } catch {
    return undefined;
  }
}

function mustBeReadable(line: string): void {
  const { length } = encoder.encode(`${line}\n`);
  if (length > MAX_LINE_BYTES) throw new Error(`a line of ${length} bytes is more than anybody would read`);
}

/** Makes the name of a new file as durable as its content. Some systems cannot sync a directory, and need not. */
function syncDirectory(path: string): void {
  let fd: number;
  try {
    fd = fs.openSync(path, "r");
  } catch {
    return;
  }
  try {
    fs.fsyncSync(fd);
  } catch {
    // As above.
  } finally {
    fs.closeSync(fd);
  }
}

import { readFile } from "node:fs/promises";
import { journalFiles, readJournalFile } from "@eoc/trace/node";
import { readSqliteJournal } from "./store/sqlite-journal.js";
import { isStoreAddress, parseStoreAddress } from "./store/store-address.js";
import { UsageError } from "./usage-error.js";

/** What a command needs of its process; `process` itself will do. */
export interface CliIo {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown };
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Loads a package that is installed or not: stores and their drivers. @defaultValue `import` */
  readonly load?: (name: string) => Promise<unknown>;
  /** What the system calls whoever runs this; asked where `env` does not say, and may throw. @defaultValue `os.userInfo()` */
  readonly userName?: () => string;
}

/** Colours are for terminals, and never for who asked for none (`NO_COLOR`). */
export function wantsColour({ stdout, env }: CliIo): boolean {
  return stdout.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}

/** The whole of a file; `-` is standard input. @throws UsageError when it cannot be read */
export async function readText(file: string, io: CliIo): Promise<string> {
  if (file !== "-") return orUsage(file, () => readFile(file, "utf8"));
  let text = "";
  for await (const part of decoded(io.stdin)) text += part;
  return text;
}

async function* decoded(chunks: AsyncIterable<string | Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  for await (const chunk of chunks) yield typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** The value in a JSON file. @throws UsageError */
export async function readJson(file: string, io: CliIo): Promise<unknown> {
  const text = await readText(file, io);
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${file}: it is not JSON`);
  }
}

/** The lines of journals' files, and which of them a line is in. */
export interface JournalLines {
  readonly lines: AsyncIterable<string>;
  /** `file:line` of a line that has been read, counted through all files. */
  placeOf(line: number): string;
}

/** How every SQLite file begins. */
const SQLITE_HEADER = "SQLite format 3\0";

/** Which journal of a store is meant, for who reads journals. */
export const JOURNAL_OPTION = { journal: { type: "string" } } as const;

/** The same, for the help. */
export const JOURNAL_HELP = `      --journal NAME       of sqlite:PATH, which journal (default: main)
`;

/**
 * The files as one journal, in their order, each followed by those that it was rotated into; in little memory.
 * Reading throws a UsageError where one cannot be read.
 * @param journal which one of a store
 */
export function readJournals(names: readonly string[], io: CliIo, journal?: string): JournalLines {
  const starts: { file: string; before: number }[] = [];
  const files = [...new Set(names.flatMap(withRotated))];
  if (journal !== undefined && !files.some(isStoreAddress)) throw new UsageError("--journal means nothing for a file");

  async function* read() {
    let count = 0;
    for (const file of files) {
      starts.push({ file, before: count });
      const lines = linesOf(file, io, journal);
      for (let next = await orUsage(file, () => lines.next()); !next.done; ) {
        count++;
        yield next.value;
        next = await orUsage(file, () => lines.next());
      }
    }
  }

  return {
    lines: read(),
    placeOf(line) {
      const start = starts.findLast(({ before }) => before < line) ?? { file: files[0] ?? "", before: 0 };
      return `${start.file}:${line - start.before}`;
    },
  };
}

async function* linesOf(file: string, io: CliIo, journal = "main"): AsyncGenerator<string, void, undefined> {
  if (isStoreAddress(file)) {
    const address = parseStoreAddress(file);
    if (address.kind !== "sqlite")
      throw new UsageError(`${address.kind} keeps no journals: give a file, or sqlite:PATH`);
    yield* readSqliteJournal(address, journal, io);
    return;
  }
  for await (const line of readJournalFile(file === "-" ? io.stdin : file)) {
    if (line.startsWith(SQLITE_HEADER)) {
      const how = file === "-" ? "sqlite: and its path" : `sqlite:${file}`;
      throw new UsageError(`${file}: it is a SQLite database: for a journal in it give ${how}`);
    }
    yield line;
  }
}

function withRotated(name: string): string[] {
  if (name === "-" || isStoreAddress(name)) return [name];
  try {
    const files = journalFiles(name);
    return files.length === 0 ? [name] : files;
  } catch {
    return [name]; // Reading it says what is wrong.
  }
}

/** @throws UsageError for what the system says against reading a file */
export async function orUsage<T>(file: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code !== "string") throw error;
    throw new UsageError(`${file}: it cannot be read (${code})`);
  }
}

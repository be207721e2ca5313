import { journalFiles } from "./file/parts.js";
import { readLines, splitLines } from "./file/read-lines.js";

export { type CheckpointFile, createCheckpointFile, readCheckpointFile } from "./file/checkpoint-file.js";
export { createEd25519Signer, createEd25519Verifier } from "./file/ed25519.js";
export { createFileSink, type FileSink, type FileSinkOptions } from "./file/file-sink.js";
export type { FsyncPolicy } from "./file/line-file.js";
export { journalFiles } from "./file/parts.js";

/**
 * The lines of one file, or of a stream such as `process.stdin`, each with its end, in little memory: for `verifyJournal`. Ends
 * lines at `\n` alone, as JSON lines do; a last line without an end comes without. A line that is not UTF-8, or has more than 16 MiB,
 * is given so that it passes for no record.
 */
export function readJournalFile(
  source: string | AsyncIterable<Uint8Array | string>,
): AsyncGenerator<string, void, undefined> {
  return typeof source === "string" ? readLines(source) : splitLines(source);
}

/** The lines of a journal, through all the files that it was rotated into; see {@link readJournalFile}. */
export async function* readJournal(path: string): AsyncGenerator<string, void, undefined> {
  const files = journalFiles(path);
  // Where there is none, reading it says so.
  for (const file of files.length === 0 ? [path] : files) yield* readLines(file);
}

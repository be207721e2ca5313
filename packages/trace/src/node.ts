import { readLines } from "./file/line-file.js";
import { journalFiles } from "./file/parts.js";

export { type CheckpointFile, createCheckpointFile, readCheckpointFile } from "./file/checkpoint-file.js";
export { createEd25519Signer, createEd25519Verifier } from "./file/ed25519.js";
export { createFileSink, type FileSink, type FileSinkOptions } from "./file/file-sink.js";
export type { FsyncPolicy } from "./file/line-file.js";
export { journalFiles } from "./file/parts.js";

/**
 * The lines of one file, each with its end, in little memory: for `verifyJournal`. Ends lines at `\n` alone, as JSON lines do; a
 * last line without an end comes without.
 */
export function readJournalFile(path: string): AsyncGenerator<string, void, undefined> {
  return readLines(path);
}

/** The lines of a journal, through all the files that it was rotated into; see {@link readJournalFile}. */
export async function* readJournal(path: string): AsyncGenerator<string, void, undefined> {
  const files = journalFiles(path);
  // Where there is none, reading it says so.
  for (const file of files.length === 0 ? [path] : files) yield* readLines(file);
}

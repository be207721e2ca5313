import { checkOptionNames } from "@eoc/core";
import { checkWord } from "../check-option.js";
import { type JournalCheckpoint, parseCheckpoint } from "../checkpoints.js";
import type { JournalSink } from "../jsonl-journal.js";
import { type FsyncPolicy, LineFile } from "./line-file.js";
import { readLines } from "./read-lines.js";

/** A file of checkpoints, for the `sink` of a journal's `checkpoints`. */
export interface CheckpointFile extends Pick<JournalSink, "append"> {
  append(line: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a file of checkpoints for appending, or creates it for its owner alone (mode 0600). Half a line at its end, which a crash
 * leaves behind, is cut off. One writer. An append fails when the file was deleted, moved or replaced.
 *
 * @throws EocError `invalid_option`; what opening the file throws, when this process has it open already, and TypeError when its last line is
 * no checkpoint
 */
export function createCheckpointFile(
  path: string,
  options: { /** @defaultValue "always" */ fsync?: FsyncPolicy } = {},
): CheckpointFile {
  checkOptionNames(options, { fsync: true });
  const { fsync = "always" } = options;
  checkWord("fsync", fsync, ["always", "never"]);
  const file = new LineFile(path, { to: "append", fsync });
  try {
    const { line, tornBytes } = file.tail();
    if (line !== undefined) parse(line, `the last line of ${path}`);
    // A file that never had a line end may be anything; only the start of a checkpoint is ours to cut.
    else if (!START.startsWith(file.start(START.length))) throw new TypeError(`${path} is not a file of checkpoints`);
    if (tornBytes > 0) file.cutLater(tornBytes);
  } catch (error) {
    file.closeSync();
    throw error;
  }
  return { append: (line) => file.append([line]), close: () => file.close() };
}

/**
 * The checkpoints in a file, one after the other; a last line without its end is left out. For `verifyJournal`.
 * @throws TypeError when a line is no checkpoint
 */
export async function* readCheckpointFile(path: string): AsyncGenerator<JournalCheckpoint, void, undefined> {
  let number = 0;
  for await (const line of readLines(path)) {
    number++;
    if (!line.endsWith("\n")) return;
    yield parse(line, `line ${number} of ${path}`);
  }
}

/** How every checkpoint begins in its canonical form. */
const START = '{"atMs":';

function parse(line: string, name: string): JournalCheckpoint {
  try {
    return parseCheckpoint(line);
  } catch (cause) {
    throw new TypeError(`${name} is not a journal's checkpoint`, { cause });
  }
}

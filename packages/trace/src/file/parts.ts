import { readdirSync } from "node:fs";
import { basename, dirname } from "node:path";

/*
 * A journal that is rotated goes on in files of its own: `journal.jsonl`, `journal.jsonl.000001`, `journal.jsonl.000002` …
 * No file is ever renamed, so that there is no moment at which a crash leaves a journal without its end.
 */

const DIGITS = 6;

/**
 * The files of a journal that are there, in their order. The first ones may have been moved away.
 * @throws what reading the folder throws
 */
export function journalFiles(path: string): string[] {
  const name = basename(path);
  return readdirSync(dirname(path))
    .filter((file) => file.startsWith(name))
    .map((file) => file.slice(name.length))
    .filter((suffix) => partOf(suffix) !== undefined)
    .sort((a, b) => partOf(a)! - partOf(b)!)
    .map((suffix) => path + suffix);
}

/** The file after `current`, which is one of the files of `path`. */
export function fileAfter(path: string, current: string): string {
  const part = partOf(current.slice(path.length)) ?? 0;
  return `${path}.${String(part + 1).padStart(DIGITS, "0")}`;
}

/** 0 for the first file; undefined for a file of another kind. */
function partOf(suffix: string): number | undefined {
  if (suffix === "") return 0;
  return /^\.\d{6,}$/.test(suffix) && Number(suffix.slice(1)) > 0 ? Number(suffix.slice(1)) : undefined;
}

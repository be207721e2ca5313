import { readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";

/** Of open flags: what says whether there is writing (0 is reading alone). */
const ACCESS_MODE = 3;

/**
 * Another process that has `path` open for writing, where the system says so: on Linux, of processes that this one may look into. It
 * is known and not guessed, and nothing is left behind by who was killed.
 */
export function otherWriterOf(path: string): number | undefined {
  const file = realpathSync(path);
  for (const name of entriesOf("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    for (const fd of entriesOf(`/proc/${pid}/fd`)) if (isWriting(pid, fd, file)) return pid;
  }
  return undefined;
}

function isWriting(pid: number, fd: string, file: string): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/fd/${fd}`) !== file) return false;
    const [, flags = "0"] = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8")) ?? [];
    return (Number.parseInt(flags, 8) & ACCESS_MODE) !== 0;
  } catch {
    return false; // It has been closed.
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Another system, somebody else's process, or one that has ended.
  }
}

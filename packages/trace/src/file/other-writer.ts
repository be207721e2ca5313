import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename } from "node:path";
import { identityOf } from "./identity.js";

/** Of open flags: what says whether there is writing (0 is reading alone). */
const ACCESS_MODE = 3;

/**
 * Another process that has `path` open for writing, where the system says so: on Linux, of processes that this one may look into. It
 * is known and not guessed, and nothing is left behind by who was killed.
 */
export function otherWriterOf(path: string): number | undefined {
  const name = basename(realpathSync(path));
  const stat = statSync(path, { bigint: true });
  // A file with one name has it in every folder that it is mounted to.
  const sought = { identity: identityOf(stat), name: stat.nlink > 1n ? undefined : name };
  for (const entry of entriesOf("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    for (const fd of entriesOf(`/proc/${pid}/fd`)) if (isWriting(pid, fd, sought)) return pid;
  }
  return undefined;
}

interface Sought {
  readonly identity: string | undefined;
  /** Undefined when it may be open under another one. */
  readonly name: string | undefined;
}

function isWriting(pid: number, fd: string, { identity, name }: Sought): boolean {
  const link = `/proc/${pid}/fd/${fd}`;
  try {
    // First by what costs no look at a file, which may be on a server that hangs.
    if (name !== undefined && basename(readlinkSync(link)) !== name) return false;
    if (identityOf(statSync(link, { bigint: true })) !== identity) return false;
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

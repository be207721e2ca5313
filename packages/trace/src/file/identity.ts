import type { BigIntStats } from "node:fs";

/** What a file is, whatever its names; undefined where its system does not tell one from another. */
export function identityOf({ dev, ino }: BigIntStats): string | undefined {
  return ino === 0n ? undefined : `${dev}:${ino}`;
}

/** The files that this process writes, in no other thread of it. */
const written = new Set<string>();

/** Takes a file for one writer of this process. Returns how to give it up. @throws when another has it */
export function takeForWriting(stat: BigIntStats, path: string): () => void {
  const identity = identityOf(stat);
  // Of devices there may be several.
  if (identity === undefined || !stat.isFile()) return () => {};
  if (written.has(identity)) throw new Error(`this process writes ${path} already: close it before it is opened again`);
  written.add(identity);
  let isTaken = true;
  return () => {
    if (isTaken) written.delete(identity);
    isTaken = false;
  };
}

/** How every record ends in its canonical form. */
const END = /"hash":"([0-9a-f]{64})","prev":"([0-9a-f]{64})","seq":\d+,"v":\d+\}$/;

/** More than the end of a record is long. */
const END_LENGTH = 220;

/**
 * The hash of the last of `lines`, of which each follows the one before, the first `last`. Of what is no record nothing is asked, and
 * neither is anything of what comes after it.
 * @param last undefined where it is not known
 * @throws when a record follows another one
 */
export function hashAfter(last: string | undefined, lines: readonly string[]): string | undefined {
  let before = last;
  for (const line of lines) {
    const [, hash, prev] = END.exec(line.slice(-END_LENGTH)) ?? [];
    if (before !== undefined && prev !== undefined && prev !== before)
      throw new Error("the record does not follow the last one: another journal is written to this file");
    before = hash;
  }
  return before;
}

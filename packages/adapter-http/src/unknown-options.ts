/** One option that is wrong, by its path. */
export interface WrongOption {
  readonly path: string;
  readonly expected: string;
}

/** An entry for every member of `options` that is not among `known`: a limit whose name is misspelt would otherwise be none. */
export function unknownOptions(
  options: unknown,
  known: Readonly<Record<string, true>>,
  prefix: "" | `${string}.` = "",
): WrongOption[] {
  if (typeof options !== "object" || options === null) return [];
  return Object.keys(options)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => ({ path: `${prefix}${name}`, expected: `one of ${Object.keys(known).join(", ")}` }));
}

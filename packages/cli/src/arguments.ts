import { type ParseArgsConfig, type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { UsageError } from "./usage-error.js";

type Parsed<T extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>>;

/**
 * The options of a command and its other arguments: each of those that are named, such as `STORE`, else a file or more.
 * @throws UsageError
 */
export function readArguments<const T extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: T,
  { names, atMost = names?.length }: { names?: readonly string[]; atMost?: number } = {},
): { values: Parsed<T>["values"]; files: string[] } {
  let parsed: Parsed<T>;
  try {
    const config = { args: [...argv], options, allowPositionals: true } satisfies ParseArgsConfig;
    parsed = parseArgs(config) as Parsed<T>;
  } catch (error) {
    // The first sentence says it, or lines that belong together.
    const complaint = (error as Error).message.split(". ")[0]!.replaceAll("\n", " ");
    throw new UsageError(`${complaint} (see --help)`);
  }
  const { values, positionals } = parsed;
  const missing = (names ?? ["a file"]).slice(positionals.length);
  if (missing.length > 0) {
    throw new UsageError(`${listed(missing)} ${missing.length > 1 ? "are" : "is"} missing (see --help)`);
  }
  if (atMost !== undefined && positionals.length > atMost) {
    throw new UsageError(`${positionals[atMost]} is one ${names === undefined ? "file " : ""}too many (see --help)`);
  }
  return { values, files: positionals };
}

function listed(names: readonly string[]): string {
  return [names.slice(0, -1).join(", "), ...names.slice(-1)].filter((part) => part !== "").join(" and ");
}

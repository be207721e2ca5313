import { type ParseArgsConfig, type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { UsageError } from "./usage-error.js";

type Parsed<T extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>>;

/** The options and files of a command. @throws UsageError */
export function readArguments<const T extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: T,
  files: { what?: string; atLeast: number; atMost?: number },
): { values: Parsed<T>["values"]; files: string[] } {
  let parsed: Parsed<T>;
  try {
    const config = { args: [...argv], options, allowPositionals: true } satisfies ParseArgsConfig;
    parsed = parseArgs(config) as Parsed<T>;
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(". ")[0]} (see --help)`);
  }
  const { values, positionals } = parsed;
  const { what, atLeast, atMost = Number.POSITIVE_INFINITY } = files;
  if (positionals.length < atLeast) {
    throw new UsageError(
      `${what === undefined ? "a file is" : `${what} ${atLeast > 1 ? "are" : "is"}`} missing (see --help)`,
    );
  }
  if (positionals.length > atMost) {
    throw new UsageError(`${positionals[atMost]} is one ${what === undefined ? "file " : ""}too many (see --help)`);
  }
  return { values, files: positionals };
}

import type { ExitCode } from "../exit-code.js";
import type { CliIo } from "../io.js";

/** One command: a file of its own in this folder, and a line in `index.ts`. */
export interface Command {
  /** The words that call it, such as `verify` or `policy check`. */
  readonly name: string;
  /** What it takes, does and prints, as the help shows it: indented by two, in 80 columns. */
  readonly help: string;
  /** Runs it with the arguments after its name. @throws UsageError */
  run(argv: readonly string[], io: CliIo): Promise<ExitCode>;
}

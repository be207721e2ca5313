import { explain } from "./commands/explain.js";
import { intents } from "./commands/intents.js";
import { checkPolicy } from "./commands/policy-check.js";
import { timeline } from "./commands/timeline.js";
import { verify } from "./commands/verify.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { HELP } from "./help.js";
import type { CliIo } from "./io.js";
import { printable } from "./printable.js";
import { UsageError } from "./usage-error.js";

type Command = (argv: readonly string[], io: CliIo) => Promise<ExitCode>;

const COMMANDS: Readonly<Record<string, Command>> = { verify, intents, timeline, explain, policy };

/** Runs one command and gives its exit code. Rejects only for a defect of its own. */
export async function main(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const [name, ...rest] = argv;
  try {
    if (name === "help" || argv.includes("--help") || argv.includes("-h")) {
      io.stdout.write(HELP);
      return EXIT.ok;
    }
    if (name === undefined) throw new UsageError("a command is missing (see eoc --help)");
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) throw new UsageError(`${name}: there is no such command (see eoc --help)`);
    return await command(rest, io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`eoc: ${printable(error.message)}\n`);
    return EXIT.usage;
  }
}

async function policy([action, ...rest]: readonly string[], io: CliIo): Promise<ExitCode> {
  if (action !== "check") throw new UsageError("policy knows only: policy check FILE (see eoc --help)");
  return checkPolicy(rest, io);
}

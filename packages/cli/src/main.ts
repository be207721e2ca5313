import { version } from "../package.json";
import type { Command } from "./commands/command.js";
import { COMMANDS } from "./commands/index.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { helpFor } from "./help.js";
import type { CliIo } from "./io.js";
import { printable } from "./printable.js";
import { UsageError } from "./usage-error.js";

/** Runs one command and gives its exit code. Rejects only for a defect of its own. */
export async function main(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  try {
    if (argv[0] === "help" || argv.includes("--help") || argv.includes("-h")) {
      const end = argv.findIndex((word, index) => index > 0 && word.startsWith("-"));
      const words = argv.slice(argv[0] === "help" ? 1 : 0, end < 0 ? undefined : end);
      io.stdout.write(helpFor(commandOf(words)?.name.split(" ") ?? words));
      return EXIT.ok;
    }
    if (argv[0] === "--version") {
      io.stdout.write(`${version}\n`);
      return EXIT.ok;
    }
    const command = commandOf(argv);
    if (command === undefined) throw new UsageError(`${complaintOf(argv)} (see eoc --help)`);
    return await command.run(argv.slice(command.name.split(" ").length), io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`eoc: ${printable(error.message)}\n`);
    return EXIT.usage;
  }
}

function commandOf(argv: readonly string[]): Command | undefined {
  return COMMANDS.find(({ name }) => name.split(" ").every((word, index) => word === argv[index]));
}

function complaintOf([first]: readonly string[]): string {
  if (first === undefined) return "a command is missing";
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length === 0) return `${first}: there is no such command`;
  return `${first} knows only: ${group.map(({ name }) => name.slice(first.length + 1)).join(", ")}`;
}

import { explainReport } from "@eoc/trace";
import { readArguments } from "../arguments.js";
import { type ExitCode, exitCodeOf, worstOf } from "../exit-code.js";
import { type CliIo, readText } from "../io.js";
import { parseReports } from "../report/parse-report.js";
import type { Command } from "./command.js";

/** `eoc explain`: reports in plain sentences. */
export const explain: Command = {
  name: "explain",
  help: `  eoc explain FILE       a report, or one report a line, in plain sentences
`,
  run,
};

async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const { files } = readArguments(argv, {} as const, { atMost: 1 });
  const file = files[0]!;
  const reports = parseReports(await readText(file, io), file);
  io.stdout.write(reports.map(explainReport).join("\n"));
  return worstOf(reports.map(exitCodeOf));
}

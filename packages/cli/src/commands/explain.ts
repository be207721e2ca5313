import type { ExecutionReport } from "@eoc/core";
import { explainReport, reportToDict } from "@eoc/trace";
import { readArguments } from "../arguments.js";
import { type ExitCode, exitCodeOf, worstOf } from "../exit-code.js";
import { type CliIo, readText } from "../io.js";
import { parseReports } from "../report/parse-report.js";
import type { Command } from "./command.js";

/** `eoc explain`: reports in plain sentences. */
export const explain: Command = {
  name: "explain",
  help: `  eoc explain FILE       a report, or one report a line, in plain sentences
      --json               as a list: every report in its wire form, with its
                           sentences as explanation
`,
  run,
};

async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const options = { json: { type: "boolean" } } as const;
  const { values, files } = readArguments(argv, options, { atMost: 1 });
  const file = files[0]!;
  const reports = parseReports(await readText(file, io), file);
  io.stdout.write(values.json ? asJson(reports) : reports.map(explainReport).join("\n"));
  return worstOf(reports.map(exitCodeOf));
}

function asJson(reports: readonly ExecutionReport[]): string {
  const explained = reports.map((report) => ({ ...reportToDict(report), explanation: explainReport(report) }));
  return `${JSON.stringify(explained, null, 2)}\n`;
}

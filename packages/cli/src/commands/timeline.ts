import type { ExecutionReport } from "@eoc/core";
import { type JournalEvent, type JournalRecord, renderTimeline, type TimelineFormat } from "@eoc/trace";
import { readArguments } from "../arguments.js";
import { EXIT, type ExitCode } from "../exit-code.js";
import { type CliIo, JOURNAL_HELP, JOURNAL_OPTION, type JournalLines, readJournals, wantsColour } from "../io.js";
import { parseReports } from "../report/parse-report.js";
import { UsageError } from "../usage-error.js";
import type { Command } from "./command.js";

const OPTIONS = { ...JOURNAL_OPTION, format: { type: "string" }, execution: { type: "string" } } as const;
const FORMATS: readonly string[] = ["text", "ansi", "mermaid", "svg"] satisfies readonly TimelineFormat[];

/** `eoc timeline`: what happened, drawn from a journal or from reports. */
export const timeline: Command = {
  name: "timeline",
  help: `  eoc timeline FILE...   what happened, drawn from a journal or a report
      --format FORMAT      text, ansi, mermaid or svg (default: ansi on a
                           terminal, else text)
      --execution ID       that one execution only
${JOURNAL_HELP}`,
  run,
};

async function run(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const { values, files } = readArguments(argv, OPTIONS);
  const format = values.format ?? (wantsColour(io) ? "ansi" : "text");
  if (!FORMATS.includes(format)) throw new UsageError(`--format must be one of ${FORMATS.join(", ")}`);
  const { events, rest, damaged } = await readSource(readJournals(files, io, values.journal), values.execution);
  const options = { format: format as TimelineFormat };
  if (events !== undefined) {
    io.stdout.write(renderTimeline(notEmpty(events, values.execution), options));
    if (damaged === 0) return EXIT.ok;
    io.stderr.write(`eoc: ${damaged} of its lines are no records: see eoc verify\n`);
    return EXIT.failed;
  }
  const reports = parseReports(rest, files[0]!).filter(
    ({ executionId }: ExecutionReport) => values.execution === undefined || executionId === values.execution,
  );
  if (reports.length > 1 && (format === "svg" || format === "mermaid")) {
    throw new UsageError(`${format} shows one report: choose it with --execution`);
  }
  io.stdout.write(
    notEmpty(reports, values.execution)
      .map((report) => renderTimeline(report, options))
      .join("\n"),
  );
  return EXIT.ok;
}

interface Source {
  /** Of a journal. */
  events?: JournalEvent[];
  /** The text of anything else. */
  rest: string;
  /** Lines of a journal that are no records, but for half a line at its end. */
  damaged: number;
}

async function readSource(journal: JournalLines, execution: string | undefined): Promise<Source> {
  const source: Source = { rest: "", damaged: 0 };
  let isTorn = false;
  for await (const line of journal.lines) {
    const event = eventOf(line);
    if (source.rest === "" && event !== undefined) source.events ??= [];
    if (source.events === undefined) source.rest += line;
    else if (event === undefined) {
      isTorn = !line.endsWith("\n");
      if (line.trim() !== "") source.damaged++;
    } else if (execution === undefined || ("executionId" in event && event.executionId === execution)) {
      source.events.push(event);
    }
  }
  if (isTorn) source.damaged--;
  return source;
}

function eventOf(line: string): JournalEvent | undefined {
  try {
    const { event, seq } = JSON.parse(line) as Partial<JournalRecord>;
    return typeof seq === "number" && typeof event?.type === "string" ? event : undefined;
  } catch {
    return undefined;
  }
}

function notEmpty<T>(found: T[], execution: string | undefined): T[] {
  if (found.length > 0) return found;
  throw new UsageError(execution === undefined ? "there is nothing to draw" : `there is no execution ${execution}`);
}

import { checkOptionNames, type ExecutionReport } from "@eoc/core";
import { checkWord } from "../check-option.js";
import { checkReport } from "../check-report.js";
import type { JournalEvent } from "../journal-record.js";
import { byExecution } from "./by-execution.js";
import { timelineFromEvents } from "./from-events.js";
import { timelineFromReport } from "./from-report.js";
import { renderMermaid } from "./mermaid.js";
import { renderSvg } from "./svg.js";
import { type Paint, renderText } from "./text.js";
import type { Timeline } from "./timeline.js";

/** `ansi` is `text` with colours, which never say anything that the words do not. */
export type TimelineFormat = "text" | "ansi" | "mermaid" | "svg";

const CODES: Readonly<Record<Parameters<Paint>[0], string>> = {
  applied: "32",
  not_applied: "33",
  unknown: "1;35",
  denied: "31",
  skipped: "2",
  waiting: "2",
  dim: "2",
  bold: "1",
};

const plain: Paint = (_tone, text) => text;
const coloured: Paint = (tone, text) => (text === "" ? "" : `\u001b[${CODES[tone]}m${text}\u001b[0m`);

const RENDERERS: Readonly<Record<TimelineFormat, (timelines: readonly Timeline[]) => string>> = {
  text: (timelines) => timelines.map((timeline) => renderText(timeline, plain)).join("\n"),
  ansi: (timelines) => timelines.map((timeline) => renderText(timeline, coloured)).join("\n"),
  mermaid: renderMermaid,
  svg: renderSvg,
};

/**
 * What happened, as a picture: a line with a bar to scale for every attempt, wait and halt, with its times in milliseconds and its
 * outcome in words. Events of several executions give one picture each, below one another; no events give the empty string.
 *
 * Events show waits with their cause, reconciliation and late answers; a report shows only what it knows. What became of a doubt is
 * shown where the events say so, also those of a later execution that found its key in doubt. Text has at most 80 columns. `mermaid` is a Gantt chart for Markdown. `svg` is a whole file without scripts, fonts or anything else from outside,
 * for light and dark pages.
 *
 * @throws EocError `invalid_option`, also for what is no report, and for what is no event, such as a line or a record of a journal
 */
export function renderTimeline(
  source: ExecutionReport | Iterable<JournalEvent>,
  options: { /** @defaultValue "text" */ format?: TimelineFormat } = {},
): string {
  checkOptionNames(options, { format: true });
  const { format = "text" } = options;
  checkWord("format", format, Object.keys(RENDERERS));
  const timelines = isIterable(source)
    ? byExecution(source).map(({ events, keysFound }) => timelineFromEvents(events, keysFound))
    : [timelineOf(source)];
  return timelines.length === 0 ? "" : RENDERERS[format](timelines);
}

function isIterable(source: object): source is Iterable<JournalEvent> {
  return typeof source === "object" && source !== null && Symbol.iterator in source;
}

function timelineOf(report: ExecutionReport): Timeline {
  checkReport(report);
  return timelineFromReport(report);
}

import type { ExecutionEvent, ExecutionReport } from "@eoc/core";
import type { JournalEvent } from "../journal-record.js";
import { timelineFromEvents } from "./from-events.js";
import { timelineFromReport } from "./from-report.js";
import { type Paint, renderText } from "./text.js";

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

/**
 * What happened, as a picture of at most 80 columns: a line with a bar to scale for every attempt, wait and halt, with its times in
 * milliseconds and its outcome in words. Events of several executions give one picture each.
 *
 * Events show waits with their cause, reconciliation and late answers; a report shows only what it knows. `ansi` is `text` with
 * colours, which never say anything that the words do not.
 */
export function renderTimeline(
  source: ExecutionReport | Iterable<JournalEvent>,
  options: { /** @defaultValue "text" */ format?: "text" | "ansi" } = {},
): string {
  const { format = "text" } = options;
  if (format !== "text" && format !== "ansi") throw new TypeError('format must be "text" or "ansi"');
  const paint = format === "ansi" ? coloured : plain;
  if (!(Symbol.iterator in source)) return renderText(timelineFromReport(source), paint);
  return [...byExecution(source).values()].map((events) => renderText(timelineFromEvents(events), paint)).join("\n");
}

function byExecution(events: Iterable<JournalEvent>): Map<string, ExecutionEvent[]> {
  const executions = new Map<string, ExecutionEvent[]>();
  for (const event of events) {
    if (!("executionId" in event)) continue; // A journal's own record.
    const before = executions.get(event.executionId);
    if (before === undefined) executions.set(event.executionId, [event]);
    else before.push(event);
  }
  return executions;
}

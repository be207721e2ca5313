import { columns, cutTo, printable } from "./printable.js";
import type { Lane, Span, Timeline, Tone } from "./timeline.js";

/** How Mermaid draws a task. It has no sign for what is unknown: the words say it. */
const TAGS: Readonly<Record<Tone, string>> = {
  applied: "done, ",
  not_applied: "",
  unknown: "crit, ",
  denied: "crit, ",
  skipped: "",
  waiting: "active, ",
};

const MAX_SECTION = 32;
const MAX_TITLE = 40;
const MAX_TASK = 60;

/** Timelines as one Mermaid Gantt chart, in milliseconds since the start of each. */
export function renderMermaid(timelines: readonly Timeline[]): string {
  const several = timelines.length > 1;
  const sections = timelines.flatMap((timeline, index) => [
    ...timeline.lanes.map((lane) => ({
      name: several ? `${index + 1} / ${lane.title}` : lane.title,
      tasks: [...lane.spans.filter(isPlaced).map(task), laneEnd(lane, timeline)],
    })),
    {
      name: several ? `${index + 1} / ${timeline.title}` : "execution",
      tasks: [
        ...timeline.halts.filter(isPlaced).map(task),
        moment(timeline.outcome.tone, spoken(timeline.outcome.words), timeline.totalMs),
      ],
    },
  ]);
  const names = sections.map(({ name }) => cutTo(printable(name), MAX_SECTION));
  // Mermaid leaves 75 pixels for the names of sections, and draws longer ones across the bars.
  const leftPadding = names.reduce((width, name) => Math.max(width, 30 + 6 * columns(name)), 75);
  return `${[
    `%%{init: {"gantt": {"leftPadding": ${leftPadding}}}}%%`,
    "gantt",
    `  title ${several ? `${timelines.length} executions` : titleOf(timelines[0]!)}`,
    "  dateFormat x",
    "  todayMarker off",
    "  axisFormat %Q ms",
    ...sections.flatMap(({ tasks }, index) => [`  section ${escaped(names[index]!, MAX_SECTION)}`, ...tasks]),
  ].join("\n")}\n`;
}

function titleOf({ title, outcome, facts }: Timeline): string {
  return [escaped(title, MAX_TITLE), escaped(spoken(outcome.words), MAX_TASK), ...facts].join(" · ");
}

/** A section without a task would not be drawn, and neither would its action. */
function laneEnd({ outcome, spans, endMs }: Lane, { totalMs }: Timeline): string {
  const last = spans.filter(isPlaced).at(-1);
  const atMs = endMs ?? (last === undefined ? totalMs : last.fromMs + (last.tookMs ?? 0));
  return moment(outcome.tone, [spoken(outcome.words), ...sums(spans)].join(" · "), atMs);
}

/** What is known only as a sum has no place on the axis. */
function sums(spans: readonly Span[]): string[] {
  return spans.filter((span) => !isPlaced(span)).map(({ label, tookMs = 0 }) => `${label} ${Math.round(tookMs)} ms`);
}

type PlacedSpan = Span & { fromMs: number };

function isPlaced(span: Span): span is PlacedSpan {
  return span.fromMs !== undefined;
}

function task({ label, tone, fromMs, tookMs, outcome }: PlacedSpan): string {
  const words = outcome === undefined ? label : `${label}, ${spoken(outcome.words)}`;
  if (tookMs === undefined) return moment(tone, words, fromMs);
  return `  ${escaped(words, MAX_TASK)} :${TAGS[tone]}${Math.round(fromMs)}, ${Math.round(fromMs + tookMs)}`;
}

function moment(tone: Tone, words: string, atMs: number): string {
  const at = Math.round(atMs);
  return `  ${escaped(words, MAX_TASK)} :${TAGS[tone]}milestone, ${at}, ${at}`;
}

/** A colon ends a task's name. */
function spoken(words: string): string {
  return words.replaceAll(": ", " - ");
}

/** Everything that is no plain text in some version of Mermaid's grammar, or in HTML, as an entity. */
function escaped(text: string, most: number): string {
  const shown = cutTo(printable(text), most);
  return shown.replace(/[^\p{L}\p{M}\p{N} _.,·()/+@=…-]/gu, (char) => `#${char.codePointAt(0)};`);
}

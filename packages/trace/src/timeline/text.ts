import { columns, cutTo, fit, printable } from "./printable.js";
import { type Lane, type Outcome, type Span, shownMs, type Timeline, type Tone } from "./timeline.js";

/** Colours a piece of text, or does not. */
export type Paint = (tone: Tone | "dim" | "bold", text: string) => string;

const WIDTH = 80;
const MIN_BAR = 12;
const MAX_LABEL = 20;
const MAX_NUMBER = 15;
const MAX_STATUS = 60;

const GLYPHS: Readonly<Record<Tone, string>> = {
  applied: "█",
  not_applied: "▒",
  unknown: "?",
  denied: "!",
  skipped: "-",
  waiting: "·",
};

/** What the bars are made of, for the last line. */
const LEGEND: readonly (readonly [Tone, string])[] = [
  ["applied", "applied"],
  ["not_applied", "not applied"],
  ["unknown", "UNKNOWN"],
  ["denied", "not sent"],
  ["waiting", "waiting"],
];

interface Layout {
  label: number;
  at: number;
  took: number;
  bar: number;
  outcome: number;
  totalMs: number;
  /** Columns of the bar at which a halt came. */
  halts: ReadonlySet<number>;
}

/** A timeline as lines of at most 80 columns. */
export function renderText(timeline: Timeline, paint: Paint): string {
  const layout = layOut(timeline);
  const status = cutTo(printable(timeline.outcome.words), MAX_STATUS);
  const title = cutTo(printable(timeline.title), WIDTH - columns(status) - 2);
  const lines = [
    `${paint("bold", title)}  ${paint(timeline.outcome.tone, status)}`,
    ...wrap(timeline.facts, " · ").map((line) => paint("dim", line)),
    ...(timeline.lanes.length === 0 && timeline.halts.length === 0 ? [] : ["", paint("dim", axis(layout))]),
    ...timeline.lanes.flatMap((lane) => laneLines(lane, layout, paint)),
    ...timeline.halts.map((halt) => spanLine({ ...halt, label: `! ${halt.label}` }, layout, paint, "┃")),
  ];
  const used = new Set(timeline.lanes.flatMap(({ spans }) => spans.filter(isDrawn).map(({ tone }) => tone)));
  const legend = LEGEND.filter(([tone]) => used.has(tone)).map(
    ([tone, words]) => `${paint(tone, GLYPHS[tone])} ${words}`,
  );
  if (timeline.halts.length > 0) legend.push(`${paint("denied", "┊")} halt`);
  if (legend.length > 0) lines.push("", legend.join("   "));
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

/** Labels and numbers take what they need, outcomes as much as leaves a bar to look at. */
function layOut({ lanes, halts, totalMs }: Timeline): Layout {
  const spans = [...lanes.flatMap((lane) => lane.spans), ...halts];
  const label = widest(spans, ({ label }) => `  ${label}`, 12, MAX_LABEL);
  const at = widest(spans, atText, 5, MAX_NUMBER);
  const took = widest(spans, tookText, 4, MAX_NUMBER);
  const rest = WIDTH - label - at - took - 7;
  const outcome = widest([...spans, ...lanes], ({ outcome }) => outcome?.words ?? "", 10, rest - MIN_BAR);
  const bar = rest - outcome;
  const layout = { label, at, took, bar, outcome, totalMs, halts: new Set<number>() };
  return { ...layout, halts: new Set(halts.map(({ fromMs = 0 }) => cellOf(fromMs, layout))) };
}

/** The columns that the widest text takes, within bounds. */
function widest<T>(items: readonly T[], textOf: (item: T) => string, least: number, most: number): number {
  return Math.min(
    most,
    items.reduce((width, item) => Math.max(width, columns(textOf(item))), least),
  );
}

function axis(layout: Layout): string {
  const scale = shownMs(layout.totalMs);
  const bar = `0${fit(scale, layout.bar - 1, "start")}`;
  return `${fit("times in ms", layout.label)} ${fit("at", layout.at, "start")} ${fit("took", layout.took, "start")}  ${bar}`;
}

function laneLines(lane: Lane, layout: Layout, paint: Paint): string[] {
  const { outcome } = lane;
  const title = fit(printable(lane.title), WIDTH - layout.outcome - 1);
  return [
    `${paint("bold", title)} ${outcomeText(outcome, layout, paint)}`,
    ...lane.spans.map((span) => spanLine({ ...span, label: `  ${span.label}` }, layout, paint)),
  ];
}

function spanLine(span: Span, layout: Layout, paint: Paint, glyph = GLYPHS[span.tone]): string {
  const numbers = `${fit(atText(span), layout.at, "start")} ${fit(tookText(span), layout.took, "start")}`;
  const drawing = isDrawn(span) ? `│${bar(span, layout, paint, glyph)}│` : fit("", layout.bar + 2);
  return `${fit(printable(span.label), layout.label)} ${numbers} ${drawing} ${outcomeText(span.outcome, layout, paint)}`;
}

function atText({ fromMs }: Span): string {
  return fromMs === undefined ? "" : shownMs(fromMs);
}

function tookText({ tookMs, open }: Span): string {
  return tookMs === undefined ? "" : `${shownMs(tookMs)}${open ? "+" : ""}`;
}

function outcomeText(outcome: Outcome | undefined, layout: Layout, paint: Paint): string {
  return outcome === undefined ? "" : paint(outcome.tone, cutTo(printable(outcome.words), layout.outcome));
}

/** The bar to scale, at least one cell long; what began after the end of the scale stands at its end. */
function bar(span: DrawnSpan, layout: Layout, paint: Paint, glyph: string): string {
  const blank = (from: number, to: number) => {
    let cells = "";
    for (let cell = from; cell < to; cell++) cells += layout.halts.has(cell) ? paint("denied", "┊") : " ";
    return cells;
  };
  const from = cellOf(span.fromMs, layout);
  const end = Math.ceil(scaled(span.fromMs + (span.tookMs ?? 0), layout));
  const to = Math.min(layout.bar, Math.max(from + 1, end));
  return blank(0, from) + paint(span.tone, glyph.repeat(to - from)) + blank(to, layout.bar);
}

type DrawnSpan = Span & { fromMs: number };

function isDrawn(span: Span): span is DrawnSpan {
  return span.fromMs !== undefined;
}

function cellOf(ms: number, layout: Pick<Layout, "bar" | "totalMs">): number {
  return Math.max(0, Math.min(layout.bar - 1, Math.floor(scaled(ms, layout))));
}

function scaled(ms: number, { bar, totalMs }: Pick<Layout, "bar" | "totalMs">): number {
  return totalMs > 0 ? (ms / totalMs) * bar : 0;
}

/** Pieces joined into lines that fit. */
function wrap(pieces: readonly string[], separator: string): string[] {
  const lines: string[] = [];
  for (const piece of pieces) {
    const joined = lines.length === 0 ? piece : `${lines[lines.length - 1]}${separator}${piece}`;
    if (lines.length > 0 && columns(joined) <= WIDTH) lines[lines.length - 1] = joined;
    else lines.push(cutTo(piece, WIDTH));
  }
  return lines;
}

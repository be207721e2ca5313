import { columns, cutTo, printable } from "./printable.js";
import {
  INDENT,
  type Layout,
  LETTER,
  layOut,
  MAX_LABEL,
  MAX_OUTCOME,
  MAX_TITLE,
  niceStep,
  PAD,
  TITLE_LETTER,
  xOf,
} from "./svg-layout.js";
import { bar, moment, px } from "./svg-marks.js";
import { SVG_STYLE } from "./svg-style.js";
import { type Outcome, type Span, shownMs, type Timeline, type Tone } from "./timeline.js";

const ROW = 22;
const HEAD = 84;

const LEGEND: readonly (readonly [Tone, string])[] = [
  ["applied", "applied"],
  ["not_applied", "not applied"],
  ["unknown", "UNKNOWN"],
  ["denied", "not sent"],
  ["waiting", "waiting"],
];

/** Timelines as one SVG file, below one another. */
export function renderSvg(timelines: readonly Timeline[]): string {
  const pictures = timelines.map(picture);
  const width = Math.max(...pictures.map((one) => one.width));
  const height = pictures.reduce((sum, one) => sum + one.height, 0);
  const name = timelines.map(({ title, outcome }) => `${title}: ${outcome.words}`).join("; ");
  let y = 0;
  const placed = pictures.map((one) => {
    const group = `<g transform="translate(0 ${px(y)})">\n${one.body}\n</g>`;
    y += one.height;
    return group;
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" class="eoc-timeline" role="img" aria-label="${escaped(name)}" viewBox="0 0 ${px(width)} ${px(height)}" width="${px(width)}" height="${px(height)}">`,
    `<style>${SVG_STYLE}</style>`,
    `<rect class="back" width="${px(width)}" height="${px(height)}"/>`,
    ...placed,
    "</svg>",
  ].join("\n")}\n`;
}

function picture(timeline: Timeline): { body: string; width: number; height: number } {
  const layout = layOut(timeline);
  const rows = [
    ...timeline.lanes.flatMap((lane) => [
      { title: lane.title, outcome: lane.outcome },
      ...lane.spans.map((span) => ({ span })),
    ]),
    ...timeline.halts.map((halt) => ({ halt })),
  ];
  const bottom = HEAD + rows.length * ROW;
  const { words, tone } = timeline.outcome;
  const status = cutTo(printable(words), MAX_TITLE);
  const title = cutTo(printable(timeline.title), MAX_TITLE);
  const body = [
    text(PAD, 28, title, "title"),
    text(PAD + columns(title) * TITLE_LETTER + 16, 28, status, `${tone} strong`),
    text(PAD, 48, cutTo(printable(timeline.facts.join(" · ")), 110), "dim"),
    ...bands(rows),
    ...(rows.length === 0 ? [] : [...headings(layout), ...grid(layout, bottom)]),
    ...stops(timeline, layout, bottom),
    ...rows.map((row, index) => {
      const y = HEAD + index * ROW + ROW / 2;
      if ("halt" in row)
        return spanRow(row.halt, layout, y, { x: PAD, label: `! ${row.halt.label}`, name: "strong denied" });
      return "span" in row ? spanRow(row.span, layout, y) : laneRow(row.title, row.outcome, layout, y);
    }),
    ...legend(timeline, bottom + 28),
  ].join("\n");
  return { body, width: layout.width, height: bottom + 46 };
}

/** A band behind every action's name, and behind what stopped all of them. */
function bands(rows: readonly object[]): string[] {
  return rows.flatMap((row, index) =>
    "span" in row ? [] : [`<rect class="band" x="0" y="${px(HEAD + index * ROW)}" width="100%" height="${ROW}"/>`],
  );
}

function headings({ at, took }: Layout): string[] {
  const y = HEAD - 10;
  return [text(PAD, y, "times in ms", "dim"), text(at, y, "at", "dim", "end"), text(took, y, "took", "dim", "end")];
}

function grid(layout: Layout, bottom: number): string[] {
  const step = niceStep(layout.endMs);
  const lines: string[] = [];
  for (let ms = 0; ms <= layout.endMs && lines.length < 20; ms += step) {
    const x = xOf(ms, layout);
    lines.push(
      `<path class="grid" d="M${px(x)} ${HEAD - 4}V${px(bottom)}"/>`,
      text(x, HEAD - 10, shownMs(ms), "dim", "middle"),
    );
    if (step === 0) break;
  }
  return lines;
}

/** Lines through all rows: every halt, and the end of the report where something came after it. */
function stops({ halts, totalMs }: Timeline, layout: Layout, bottom: number): string[] {
  const through = (ms: number, name: string) =>
    `<path class="${name}" d="M${px(xOf(ms, layout))} ${HEAD - 4}V${px(bottom)}"/>`;
  return [
    ...halts.map(({ fromMs = 0 }) => through(fromMs, "halt")),
    ...(layout.endMs > totalMs
      ? [through(totalMs, "end"), text(xOf(totalMs, layout) + 3, bottom + 12, "report", "dim")]
      : []),
  ];
}

function laneRow(title: string, outcome: Outcome, layout: Layout, y: number): string {
  const room = Math.floor((layout.outcome - PAD) / LETTER) - 1;
  return described(`${title}: ${outcome.words}`, [
    text(PAD, y + 4, cutTo(printable(title), room), "strong"),
    outcomeText(outcome, layout, y, " strong"),
  ]);
}

function spanRow(
  span: Span,
  layout: Layout,
  y: number,
  head = { x: PAD + INDENT, label: span.label, name: "" },
): string {
  const { label, tone, fromMs, tookMs, open, outcome } = span;
  const took = tookMs === undefined ? "" : `${shownMs(tookMs)}${open ? "+" : ""}`;
  const x = fromMs === undefined ? undefined : xOf(fromMs, layout);
  const width = x === undefined || tookMs === undefined ? 0 : Math.max(3, xOf((fromMs ?? 0) + tookMs, layout) - x);
  const parts = [
    text(head.x, y + 4, cutTo(printable(head.label), MAX_LABEL), head.name),
    text(layout.at, y + 4, fromMs === undefined ? "" : shownMs(fromMs), "dim", "end"),
    text(layout.took, y + 4, took, "dim", "end"),
    x === undefined ? "" : tookMs === undefined ? moment(tone, x, y) : bar(tone, x, width, y),
    outcome === undefined ? "" : outcomeText(outcome, layout, y, ""),
  ];
  return described([label, ...(outcome === undefined ? [] : [outcome.words])].join(": "), parts);
}

function outcomeText({ tone, words }: Outcome, layout: Layout, y: number, more: string): string {
  return text(layout.outcome, y + 4, cutTo(printable(words), MAX_OUTCOME), `${tone}${more}`);
}

function legend({ lanes, halts }: Timeline, y: number): string[] {
  const used = new Set(
    lanes.flatMap(({ spans }) => spans.filter(({ fromMs }) => fromMs !== undefined)).map(({ tone }) => tone),
  );
  let x = PAD;
  const entries = LEGEND.filter(([tone]) => used.has(tone)).map(([tone, words]) => {
    const sample = tone === "denied" ? moment(tone, x + 12, y) : bar(tone, x, 24, y);
    const entry = sample + text(x + 30, y + 4, words, "dim");
    x += 30 + columns(words) * LETTER + 22;
    return entry;
  });
  if (halts.length > 0) {
    entries.push(`<path class="halt" d="M${px(x + 4)} ${px(y - 7)}v14"/>${text(x + 12, y + 4, "halt", "dim")}`);
  }
  return entries;
}

function described(words: string, parts: readonly string[]): string {
  return `<g><title>${escaped(words)}</title>${parts.join("")}</g>`;
}

function text(x: number, y: number, words: string, name: string, anchor = "start"): string {
  if (words === "") return "";
  const where = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  const how = name.trim() === "" ? "" : ` class="${name.trim()}"`;
  return `<text x="${px(x)}" y="${px(y)}"${how}${where}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return printable(words).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

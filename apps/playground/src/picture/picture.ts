import type { Recording, Side } from "../engine/recording.js";
import type { Span, Tone } from "../engine/tracks.js";
import { PICTURE_STYLE } from "./picture-style.js";

const WIDTH = 960;
const PANEL = 464;
const GAP = 16;
const PAD = 20;
const TOP = 12;
const ROWS_AT = 208;
const ROW = 40;

/** What a side's panel says. */
interface Panel {
  readonly title: string;
  readonly belief: string;
  readonly says: string;
  readonly side: Side;
  readonly tone: "naive" | "eoc";
}

/** A run as one picture for light and dark pages: both ledgers, what either side says, and the time it took, to scale. */
export function drawPicture({ naive, eoc, endMs, setup }: Recording): string {
  const panels: Panel[] = [
    {
      title: "Naive retry",
      belief: "silence means “it did not happen”",
      says: naive.belief,
      side: naive,
      tone: "naive",
    },
    { title: "EOC", belief: "silence means “nobody knows”", says: eoc.report.status, side: eoc, tone: "eoc" },
  ];
  const rows = Math.max(...panels.map(({ side }) => spansOf(side).length));
  const height = ROWS_AT + rows * ROW + 34;
  const name = panels.map(
    ({ title, says, side }) => `${title}: ${side.effects.length} in the world’s ledger, says ${says}`,
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" class="eoc" role="img" aria-label="${escaped(`${setup.name}. ${name.join(". ")}.`)}" viewBox="0 0 ${WIDTH} ${height + 2 * TOP}" width="${WIDTH}" height="${height + 2 * TOP}">`,
    `<style>${PICTURE_STYLE}</style>`,
    ...panels.map((panel, index) => drawPanel(panel, (PANEL + GAP) * index + 8, height, endMs)),
    "</svg>",
  ].join("\n")}\n`;
}

function drawPanel({ title, belief, says, side, tone }: Panel, x: number, height: number, endMs: number): string {
  const { length } = side.effects;
  const isDouble = length > new Set(side.effects.map(({ actionId }) => actionId)).size;
  const noun = length === 1 ? "refund paid" : "refunds paid";
  return [
    `<g transform="translate(${x} ${TOP})">`,
    `<rect class="card" width="${PANEL}" height="${height}" rx="12"/>`,
    `<path class="edge ${tone}" d="M12 0h${PANEL - 24}"/>`,
    text(PAD, 36, title, "title"),
    text(PAD + title.length * 11 + 22, 36, belief, "dim"),
    `<rect class="ledger${isDouble ? " double" : ""}" x="${PAD}" y="52" width="${PANEL - 2 * PAD}" height="84" rx="8"/>`,
    text(PAD + 14, 74, "THE WORLD’S LEDGER", "dim small"),
    text(PAD + 14, 120, String(length), "count"),
    text(PAD + 50, 120, noun, "noun"),
    isDouble ? text(PANEL - PAD - 14, 120, "▲ more than approved", "bad strong", "end") : "",
    text(PAD, 166, "says", "dim"),
    text(PAD + 38, 166, says, `says ${says}`),
    text(PANEL - PAD, 166, `${side.requests} ${side.requests === 1 ? "request" : "requests"} sent`, "dim", "end"),
    `<path class="rule" d="M${PAD} 184h${PANEL - 2 * PAD}"/>`,
    ...side.effects.map(({ atMs = 0 }, index) => coin(xOf(atMs, endMs), index > 0)),
    ...spansOf(side).map((span, index) => drawSpan(span, ROWS_AT + index * ROW, endMs)),
    axis(height - 16, endMs),
    "</g>",
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function spansOf({ tracks }: Side): Span[] {
  return tracks.flatMap(({ spans }) => spans);
}

function drawSpan({ kind, label, words, tone, fromMs, toMs }: Span, y: number, endMs: number): string {
  const [from, to] = [xOf(fromMs, endMs), xOf(toMs, endMs)];
  const bar =
    kind === "wait"
      ? `<path class="wait" d="M${px(from)} ${y + 22}h${px(to - from)}"/>`
      : `<rect class="bar ${tone}" x="${px(from)}" y="${y + 17}" width="${px(Math.max(4, to - from))}" height="10" rx="2"/>`;
  const sign = text(PAD + label.length * 7 + 8, y + 11, `${GLYPHS[tone]} ${words}`, `${tone} small`);
  const times = text(PANEL - PAD, y + 11, `${Math.round(fromMs)} – ${Math.round(toMs)} ms`, "dim small", "end");
  return [text(PAD, y + 11, label, "dim small"), sign, times, bar].join("");
}

const GLYPHS: Readonly<Record<Tone, string>> = {
  applied: "●",
  not_applied: "○",
  unknown: "?",
  waiting: "…",
  denied: "!",
  skipped: "–",
};

/** The moment of an effect: a disc, or a triangle where it had happened before. */
function coin(x: number, isAgain: boolean): string {
  if (isAgain) return `<path class="coin again" d="M${px(x)} 177l7 13h-14z"/>`;
  return `<circle class="coin" cx="${px(x)}" cy="184" r="6"/>`;
}

function axis(y: number, endMs: number): string {
  const ticks = [0, 50, 100, 150, 200, 250].filter((ms) => ms <= endMs);
  return ticks
    .map((ms) => text(xOf(ms, endMs), y, ms === 0 ? "0 ms" : String(ms), "dim small", ms === 0 ? "start" : "middle"))
    .join("");
}

function xOf(ms: number, endMs: number): number {
  return PAD + Math.min(1, ms / endMs) * (PANEL - 2 * PAD);
}

function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function text(x: number, y: number, words: string, name: string, anchor = "start"): string {
  const where = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  return `<text x="${px(x)}" y="${px(y)}" class="${name}"${where}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

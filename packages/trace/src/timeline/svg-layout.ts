import { columns } from "./printable.js";
import type { Timeline } from "./timeline.js";

/** How wide a letter is, in pixels, about. */
export const LETTER = 7.3;
export const TITLE_LETTER = 9.2;
export const PAD = 16;
export const INDENT = 14;
export const MAX_LABEL = 20;
export const MAX_OUTCOME = 38;
export const MAX_TITLE = 56;
const BAR = 330;
const GAP = 20;
const NUMBER = 60;

/** Where things stand in one timeline, in pixels; `endMs` is the end of the scale. */
export interface Layout {
  at: number;
  took: number;
  bar: number;
  outcome: number;
  width: number;
  endMs: number;
}

/** Columns take what they need, within bounds; a heading may make the picture wider. */
export function layOut({ lanes, halts, totalMs, title, outcome }: Timeline): Layout {
  const spans = [...lanes.flatMap((lane) => lane.spans), ...halts];
  const labels = widest(
    spans.map(({ label }) => label),
    12,
    MAX_LABEL,
  );
  const at = PAD + INDENT + labels + NUMBER;
  const took = at + NUMBER;
  const outcomes = [...spans, ...lanes].map((item) => item.outcome?.words ?? "");
  const heading =
    Math.min(MAX_TITLE, columns(title)) * TITLE_LETTER + Math.min(MAX_TITLE, columns(outcome.words)) * LETTER;
  const width = took + GAP + BAR + GAP + widest(outcomes, 12, MAX_OUTCOME) + PAD;
  const endMs = spans.reduce((end, { fromMs = 0, tookMs = 0 }) => Math.max(end, fromMs + tookMs), totalMs);
  return {
    at,
    took,
    bar: took + GAP,
    outcome: took + GAP + BAR + GAP,
    width: Math.max(width, heading + 2 * PAD + 16),
    endMs,
  };
}

/** Pixels of the widest text, within bounds that are given in letters. */
function widest(texts: readonly string[], least: number, most: number): number {
  const letters = texts.reduce((width, text) => Math.max(width, columns(text)), least);
  return LETTER * Math.min(most, letters);
}

/** Where a moment stands. */
export function xOf(ms: number, { bar: from, endMs }: Layout): number {
  return from + (endMs > 0 ? Math.max(0, Math.min(1, ms / endMs)) * BAR : 0);
}

/** 1, 2 or 5 times a power of ten, for three to seven lines. */
export function niceStep(endMs: number): number {
  if (!(endMs > 0)) return 0;
  const rough = endMs / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
}

import { LETTER } from "./svg-layout.js";
import type { Tone } from "./timeline.js";

/** Half the height of a bar. */
const HALF = 6;

/** A number in as few digits as do. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** A bar, `width` from `x`, about the line `y`. Every tone has a shape of its own. */
export function bar(tone: Tone, x: number, width: number, y: number): string {
  const box = `x="${px(x)}" y="${px(y - HALF)}" width="${px(width)}" height="${2 * HALF}" rx="1.5"`;
  const line = `d="M${px(x)} ${px(y)}h${px(width)}"`;
  switch (tone) {
    case "applied":
      return `<rect class="solid applied" ${box}/>`;
    case "not_applied":
      return `<rect class="open not_applied" ${box}/><path class="open not_applied" ${line} stroke-width="${2 * HALF}" stroke-dasharray="2 4"/>`;
    case "unknown":
      // A narrower box would cross out its question mark.
      return (width < 10 ? "" : `<rect class="open dashed unknown" ${box}/>`) + questionMarks(x, width, y);
    case "waiting":
      return `<path class="open waiting" ${line} stroke-width="3" stroke-dasharray="3 4"/>`;
    default:
      return moment(tone, x, y);
  }
}

/** What happens at a moment. */
export function moment(tone: Tone, x: number, y: number): string {
  if (tone === "denied" || tone === "skipped") {
    const disc = `<circle class="back" cx="${px(x)}" cy="${px(y)}" r="8"/><circle class="open ${tone}" cx="${px(x)}" cy="${px(y)}" r="8"/>`;
    return disc + letters(tone, [x], y, tone === "denied" ? "!" : "-");
  }
  const kind = tone === "applied" ? "solid" : "open";
  const diamond = `<path class="${kind} ${tone}" d="M${px(x)} ${px(y - 7)}l7 7-7 7-7-7z" stroke-width="1.5"/>`;
  return tone === "unknown" ? diamond + letters(tone, [x], y, "?") : diamond;
}

function questionMarks(x: number, width: number, y: number): string {
  const count = Math.max(1, Math.floor(width / 16));
  const centres = Array.from({ length: count }, (_, index) => x + (width * (index + 0.5)) / count);
  return letters("unknown", centres, y, "?");
}

/** The same letter about every one of these places, as one text. */
function letters(tone: Tone, centres: readonly number[], y: number, letter: string): string {
  const places = centres.map((x) => px(x - LETTER / 2)).join(" ");
  return `<text class="strong ${tone}" x="${places}" y="${px(y + 4)}">${letter.repeat(centres.length)}</text>`;
}

/** One bar. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Stands beside it. */
  readonly text: string;
  readonly tone: "ours" | "floor" | "other" | "missed";
}

const COLOURS = { ours: "#2563eb", floor: "#16a34a", other: "#9ca3af", missed: "#dc2626" };
const LABEL_WIDTH = 330;
const BAR_WIDTH = 420;
const ROW = 24;

/** Horizontal bars on a logarithmic scale, as SVG. `mark` draws a line at a value. */
export function barChart(title: string, bars: readonly Bar[], mark?: number): string {
  const values = bars.map(({ value }) => value).filter((value) => value > 0 && Number.isFinite(value));
  const low = Math.log10(Math.min(...values, mark ?? Number.POSITIVE_INFINITY)) - 0.3;
  const high = Math.log10(Math.max(...values, mark ?? 0)) + 0.05;
  const at = (value: number) => ((Math.log10(value) - low) / (high - low)) * BAR_WIDTH;
  const height = 74 + bars.length * ROW;
  const width = LABEL_WIDTH + BAR_WIDTH + 130;
  const rows = bars.map(({ label, value, text, tone }, index) => {
    const y = 44 + index * ROW;
    const length = value > 0 && Number.isFinite(value) ? Math.max(2, at(value)) : 2;
    return [
      `<text x="${LABEL_WIDTH - 8}" y="${y + 13}" text-anchor="end">${escapeText(label)}</text>`,
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${length.toFixed(1)}" height="${ROW - 7}" fill="${COLOURS[tone]}"/>`,
      `<text x="${(LABEL_WIDTH + length + 6).toFixed(1)}" y="${y + 13}">${escapeText(text)}</text>`,
    ].join("");
  });
  const line = mark === undefined ? "" : markAt(LABEL_WIDTH + at(mark), height);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeText(title)}">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<g font-family="system-ui, sans-serif" font-size="12" fill="#111827">`,
    `<text x="12" y="24" font-size="14" font-weight="600">${escapeText(title)}</text>`,
    ...rows,
    line,
    `<text x="${LABEL_WIDTH}" y="${height - 12}" fill="#4b5563">Lengths are logarithmic.</text>`,
    "</g></svg>",
    "",
  ].join("\n");
}

function markAt(x: number, height: number): string {
  return `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="38" y2="${height - 28}" stroke="#111827" stroke-dasharray="3 3"/>`;
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** The colours of a light and of a dark page; every one has a contrast of at least 4.5 to its background. */
const LIGHT = {
  back: "#fff",
  band: "#f6f8fa",
  grid: "#d8dee4",
  text: "#1f2328",
  dim: "#59636e",
  applied: "#1a7f37",
  not_applied: "#8a5a00",
  unknown: "#8250df",
  denied: "#cf222e",
  skipped: "#59636e",
  waiting: "#59636e",
};
const DARK: typeof LIGHT = {
  back: "#0d1117",
  band: "#161b22",
  grid: "#30363d",
  text: "#e6edf3",
  dim: "#9da7b1",
  applied: "#3fb950",
  not_applied: "#d9a32b",
  unknown: "#b48eff",
  denied: "#ff6a61",
  skipped: "#9da7b1",
  waiting: "#9da7b1",
};

/** Shapes differ as well as colours: whoever sees none of these colours misses nothing. No variables: not every viewer knows them. */
export const SVG_STYLE = `
.eoc-timeline text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.eoc-timeline .title { font-size: 15px; font-weight: 600; }
.eoc-timeline .strong { font-weight: 600; }
.eoc-timeline .grid, .eoc-timeline .end, .eoc-timeline .halt, .eoc-timeline .open { fill: none; }
.eoc-timeline .end { stroke-dasharray: 1 3; }
.eoc-timeline .halt { stroke-dasharray: 5 3; stroke-width: 1.5; }
.eoc-timeline .dashed { stroke-dasharray: 4 2; }
${rules(LIGHT)}
@media (prefers-color-scheme: dark) {
${rules(DARK)}
}
`;

function rules({ back, band, grid, text, dim, ...tones }: typeof LIGHT): string {
  const rule = (selector: string, property: "fill" | "stroke", colour: string) =>
    `.eoc-timeline ${selector} { ${property}: ${colour}; }`;
  return [
    rule(".back", "fill", back),
    rule(".band", "fill", band),
    rule(".grid", "stroke", grid),
    rule("text", "fill", text),
    rule("text.dim", "fill", dim),
    rule(".end", "stroke", dim),
    rule(".halt", "stroke", tones.denied),
    ...Object.entries(tones).flatMap(([tone, colour]) => [
      rule(`text.${tone}`, "fill", colour),
      rule(`.solid.${tone}`, "fill", colour),
      rule(`.open.${tone}`, "stroke", colour),
    ]),
  ].join("\n");
}

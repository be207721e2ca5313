/** The colours of the page, for light and dark; no variables, since not every viewer of SVG knows them. */
const LIGHT = {
  card: "#ffffff",
  line: "#d9d4c8",
  sunk: "#efece4",
  text: "#1c1b19",
  dim: "#57544d",
  good: "#0c6b4c",
  bad: "#b3201a",
  badSoft: "#fbe4e1",
  unknown: "#6537b3",
  amber: "#7d4a00",
  accent: "#0b5c8a",
};
const DARK: typeof LIGHT = {
  card: "#1b1d24",
  line: "#343741",
  sunk: "#14161b",
  text: "#ecebe6",
  dim: "#aeaca4",
  good: "#62d3a6",
  bad: "#ff8d84",
  badSoft: "#401d1b",
  unknown: "#c5a9ff",
  amber: "#f0b95f",
  accent: "#7fc6f2",
};

export const PICTURE_STYLE = `
.eoc text { font: 15px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.eoc .title { font-size: 19px; font-weight: 700; }
.eoc .small { font-size: 12.5px; }
.eoc .strong { font-weight: 700; }
.eoc .count { font-size: 44px; font-weight: 700; }
.eoc .noun { font-size: 19px; }
.eoc .says { font-size: 18px; font-weight: 700; }
.eoc .edge { stroke-width: 5; stroke-linecap: round; }
.eoc .wait { stroke-width: 3; stroke-dasharray: 3 4; }
.eoc .bar.not_applied { fill: none; stroke-width: 2; }
.eoc .bar.unknown { fill: none; stroke-width: 2; stroke-dasharray: 4 3; }
.eoc .rule { stroke-dasharray: 2 3; }
.eoc .ledger { stroke: none; }
.eoc .ledger.double { stroke-width: 2; }
${rules(LIGHT)}
@media (prefers-color-scheme: dark) {
${rules(DARK)}
}
`;

function rules({ card, line, sunk, text, dim, good, bad, badSoft, unknown, amber, accent }: typeof LIGHT): string {
  const fills: [selector: string, colour: string][] = [
    [".card", card],
    [".ledger", sunk],
    [".ledger.double", badSoft],
    ["text", text],
    ["text.dim", dim],
    ["text.bad", bad],
    ["text.applied", good],
    ["text.not_applied", amber],
    ["text.unknown", unknown],
    ["text.waiting", dim],
    [".bar.applied", good],
    [".coin", good],
    [".coin.again", bad],
  ];
  const strokes: [selector: string, colour: string][] = [
    [".card", line],
    [".rule", dim],
    [".wait", dim],
    [".edge.naive", amber],
    [".edge.eoc", accent],
    [".ledger.double", bad],
    [".bar.not_applied", amber],
    [".bar.unknown", unknown],
  ];
  return [
    ...fills.map(([selector, colour]) => `.eoc ${selector} { fill: ${colour}; }`),
    ...strokes.map(([selector, colour]) => `.eoc ${selector} { stroke: ${colour}; }`),
  ].join("\n");
}

import type { Work } from "../contest.ts";
import type { Results } from "../measure/results.ts";

/** The results of a work as a Markdown table; nothing where nobody was measured. */
export function tableOf(work: Work, results: Results): string {
  if (results.contestants.size === 0) return "";
  const gauges = [...new Set([...results.contestants.values()].flatMap((measured) => Object.keys(measured.gauges)))];
  const head = [
    "",
    ...(work.withoutTime ? [] : [`CPU per ${work.operation}`, `× ${work.floor}`]),
    ...(work.withoutBytes ? [] : ["bytes"]),
    ...gauges,
  ];
  const rows = [...results.contestants].map(([name, { bytes, gauges: measured }]) => [
    name,
    ...(work.withoutTime ? [] : [duration(results.cpuNs(name)), figure(results.ratio(name, work.floor))]),
    ...(work.withoutBytes ? [] : [bytes === undefined ? "" : Math.round(bytes).toLocaleString("en")]),
    ...gauges.map((gauge) => (measured[gauge] === undefined ? "" : figure(measured[gauge]))),
  ]);
  const lines = [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows];
  return [`### ${work.title}`, "", ...lines.map((cells) => `| ${cells.join(" | ")} |`)].join("\n");
}

/** A duration in the unit that fits. */
export function duration(ns: number): string {
  if (ns < 1000) return `${ns.toFixed(0)} ns`;
  return ns < 1e6 ? `${(ns / 1000).toPrecision(3)} µs` : `${(ns / 1e6).toPrecision(3)} ms`;
}

/** A figure with as many digits as mean something. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return "";
  return value >= 1000 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(3)).toString();
}

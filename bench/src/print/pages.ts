import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Work } from "../contest.ts";
import type { Results } from "../measure/results.ts";
import { type Bar, barChart } from "./chart.ts";
import { type Shown, shownBy, written, writtenBeside } from "./shows.ts";
import { duration, figure, tableOf } from "./table.ts";

const ROOT = join(import.meta.dirname, "../../..");
const TARGET = join(ROOT, "bench/results");
const PAGE = join(ROOT, "docs/PERFORMANCE.md");
const BEGIN = "<!-- results: written by `pnpm bench --write`, then `pnpm fix` -->";
const END = "<!-- end of results -->";

/** A work and what was measured of it. */
export type Outcome = readonly [work: Work, results: Results];

/** Writes the results to `bench/results` and into `docs/PERFORMANCE.md`. */
export function writePages(outcomes: readonly Outcome[], how: string): void {
  mkdirSync(TARGET, { recursive: true });
  const shown = outcomes.flatMap(([work, results]) => shownBy(work, results));
  writeFileSync(
    join(TARGET, "shows.svg"),
    barChart("What was shown, beside what was asked (1)", shown.map(showBar), 1),
  );
  const charts = outcomes.filter(([work]) => CHARTED.includes(work.name));
  for (const [work, results] of charts) writeFileSync(join(TARGET, `${work.name}.svg`), chartOf(work, results));

  const tables = outcomes.map(([work, results]) => tableOf(work, results)).join("\n\n");
  const summary = showTable(shown);
  writeFileSync(join(TARGET, "results.md"), `# Results\n\n${how}\n\n${summary}\n\n${tables}\n`);
  const pictures = charts.map(([work]) => `![${work.title}](../bench/results/${work.name}.svg)`);
  const body = [how, summary, "![What was shown](../bench/results/shows.svg)", ...pictures, tables].join("\n\n");
  const page = readFileSync(PAGE, "utf8");
  const before = page.slice(0, page.indexOf(BEGIN) + BEGIN.length);
  writeFileSync(PAGE, `${before}\n\n${body}\n\n${page.slice(page.indexOf(END))}`);
}

const CHARTED = ["happy", "bulkhead-64", "replay", "redaction"];

function chartOf(work: Work, results: Results): string {
  const bars = [...results.contestants.keys()].map((name): Bar => {
    const value = results.ratio(name, work.floor);
    const tone = name.startsWith("EOC") ? "ours" : name === work.floor ? "floor" : "other";
    return { label: name, value, text: `${figure(value)} × · ${duration(results.cpuNs(name))}`, tone };
  });
  return barChart(work.title.replaceAll("`", ""), bars);
}

function showBar({ show, what, figure: value, atMost, unit, isShown }: Shown): Bar {
  return {
    label: `${show}: ${what}`,
    value: atMost === 0 ? value + 0.01 : value / atMost,
    text: `${writtenBeside(value, atMost, unit)} (≤ ${written(atMost, unit)})`,
    tone: isShown ? "ours" : "missed",
  };
}

function showTable(shown: readonly Shown[]): string {
  const rows = shown.map(
    ({ show, what, figure: value, atMost, unit, isShown }) =>
      `| ${show} | ${what} | ${writtenBeside(value, atMost, unit)} | ≤ ${written(atMost, unit)} | ${isShown ? "yes" : "**missed**"} |`,
  );
  return ["| | | measured | asked | |", "| ---: | --- | ---: | ---: | --- |", ...rows].join("\n");
}

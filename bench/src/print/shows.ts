import type { Work } from "../contest.ts";
import type { Results } from "../measure/results.ts";

/** One line for each figure that a work has to show: `SHOW n: <what> <figure> (asked ≤ x) ok|MISSED`. */
export function showLines(work: Work, results: Results): string[] {
  return work.shows.map(({ show, what, value, atMost, unit = "×" }) => {
    const figure = value(results);
    const isShown = figure <= atMost;
    return `SHOW ${show}: ${what} ${written(figure, unit)} (asked ≤ ${written(atMost, unit)}) ${isShown ? "ok" : "MISSED"}`;
  });
}

function written(figure: number, unit: string): string {
  const digits = figure >= 100 ? 0 : figure >= 10 ? 1 : figure >= 0.1 ? 2 : 3;
  const text = Number(figure.toFixed(digits)).toString();
  return unit === "" ? text : `${text} ${unit}`;
}

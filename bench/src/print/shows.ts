import type { Show, Work } from "../contest.ts";
import type { Results } from "../measure/results.ts";

/** A show and what came of it. */
export interface Shown extends Show {
  readonly figure: number;
  readonly isShown: boolean;
}

/** What came of everything that a work has to show. */
export function shownBy(work: Work, results: Results): Shown[] {
  return work.shows.map((show) => {
    const figure = show.value(results);
    return { ...show, figure, isShown: figure <= show.atMost };
  });
}

/** `SHOW n: <what> <figure> (asked ≤ x) ok|MISSED`: a figure of group `n`, beside the target that was set for it. */
export function showLine({ show, what, figure, atMost, unit, isShown }: Shown): string {
  return `SHOW ${show}: ${what} ${writtenBeside(figure, atMost, unit)} (asked ≤ ${written(atMost, unit)}) ${isShown ? "ok" : "MISSED"}`;
}

/** A figure with its unit, and with as many digits as tell it from a target that it misses. */
export function writtenBeside(figure: number, atMost: number, unit = "×"): string {
  const text = written(figure, unit);
  if (!(figure > atMost) || text !== written(atMost, unit)) return text;
  const number = String(atMost);
  for (let digits = 3; digits < 16; digits++) {
    const longer = Number(figure.toPrecision(digits)).toString();
    if (longer !== number) return unit === "" ? longer : `${longer} ${unit}`;
  }
  return text;
}

/** A figure with its unit. */
export function written(figure: number, unit = "×"): string {
  const digits = figure >= 100 ? 0 : figure >= 10 ? 1 : figure >= 0.1 ? 2 : 3;
  const text = Number(figure.toFixed(digits)).toString();
  return unit === "" ? text : `${text} ${unit}`;
}

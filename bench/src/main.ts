import { parseArgs } from "node:util";
import { FULL, measure, SHORT } from "./measure/measure.ts";
import { type Outcome, writePages } from "./print/pages.ts";
import { showLine, shownBy } from "./print/shows.ts";
import { tableOf } from "./print/table.ts";
import { WORKS, workNamed } from "./works/index.ts";

/**
 * `pnpm bench [--work <name>]… [--short] [--generations <n>] [--rounds <n>] [--write]`. Ends with 1 when a contestant got something wrong; what is slow is
 * printed, and no failure.
 */
const { values } = parseArgs({
  options: {
    work: { type: "string", multiple: true },
    short: { type: "boolean" },
    generations: { type: "string" },
    rounds: { type: "string" },
    write: { type: "boolean" },
  },
});

const form = values.short ? SHORT : FULL;
const effort = {
  ...form,
  generations: countOf("generations", values.generations, form.generations),
  rounds: countOf("rounds", values.rounds, form.rounds),
};

function countOf(option: string, given: string | undefined, otherwise: number): number {
  const count = Number(given ?? otherwise);
  if (!(Number.isInteger(count) && count > 0)) throw new RangeError(`--${option} must be a whole number above 0`);
  return count;
}

const outcomes: Outcome[] = [];
const works = values.work?.map(workNamed) ?? WORKS;
const how = `Node ${process.version}, ${values.short ? "short" : "full"} form; CPU time, ratios within rounds, medians.`;
console.log(`${how}\n`);
for (const work of works) {
  try {
    const results = await measure(work, effort);
    outcomes.push([work, results]);
    console.log(`${tableOf(work, results)}\n`);
    for (const shown of shownBy(work, results)) console.log(showLine(shown));
    console.log();
  } catch (error) {
    process.exitCode = 1;
    console.error(error);
  }
}
const lines = outcomes.flatMap(([work, results]) => shownBy(work, results));
console.log(`${lines.filter(({ isShown }) => isShown).length} of ${lines.length} figures as asked`);
if (values.write) writePages(outcomes, how);

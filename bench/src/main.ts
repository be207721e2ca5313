import { parseArgs } from "node:util";
import { FULL, measure, SHORT } from "./measure/measure.ts";
import { type Outcome, writePages } from "./print/pages.ts";
import { showLine, shownBy } from "./print/shows.ts";
import { tableOf } from "./print/table.ts";
import { WORKS, workNamed } from "./works/index.ts";

const HELP = `What executing costs beside other libraries: see docs/PERFORMANCE.md.

  bench [options]

  --work NAME        only this work; may be given more than once. There are
                     ${WORKS.map(({ name }) => name).join(", ")}
  --short            only the contestants that the figures need, less often
  --generations N    fresh processes for each contestant (default: ${FULL.generations})
  --rounds N         turns of each process (default: ${FULL.rounds})
  --write            writes the results to docs/PERFORMANCE.md and bench/results
  --help             this text

A line \`SHOW n: what, measured (asked <= target) ok|MISSED\` is a figure of group n
beside the target that was set for it. Ends with 1 when a contestant got something
wrong, with 2 for wrong usage; what is slow is printed, and no failure.
`;

const values = argumentsOrUsage();
if (values.help) {
  console.log(HELP);
  process.exit();
}

function argumentsOrUsage() {
  try {
    const { values: given } = parseArgs({
      options: {
        work: { type: "string", multiple: true },
        short: { type: "boolean" },
        generations: { type: "string" },
        rounds: { type: "string" },
        write: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    for (const name of given.work ?? []) workNamed(name);
    return given;
  } catch (error) {
    return endWith((error as Error).message);
  }
}

function endWith(problem: string): never {
  console.error(`bench: ${problem} (see --help)`);
  process.exit(2);
}

const form = values.short ? SHORT : FULL;
const effort = {
  ...form,
  generations: countOf("generations", values.generations, form.generations),
  rounds: countOf("rounds", values.rounds, form.rounds),
};

function countOf(option: string, given: string | undefined, otherwise: number): number {
  const count = Number(given ?? otherwise);
  if (!(Number.isInteger(count) && count > 0)) endWith(`--${option} must be a whole number above 0`);
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
    const table = tableOf(work, results);
    if (table !== "") console.log(`${table}\n`);
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

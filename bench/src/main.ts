import { parseArgs } from "node:util";
import { FULL, measure, SHORT } from "./measure/measure.ts";
import { showLines } from "./print/shows.ts";
import { tableOf } from "./print/table.ts";
import { WORKS, workNamed } from "./works/index.ts";

const { values } = parseArgs({
  options: { work: { type: "string", multiple: true }, short: { type: "boolean" } },
});

const works = values.work?.map(workNamed) ?? WORKS;
const effort = values.short ? SHORT : FULL;
let failed = 0;
for (const work of works) {
  try {
    const results = await measure(work, effort);
    console.log(tableOf(work, results));
    for (const line of showLines(work, results)) console.log(line);
    console.log();
  } catch (error) {
    // Time is never a failure; a wrong result is.
    failed++;
    console.error(error);
  }
}
process.exitCode = failed === 0 ? 0 : 1;

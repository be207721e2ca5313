import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";
import { GUARANTEES, type Guarantee } from "./rows.ts";

const root = new URL("../..", import.meta.url).pathname;

/** A test of this name, whatever its template or table filled in. */
function patternOf(name: string): RegExp {
  const parts = name.split(/…|%[sdifjoOc#%]|\$\w+/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*")}$`);
}

/** What the run says against the rows: a test of a row that did not run, or did not pass, in a file that ran. */
export function unheld(
  rows: readonly Guarantee[],
  ran: ReadonlyMap<string, readonly { readonly name: string; readonly state: string }[]>,
): string[] {
  return rows.flatMap(({ clause, tests }) =>
    tests.flatMap((test) => {
      const split = test.indexOf(" > ");
      const results = ran.get(test.slice(0, split));
      if (results === undefined) return [];
      const pattern = patternOf(test.slice(split + 3));
      const cases = results.filter(({ name }) => pattern.test(name));
      if (cases.length > 0 && cases.every(({ state }) => state === "passed")) return [];
      return [`${clause} is not held: ${test} (${cases.length === 0 ? "did not run" : "did not pass"})`];
    }),
  );
}

/** Fails a run in which a test that docs/GUARANTEES.md names did not pass. */
export default class GuaranteesReporter implements Reporter {
  /** Set when only some tests were asked for: then nothing can be said of the others. */
  #partial = false;

  onInit(vitest: { config: { testNamePattern?: RegExp | undefined } }): void {
    this.#partial = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#partial) return;
    const ran = new Map(
      modules.map((module) => [
        relative(root, module.moduleId),
        [...module.children.allTests()].map((test) => ({ name: test.fullName, state: test.result().state })),
      ]),
    );
    const problems = unheld(GUARANTEES, ran);
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) process.exitCode = 1;
  }
}

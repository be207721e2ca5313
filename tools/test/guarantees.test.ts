import { describe, expect, it } from "vitest";
import { problemsOf } from "../guarantees/page.js";
import { unheld } from "../guarantees/reporter.js";
import { GUARANTEES } from "../guarantees/rows.js";
import { namedTests, testsOf } from "../named-tests.js";

const tests = namedTests();
const [first, ...others] = GUARANTEES;
const [test] = first!.tests;

describe("the guarantees", () => {
  it("are all held by tests that are there, run, and cite their clause", () => {
    expect(problemsOf(GUARANTEES, tests)).toEqual([]);
  });

  it("are refused when a clause has no row", () => {
    expect(problemsOf(others, tests)).toEqual(["S1.1 has no row"]);
  });

  it("are refused when a test is renamed", () => {
    const rows = [{ ...first!, tests: [`${test} no more`, ...first!.tests] }, ...others];
    expect(problemsOf(rows, tests)).toEqual([`S1.1 names a test that is not there: ${test} no more`]);
  });

  it("are refused when a test is skipped", () => {
    const skipped = tests.map((each) =>
      `${each.file} > ${each.name}` === test ? { ...each, modifier: "skip" } : each,
    );
    expect(problemsOf(GUARANTEES, skipped)).toEqual([`S1.1 names a test that may not run (skip): ${test}`]);
  });

  it("are refused when no test cites the clause", () => {
    const rows = [{ ...first!, tests: others[0]!.tests }, ...others];
    expect(problemsOf(rows, tests)).toEqual(["S1.1: none of its tests cites the clause"]);
  });

  it("are not held by a run in which a test fails, is skipped, or is not there", () => {
    const row = { ...first!, tests: ["a.test.ts > it > holds for …, as %s"] };
    const run = (...states: string[]) =>
      unheld([row], new Map([["a.test.ts", states.map((state) => ({ name: "it > holds for 1, as a", state }))]]));

    expect(run("passed", "passed")).toEqual([]);
    expect(run("passed", "failed")).toHaveLength(1);
    expect(run("skipped")).toHaveLength(1);
    expect(run()).toHaveLength(1);
    expect(unheld([row], new Map())).toEqual([]);
  });
});

describe("testsOf", () => {
  it("reads names through describes, templates and tables, and sees what may not run", () => {
    const text = `
      describe("a", () => {
        for (const x of []) it(\`b \${x} c\`, () => {});
        describe.skip("d", () => { it("e", () => {}); });
        it.each([1])("f %s", () => {});
        it.runIf(process.env.X)("g", () => {});
      });`;
    expect(testsOf("x.test.ts", text).map(({ name, modifier }) => [name, modifier])).toEqual([
      ["a > b … c", undefined],
      ["a > d > e", "skip"],
      ["a > f %s", undefined],
      ["a > g", "runIf"],
    ]);
  });
});

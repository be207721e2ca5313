import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { stepsOf, unseen } from "../follow-quick-start.js";

describe("following a page", () => {
  it("saves, runs and looks, in the page's order", () => {
    const text = "```sh\nnpm init\nnpm test\n```\n```ts file=a.ts\n1;\n```\n```text\n1 passed\n```\n";
    expect(stepsOf(text)).toEqual([
      { kind: "run", command: "npm init" },
      { kind: "run", command: "npm test" },
      { kind: "save", file: "a.ts", text: "1;\n" },
      { kind: "see", lines: ["1 passed"] },
    ]);
  });

  it("refuses a block that nothing would be done with", () => {
    expect(() => stepsOf("```ts\n1;\n```\n")).toThrow("a block in ts");
  });

  it("finds lines in their order, whatever their colours and spaces", () => {
    const printed = "\u001b[2m Tests \u001b[22m  4 passed\n done \n";
    expect(unseen(printed, ["Tests 4 passed", "done"])).toEqual([]);
    expect(unseen(printed, ["Tests 5 passed"])).toEqual(["Tests 5 passed"]);
    expect(unseen(printed, ["done", "Tests 4 passed"])).toEqual(["Tests 4 passed"]);
  });

  it("finds an executor, a test, and what it prints in the quick start", () => {
    const page = readFileSync(new URL("../../docs/quick-start.md", import.meta.url), "utf8");
    const steps = stepsOf(page);
    expect(steps.flatMap((step) => (step.kind === "save" ? [step.file] : []))).toEqual([
      "refund.ts",
      "refund.test.ts",
      "tsconfig.json",
    ]);
    expect(steps.some(({ kind }) => kind === "see")).toBe(true);
  });
});

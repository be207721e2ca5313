const core = require("@eoc/core");
const testkit = require("@eoc/testkit");
const { matchers } = require("@eoc/testkit/jest");
const { describe, expect, it } = require("@jest/globals");
const { suite } = require("./suite.cjs");

expect.extend(matchers);

describe("the example suite", () => {
  for (const { name, run } of suite({ core, testkit }, { planted: process.env.EOC_PLANTED === "yes" })) it(name, run);
});

it("has matchers", async () => {
  const executor = testkit.createScriptedExecutor([testkit.succeeds()]);
  const report = await core.execute(testkit.aDecision(), testkit.aContext(), {}, executor);
  expect(report).toHaveSucceeded();
  expect(executor).toHaveDispatched({ "action-0": 1 });
});

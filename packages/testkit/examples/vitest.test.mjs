import * as core from "@eoc/core";
import * as testkit from "@eoc/testkit";
import { matchers } from "@eoc/testkit/vitest";
import { describe, expect, it } from "vitest";
import { suite } from "./suite.cjs";

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

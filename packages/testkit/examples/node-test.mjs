import { describe, it } from "node:test";
import * as core from "@eoc/core";
import * as testkit from "@eoc/testkit";
import { suite } from "./suite.cjs";

describe("the example suite", () => {
  for (const { name, run } of suite({ core, testkit }, { planted: process.env.EOC_PLANTED === "yes" })) it(name, run);
});

import { describe, expect, it } from "vitest";
import * as api from "../src/index.js";

describe("@eoc/adapter-restate", () => {
  it("exports exactly these values", () => {
    expect(Object.keys(api).sort()).toEqual(["EFFECT_IN_DOUBT", "createRestateExecution", "executeDurably"]);
  });
});

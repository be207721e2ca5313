import { describe, expect, it } from "vitest";
import * as api from "../src/index.js";

describe("@eoc/adapter-http", () => {
  it("exports exactly these values", () => {
    expect(Object.keys(api).sort()).toEqual([
      "HttpUnknownError",
      "bearerToken",
      "createExecutionHandler",
      "createHttpExecutor",
      "guardLookup",
      "outcomeOfReport",
      "toNodeListener",
    ]);
  });
});

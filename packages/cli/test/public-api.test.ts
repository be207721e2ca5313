import { describe, expect, it } from "vitest";
import * as cli from "../src/index.js";

describe("the public names", () => {
  it("of @eoc/cli are these", () => {
    expect(Object.keys(cli).sort()).toEqual(["EXIT", "main"]);
  });

  it("are exit codes that scripts rely on", () => {
    expect(cli.EXIT).toEqual({ ok: 0, failed: 1, usage: 2, denied: 3, unknown: 4 });
  });
});

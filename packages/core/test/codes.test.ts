import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { codesPage } from "../scripts/generate-codes.js";
import { EOC_ERROR_CODES, TERMINAL_REASONS } from "../src/index.js";

describe("docs/codes.md", () => {
  it("is what the sources make of it", () => {
    expect(readFileSync(new URL("../../../docs/codes.md", import.meta.url), "utf8")).toBe(codesPage());
  });

  it("has every code, once", () => {
    const rows = [...codesPage().matchAll(/^\| `([a-z_]+)`/gm)].map((found) => found[1]);
    expect(rows).toEqual([...Object.keys(TERMINAL_REASONS), ...EOC_ERROR_CODES]);
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readVectors } from "./vectors.ts";

const page = readFileSync(new URL("../../../docs/reference-differences.md", import.meta.url), "utf8");

describe("docs/reference-differences.md", () => {
  it.each(["types", "trace_keys", "compat"])("lists every difference of %s.json with its number of cases", (name) => {
    const vectors = readVectors(new URL(`./vectors/${name}.json`, import.meta.url));
    const counts = new Map<string, number>();
    for (const { category } of [...vectors.section("upstream_gaps"), ...vectors.section("python_quirks")]) {
      counts.set(category, (counts.get(category) ?? 0) + 1);
    }
    for (const [category, count] of counts) expect(page).toContain(`\`${category}\` (${count})`);
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { generatedFiles } from "../scripts/generate.ts";
import { FinalDecisionSchema, PacketV2Schema, ProposalSchema } from "../src/index.ts";
import { readVectors } from "./vectors.ts";

const root = new URL("../../../", import.meta.url);

describe("generated files", () => {
  it.each([...generatedFiles()])("%s is what scripts/generate.ts writes", (path, text) => {
    expect(readFileSync(new URL(path, root), "utf8")).toBe(text);
  });

  it("has no file in json/ that nothing writes", () => {
    const written = [...generatedFiles().keys()]
      .filter((path) => path.endsWith(".json"))
      .map((path) => path.split("/").at(-1));
    expect(readdirSync(new URL("../json", import.meta.url)).sort()).toEqual(written.sort());
  });
});

describe("a shipped JSON Schema", () => {
  const vectors = readVectors(new URL("./vectors/types.json", import.meta.url));
  const cases = [...vectors.section("cases"), ...vectors.section("upstream_gaps")];
  const shipped = (name: string) =>
    z.fromJSONSchema(JSON.parse(readFileSync(new URL(`../json/${name}.json`, import.meta.url), "utf8")));

  it.each([
    ["final-decision", FinalDecisionSchema, "final_decision", "fields"],
    ["proposal", ProposalSchema, "proposal", "fields"],
    ["packet-v2", PacketV2Schema, "packet_from_dict", "data"],
  ] as const)("takes and refuses what the zod schema does: %s", (name, schema, op, argument) => {
    // JSON Schema cannot say which versions are compatible.
    const inputs = cases.filter(
      ({ input, category }) => input["op"] === op && category !== "schema_version_not_checked",
    );
    expect(inputs.length).toBeGreaterThan(30);
    for (const { name: title, input } of inputs) {
      const value = input[argument];
      expect(shipped(name).safeParse(value).success, title).toBe(schema.safeParse(value).success);
    }
  });
});

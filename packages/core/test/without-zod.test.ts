import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const source = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The files that a bundler looks at for these exports, types left out. */
async function filesOf(names: string, entry: string): Promise<string[]> {
  const { metafile } = await build({
    stdin: { contents: `export ${names} from ${JSON.stringify(entry)}`, resolveDir: import.meta.dirname },
    alias: {
      "@eoc/decision-schema/read": source("decision-schema/src/read.ts"),
      "@eoc/decision-schema": source("decision-schema/src/index.ts"),
    },
    bundle: true,
    format: "esm",
    metafile: true,
    platform: "browser",
    write: false,
  });
  return Object.keys(metafile.inputs);
}

const zod = (files: string[]) => files.filter((file) => /[\\/]zod[\\/]/.test(file));

describe("zod", () => {
  it.each([
    ["execute", "{ execute }", "core/src/index.ts"],
    ["all of @eoc/core", "*", "core/src/index.ts"],
    ["the machine", "*", "core/src/machine/index.ts"],
    ["@eoc/decision-schema/read", "*", "decision-schema/src/read.ts"],
  ])("is no part of a bundle of %s, nor looked at for it", async (_, names, entry) => {
    const files = await filesOf(names, source(entry));
    expect(files.length).toBeGreaterThan(5);
    expect(zod(files)).toEqual([]);
  });

  it("is found where it is: in the schemas", async () => {
    expect(zod(await filesOf("{ FinalDecisionSchema }", "@eoc/decision-schema")).length).toBeGreaterThan(5);
  });
});

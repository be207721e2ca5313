import { runInNewContext } from "node:vm";
import { build, type Format } from "esbuild";
import { describe, expect, it } from "vitest";
import { digestDecision, sha256Hex } from "../src/index.ts";

const index = new URL("../src/index.ts", import.meta.url).pathname;
const read = new URL("../src/read.ts", import.meta.url).pathname;
const decision = { action: "ACT", params: { n: 1 } } as const;

async function bundle(source: string, format: Format) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: new URL(".", import.meta.url).pathname, loader: "ts" },
    bundle: true,
    format,
    globalName: "schema",
    metafile: true,
    minify: true,
    platform: "browser",
    target: "es2022",
    write: false,
  });
  const [output] = Object.values(metafile.outputs);
  return { code: outputFiles[0]!.text, inputs: output!.inputs, imports: output!.imports };
}

/** The parts of a bundle that come from a package, or from a file of ours, in bytes. */
function bytesFrom(inputs: Record<string, { bytesInOutput: number }>, part: string): number {
  return Object.entries(inputs).reduce(
    (sum, [path, { bytesInOutput }]) => sum + (path.includes(part) ? bytesInOutput : 0),
    0,
  );
}

describe("a bundle of @eoc/decision-schema", () => {
  it("for browsers runs without anything of Node", async () => {
    const { code, imports } = await bundle(`export * from ${JSON.stringify(index)}`, "iife");
    expect(imports).toEqual([]);
    expect(code).not.toMatch(/["']node:/);
    // A realm with nothing but the language and what every browser and worker has.
    const result = runInNewContext(`${code}; schema.digestDecision(${JSON.stringify(decision)})`, { TextEncoder });
    expect(result).toBe(digestDecision(decision));
  });

  it("as an ES module and as CommonJS gives the same functions", async () => {
    const source = `export { sha256Hex } from ${JSON.stringify(index)}`;
    const esm = await bundle(source, "esm");
    const { sha256Hex: fromEsm } = await import(`data:text/javascript,${encodeURIComponent(esm.code)}`);
    const cjs = await bundle(source, "cjs");
    const module: { exports: { sha256Hex?: typeof sha256Hex } } = { exports: {} };
    runInNewContext(cjs.code, { module, TextEncoder });
    expect(fromEsm("x")).toBe(sha256Hex("x"));
    expect(module.exports.sha256Hex!("x")).toBe(sha256Hex("x"));
  });

  it("has no zod where only keys, versions, canonical JSON or hashes are used", async () => {
    const names = "isCompatible, validateExternal, canonicalJson, sha256Hex, isSchemaError, CONTEXT_KEY_REGISTRY";
    const { inputs } = await bundle(`export { ${names} } from ${JSON.stringify(index)}`, "esm");
    expect(bytesFrom(inputs, "/zod/")).toBe(0);
    expect(bytesFrom(inputs, "src/canonical-json.ts")).toBeGreaterThan(0);
  });

  it("of all that does without zod has no zod, schemas, packets, proposals and registries", async () => {
    const { inputs } = await bundle(`export * from ${JSON.stringify(read)}`, "esm");
    for (const part of ["/zod/", "schemas", "packet-v2", "proposal", "trace-keys", "compat", "wire-form"])
      expect(bytesFrom(inputs, part)).toBe(0);
    expect(bytesFrom(inputs, "decision-schema/src/")).toBeLessThan(11_000);
  });

  it("for browsers reads without what engines of before 2023 lack", async () => {
    const { code } = await bundle(`export { readDecision } from ${JSON.stringify(read)}`, "iife");
    const source = `delete String.prototype.isWellFormed; ${code};
      [schema.readDecision({ action: "ACT", params: { t: "a" } }), schema.readDecision({ action: "ACT", params: { t: "\\ud800" } })]`;
    expect(JSON.parse(JSON.stringify(runInNewContext(source)))).toEqual([
      { success: true, data: { action: "ACT", allowed: true, reasons: [], params: { t: "a" } } },
      {
        success: false,
        issues: [{ path: "params.t", expected: "a string without lone surrogates", received: "string" }],
      },
    ]);
  });
});

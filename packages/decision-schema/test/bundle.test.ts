import { runInNewContext } from "node:vm";
import { build, type Format } from "esbuild";
import { describe, expect, it } from "vitest";
import { digestDecision, sha256Hex } from "../src/index.ts";

const index = new URL("../src/index.ts", import.meta.url).pathname;
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

  it("of what @eoc/core uses leaves out packets, proposals and registries", async () => {
    const names = "FinalDecisionSchema, ExecutionContextSchema, toIssues, checkJson, canonicalJson, sha256Hex";
    const { inputs } = await bundle(`export { ${names} } from ${JSON.stringify(index)}`, "esm");
    for (const part of ["packet-v2", "proposal", "trace-keys", "compat", "wire-form"])
      expect(bytesFrom(inputs, `src/${part}.ts`)).toBe(0);
    expect(bytesFrom(inputs, "decision-schema/src/")).toBeLessThan(6000);
  });
});

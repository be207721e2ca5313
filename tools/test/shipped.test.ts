import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const packages = join(import.meta.dirname, "../../packages");

interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  license?: string;
  sideEffects?: boolean | string[];
  files?: string[];
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

const manifestOf = (folder: string) =>
  JSON.parse(readFileSync(join(packages, folder, "package.json"), "utf8")) as Manifest;
const published = readdirSync(packages).filter((folder) => !manifestOf(folder).private);

/** What may say `node:` in its built files: entries that are for Node alone. */
const FOR_NODE = /^(node|bin|cli|undici)\b/;

/** Packages that are for Node alone. */
const FOR_NODE_AS_A_WHOLE: ReadonlySet<string> = new Set(["cli", "store-sqlite"]);

describe("what ships", () => {
  it("core has one runtime dependency, the contract", () => {
    const { dependencies, peerDependencies } = manifestOf("core");
    expect(Object.keys(dependencies ?? {})).toEqual(["@eoc/decision-schema"]);
    expect(peerDependencies).toBeUndefined();
  });

  it.each([
    ["an ES module", "module", "const { execute } = await import('@eoc/core');"],
    ["CommonJS", "commonjs", "const { execute } = require('@eoc/core');"],
  ])("core executes where zod is not installed, as %s", (_, type, load) => {
    const project = mkdtempSync(join(tmpdir(), "eoc-without-zod-"));
    try {
      for (const folder of ["core", "decision-schema"]) {
        for (const part of ["package.json", "dist"])
          cpSync(join(packages, folder, part), join(project, "node_modules/@eoc", folder, part), { recursive: true });
      }
      const main = `${load}
const decisions = [{ action: "ACT" }, { action: "BUY" }];
Promise.all(decisions.map((decision) => execute(decision, {}, {}, () => ({ ok: true }))))
  .then((reports) => console.log(reports.map(({ status }) => status).join()));`;
      // A package manager's launcher adds its own store to where modules are looked for.
      const env = { ...process.env, NODE_PATH: "" };
      const run = (text: string) =>
        execFileSync(process.execPath, [`--input-type=${type}`, "--eval", text], {
          cwd: project,
          encoding: "utf8",
          env,
          stdio: "pipe",
        });
      expect(run(main)).toBe("success,denied\n");
      expect(() => run(main.replace("@eoc/core", "@eoc/decision-schema"))).toThrow(/Cannot find \w+ 'zod'/);
    } finally {
      rmSync(project, { recursive: true });
    }
  });

  for (const folder of published) {
    const manifest = manifestOf(folder);

    it(`${folder} says what it is and ships nothing that it need not`, () => {
      expect(manifest).toMatchObject({ name: `@eoc/${folder}`, license: "MIT" });
      // Only what extends a test runner has effects when it is imported.
      const { sideEffects } = manifest;
      expect(
        sideEffects === false || (Array.isArray(sideEffects) && !sideEffects.some((file) => /index/.test(file))),
      ).toBe(true);
      expect(manifest.files).toContain("dist");
      expect(readdirSync(join(packages, folder))).toContain("README.md");
    });

    it(`${folder} imports no node: module outside its entries for Node`, () => {
      const dist = join(packages, folder, "dist");
      const built = readdirSync(dist).filter((file) => /\.(js|cjs)$/.test(file));
      expect(built.length).toBeGreaterThan(0);
      const offenders = built.filter(
        (file) =>
          !FOR_NODE.test(file) &&
          /\b(from|import|require)\b\s*\(?\s*["']node:/.test(readFileSync(join(dist, file), "utf8")),
      );
      expect(FOR_NODE_AS_A_WHOLE.has(folder) ? [] : offenders).toEqual([]);
    });

    if (/^(trace|testkit|adapter-|store-)/.test(folder)) {
      it(`${folder} takes core as a peer over a wide range, so that a minor of core pushes nobody to a major`, () => {
        expect(manifest.peerDependencies?.["@eoc/core"]).toBe(">=0.1.0 <1.0.0");
      });
    }
  }
});

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Every check but the tests, each with its time; all run, so that one look shows everything that is wrong. */
const packages = readdirSync("packages")
  .map((name) => `packages/${name}`)
  .filter((folder) => !JSON.parse(readFileSync(`${folder}/package.json`, "utf8")).private);

const steps: [name: string, command: string, ...args: string[]][] = [
  ["format and lint", "biome", "check", "--error-on-warnings", "."],
  ["snippets", "node", "tools/extract-snippets.ts"],
  ["guarantees", "node", "tools/guarantees/page.ts"],
  ["parameter index", "node", "tools/parameter-index.ts"],
  ["llms.txt", "node", "tools/llms.ts"],
  ["links, anchors, commands", "node", "tools/check-links.ts"],
  ["types", "tsc", "-p", "tsconfig.json"],
  ["unused code", "knip"],
  ["what a change would release", "node", "tools/release-plan.ts"],
  ["API reference", "typedoc"],
  ["site, and its links", "node", "tools/site.ts"],
  ["size", "size-limit"],
  ...packages.flatMap((folder): typeof steps => [
    [`${folder}: publint`, "publint", folder, "--strict"],
    [`${folder}: types as seen by users`, "attw", "--pack", folder, "--quiet", "--profile", "node16"],
  ]),
];

let failed = 0;
for (const [name, command, ...args] of steps) {
  const started = Date.now();
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 2 ** 26 });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (status === 0) continue;
  failed++;
  console.log(`${stdout}${stderr}`);
}
console.log(failed === 0 ? `all ${steps.length} checks passed` : `${failed} of ${steps.length} checks failed`);
process.exitCode = failed === 0 ? 0 : 1;

// Loads what ships, as ESM and as CommonJS, on the Node (Bun, Deno) that runs this file, and executes one decision.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const packages = [
  "decision-schema",
  "core",
  "trace",
  "testkit",
  "adapter-http",
  "store-sqlite",
  "store-postgres",
  "store-redis",
];

for (const name of packages) {
  const folder = new URL(`../packages/${name}/`, import.meta.url);
  const esm = await import(new URL("dist/index.js", folder).href);
  const cjs = require(new URL("dist/index.cjs", folder).pathname);
  const missing = Object.keys(esm).filter((key) => !(key in cjs));
  if (Object.keys(esm).length === 0 || missing.length > 0) throw new Error(`${name}: CommonJS lacks ${missing}`);
}

const { execute } = await import(new URL("../packages/core/dist/index.js", import.meta.url).href);
const report = await execute({ action: "ACT", allowed: true, reasons: [] }, {}, {}, () => ({ ok: true, value: 1 }));
if (report.status !== "success" || report.actions[0].value !== 1)
  throw new Error(`unexpected: ${JSON.stringify(report)}`);
console.log(
  `smoke: ${packages.length} packages load and execute on ${process.release?.name ?? "this runtime"} ${process.version}`,
);

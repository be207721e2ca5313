// Packs every package as it would be published, installs it into fresh projects of each kind, and uses it there: `pnpm check:packages`, after a build.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { followQuickStart } from "./follow-quick-start.ts";
import { asVersion, type Packed, packAll, run, serveRegistry } from "./local-registry.ts";
import { writeAdapter } from "./new-adapter.ts";
import { type Installed, tooWide } from "./node-ranges.ts";
import { tryRanges } from "./range-ends.ts";

/** Packages whose main entry runs in browsers. */
const FOR_BROWSERS = ["@eoc/core", "@eoc/decision-schema", "@eoc/trace", "@eoc/testkit", "@eoc/adapter-http"];
const root = join(import.meta.dirname, "..");
const ARGS = ["--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];

const packed = await packAll();
const names = packed.map(({ manifest }) => manifest.name);
/** Every way in, such as `@eoc/core/machine`. */
const entries = packed.flatMap(({ manifest: { name, exports } }) =>
  Object.entries(exports)
    .filter(([, target]) => typeof target === "object")
    .map(([path]) => join(name, path)),
);
/** Peers that somebody need not have: an entry may do without, and say so. */
const optional = packed.flatMap(({ manifest: { peerDependenciesMeta = {} } }) =>
  Object.entries(peerDependenciesMeta).flatMap(([name, { optional: may }]) => (may ? [name] : [])),
);

/** The lowest Node that each entry's package takes, as major and minor. */
function lowestNode(): Record<string, readonly [number, number]> {
  return Object.fromEntries(
    entries.map((entry) => {
      const owner = packed.find(({ manifest: { name } }) => entry === name || entry.startsWith(`${name}/`));
      const [, major = "0", minor = "0"] = />=(\d+)(?:\.(\d+))?/.exec(owner?.manifest.engines?.node ?? "") ?? [];
      return [entry, [Number(major), Number(minor)] as const];
    }),
  );
}

const DECISION = '{ action: "ACT", allowed: true, reasons: [] }';
const SUCCEEDS = `const report = await execute(${DECISION}, {}, {}, () => ({ ok: true, value: 1 }));
if (report.status !== "success" || report.actions[0].value !== 1) throw new Error(JSON.stringify(report));`;
const TOLERATED = `const optional = ${JSON.stringify(optional)};
const lowest = ${JSON.stringify(lowestNode())};
const [major, minor] = process.versions.node.split(".").map(Number);
/** Without an optional peer, or on a Node that the package does not take, it may refuse, and has to say why. */
const tolerated = (error, entry) => {
  const [wantedMajor, wantedMinor] = lowest[entry];
  const tooOld = major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
  return optional.some((name) => String(error.message).includes("'" + name)) || (tooOld && /needs Node/.test(error.message));
};`;

const ESM = `${TOLERATED}
for (const entry of ${JSON.stringify(entries)}) {
  try {
    if (Object.keys(await import(entry)).length === 0) throw new Error(entry + " exports nothing");
  } catch (error) {
    if (!tolerated(error, entry)) throw error;
  }
}
const { execute } = await import("@eoc/core");
${SUCCEEDS}`;
const CJS = `${TOLERATED}
for (const entry of ${JSON.stringify(entries)}) {
  try {
    if (Object.keys(require(entry)).length === 0) throw new Error(entry + " exports nothing");
  } catch (error) {
    if (!tolerated(error, entry)) throw error;
  }
}
const { execute } = require("@eoc/core");
(async () => {
${SUCCEEDS}
})().catch((error) => { console.error(error); process.exitCode = 1; });`;
const TYPED = `${entries
  .filter((entry) => !/\/(jest|vitest)$/.test(entry)) // For a test runner, which brings types of its own: docs/quick-start.md has one.
  .map((entry, index) => `import * as e${index} from "${entry}";\nexport const used${index}: object = e${index};`)
  .join("\n")}
import { execute, type ExecutionReport, type Executor } from "@eoc/core";
const executor: Executor = async (action) => (action.params?.["n"] === 1 ? { ok: true } : { ok: false, code: "no" });
export const report: ExecutionReport = await execute({ action: "ACT" }, {}, { retry: { maxRetries: 1 } }, executor);
// @ts-expect-error: a misspelt bound is no bound.
export const wrong = await execute({ action: "ACT" }, {}, { retry: { maxRetrys: 1 } }, executor);
`;

/** Every kind of Node's servers takes a listener. */
const LISTENERS = `import { createServer } from "node:http";
import { createServer as createHttp2Server, createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { type ExecutionHandler, toNodeListener } from "@eoc/adapter-http";
export const servers = (handler: ExecutionHandler) => [
  createServer(toNodeListener(handler)),
  createHttpsServer(toNodeListener(handler)),
  createHttp2Server(toNodeListener(handler)),
  createSecureServer({ allowHTTP1: true }, toNodeListener(handler)),
];
`;

const openFolders: string[] = [];

/** A fresh project with these packages in it. */
async function project(files: Record<string, string>, install: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "eoc-project-"));
  openFolders.push(folder);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  await run("npm", ["install", ...ARGS, ...install], folder, registry.env);
  return folder;
}

const manifest = (type: "module" | "commonjs", rest = {}) => JSON.stringify({ private: true, type, ...rest });
const tsconfig = (compilerOptions: Record<string, unknown>) =>
  JSON.stringify({
    compilerOptions: { strict: true, noEmit: true, target: "es2022", types: ["node"], ...compilerOptions },
    include: ["*.ts", "*.mts"],
  });
const FOR_TYPES = ["typescript@~6.0.3", "@types/node@24", "expect@29", "fast-check@4"];

/** Every entry loads; what is installed runs no script, and takes every Node that ours take. */
async function esm(): Promise<void> {
  const folder = await project({ "package.json": manifest("module"), "main.js": ESM }, names);
  await run("node", ["main.js"], folder);
  const lock = JSON.parse(readFileSync(join(folder, "node_modules/.package-lock.json"), "utf8"));
  const installed: Record<string, Installed & { hasInstallScript?: boolean }> = lock.packages;
  const scripted = Object.entries(installed)
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([path]) => path);
  if (scripted.length > 0) throw new Error(`install scripts at run time: ${scripted.join(", ")}`);
  const wide = tooWide(installed);
  if (wide.length > 0) throw new Error(wide.join("\n"));
}

async function cjs(): Promise<void> {
  const folder = await project({ "package.json": manifest("commonjs"), "main.js": CJS }, names);
  await run("node", ["main.js"], folder);
}

/** Both ways of resolving, in one folder: what is installed is the same; then under the types of a newer Node. */
async function typescript(): Promise<void> {
  const files = {
    "package.json": manifest("commonjs"),
    "main.mts": TYPED,
    "listeners.mts": LISTENERS,
    "nodenext.json": tsconfig({ module: "nodenext" }),
    "bundler.json": tsconfig({ module: "preserve", moduleResolution: "bundler", lib: ["es2023", "dom"] }),
  };
  const folder = await project(files, [...names, ...FOR_TYPES]);
  await Promise.all(["nodenext.json", "bundler.json"].map((file) => run("npx", ["tsc", "-p", file], folder)));
  await run("npm", ["install", ...ARGS, "@types/node@26"], folder, registry.env);
  await run("npx", ["tsc", "-p", "nodenext.json"], folder);
}

/** The bundle of a page, which says nothing of Node, and runs. */
async function vite(): Promise<void> {
  const page = `${FOR_BROWSERS.map((name, index) => `import * as p${index} from "${name}";`).join("\n")}
import { execute } from "@eoc/core";
globalThis.loaded = [${FOR_BROWSERS.map((_, index) => `Object.keys(p${index}).length`).join()}];
globalThis.done = execute(${DECISION}, {}, {}, () => ({ ok: true })).then((report) => report.status);`;
  const files = {
    "package.json": manifest("module"),
    "index.html": '<!doctype html><script type="module" src="/page.js"></script>',
    "page.js": page,
    // Its polyfill looks for a document, which Node has not.
    "vite.config.js": "export default { build: { modulePreload: false } };",
    "run.js": `await import("./dist/assets/" + process.argv[2]);
if ((await globalThis.done) !== "success" || globalThis.loaded.includes(0)) throw new Error("the bundle does not work");`,
  };
  const folder = await project(files, [...FOR_BROWSERS, "vite@8"]);
  const printed = await run("npx", ["vite", "build"], folder);
  if (/externalized for browser/.test(printed)) throw new Error(printed);
  const [bundle = ""] = readdirSync(join(folder, "dist/assets"));
  if (/["']node:/.test(readFileSync(join(folder, "dist/assets", bundle), "utf8")))
    throw new Error("the bundle needs Node");
  await run("node", ["run.js", bundle], folder);
}

/** jest as it is without any configuration: CommonJS. */
async function jest(): Promise<void> {
  const test = `const { execute } = require("@eoc/core");
const { createVirtualClock, createScriptedExecutor, rejects, succeeds } = require("@eoc/testkit");
expect.extend(require("@eoc/testkit/matchers").matchers);
test("a retry", async () => {
  const clock = createVirtualClock();
  const executor = createScriptedExecutor([rejects("busy"), succeeds()], { clock });
  const report = await clock.run(() => execute(${DECISION}, {}, {}, executor, { clock }));
  expect(report).toHaveSucceeded();
  expect(executor).toHaveDispatched(2);
});`;
  const files = { "package.json": manifest("commonjs"), "retry.test.js": test };
  const folder = await project(files, ["@eoc/core", "@eoc/testkit", "jest@29"]);
  await run("npx", ["jest"], folder);
}

/** Both ends of the range over which core is a peer: the versions below 1.0.0 are taken, 1.0.0 is refused. */
async function peers(): Promise<void> {
  const core = packed.find(({ manifest: { name } }) => name === "@eoc/core") as Packed;
  const others = packed.filter(({ manifest: { peerDependencies = {} } }) => "@eoc/core" in peerDependencies);
  const versions = await Promise.all(["0.1.0", "0.999.0", "1.0.0"].map((version) => asVersion(core, version)));
  const ends = await serveRegistry([...versions, ...packed.filter((each) => each !== core)]);
  try {
    for (const [version, taken] of [
      ["0.1.0", true],
      ["0.999.0", true],
      ["1.0.0", false],
    ] as const) {
      const folder = mkdtempSync(join(tmpdir(), "eoc-peers-"));
      openFolders.push(folder);
      writeFileSync(join(folder, "package.json"), manifest("module"));
      const wanted = [`@eoc/core@${version}`, ...others.map(({ manifest: { name } }) => name)];
      const args = ["install", ...ARGS, "--package-lock-only", "--strict-peer-deps", ...wanted];
      const outcome = await run("npm", args, folder, ends.env).then(
        () => "taken",
        (error: Error) => (/ERESOLVE/.test(error.message) ? "refused" : error.message),
      );
      if (outcome !== (taken ? "taken" : "refused")) throw new Error(`core ${version} is ${outcome}`);
    }
  } finally {
    ends.close();
  }
}

/** What `pnpm new:adapter` makes is formatted, typed, built and held to its contract, as any other package here. */
async function newAdapter(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "eoc-new-adapter-"));
  openFolders.push(folder);
  writeAdapter("sample-mail", folder);
  const adapter = join(folder, "packages/adapter-sample-mail");
  mkdirSync(join(adapter, "node_modules/@eoc"), { recursive: true });
  for (const name of ["core", "testkit"])
    symlinkSync(join(root, "packages", name), join(adapter, "node_modules/@eoc", name));
  symlinkSync(adapter, join(adapter, "node_modules/@eoc/adapter-sample-mail"));
  for (const name of ["node_modules", "tools", "tsconfig.base.json"]) symlinkSync(join(root, name), join(folder, name));
  const biome = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
  writeFileSync(join(folder, "biome.json"), JSON.stringify({ ...biome, vcs: { enabled: false } }));
  writeFileSync(join(folder, "package.json"), manifest("module"));
  const bin = (name: string) => join(root, "node_modules/.bin", name);
  await run(bin("biome"), ["check", "--write", "--error-on-warnings", "packages"], folder);
  await run(bin("tsup"), ["--silent"], adapter);
  await run(bin("publint"), [".", "--strict"], adapter);
  await run(bin("vitest"), ["run"], adapter);
}

const CHECKS: Record<string, () => Promise<unknown>> = {
  "ESM, no install script, and no Node that a dependency refuses": esm,
  CommonJS: cjs,
  "TypeScript, nodenext and bundler": typescript,
  "Vite, for browsers": vite,
  "jest, CommonJS": jest,
  "core's peer range, both ends": peers,
  "every other peer's range and Node's, both ends": () => tryRanges(packed, project),
  "a new adapter from the template": newAdapter,
  "docs/quick-start.md, to the letter": () => followQuickStart(registry.env),
};

const registry = await serveRegistry(packed);
let failed = 0;
console.log(`${packed.length} packages, ${entries.length} entries`);
/** A word of a check's name runs that one alone. */
const [only = ""] = process.argv.slice(2);
for (const [name, check] of Object.entries(CHECKS).filter(([name]) => name.includes(only))) {
  const started = Date.now();
  const problem = await check().then(
    () => undefined,
    (error: Error) => error.message,
  );
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(
    `${problem === undefined ? "ok    " : "FAILED"} ${name} (${seconds} s)${problem === undefined ? "" : `\n${problem.slice(-4000)}`}`,
  );
  if (problem !== undefined) failed++;
}
registry.close();
for (const folder of openFolders) rmSync(folder, { recursive: true, force: true });
process.exitCode = failed === 0 ? 0 : 1;

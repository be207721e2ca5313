// Runs what ships, unchanged, in Node 20, 22, 24 and 26, Bun, Deno and Chromium. Run it after a build: `pnpm check:runtimes`.
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build } from "tsup";

const root = join(import.meta.dirname, "..");
const runtimes = join(root, ".runtimes");

/** The npm packages bring their binaries; they live apart from the workspace, since nobody else needs them. */
const PACKAGES = {
  "node-20": "npm:node@20",
  "node-22": "npm:node@22",
  "node-24": "npm:node@24",
  "node-26": "npm:node@26",
  bun: "1",
  deno: "2",
};

function install(): void {
  mkdirSync(runtimes, { recursive: true });
  const manifest = JSON.stringify({ private: true, dependencies: PACKAGES }, null, 2);
  const file = join(runtimes, "package.json");
  if (existsSync(file) && readFileSync(file, "utf8") === manifest) return;
  writeFileSync(file, manifest);
  try {
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: runtimes,
      stdio: "inherit",
    });
  } catch (error) {
    rmSync(file);
    throw error;
  }
}

const bin = (name: string, file: string) => join(runtimes, "node_modules", name, "bin", file);

const COMMANDS: Record<string, [string, ...string[]]> = {
  "Node 20": [bin("node-20", "node")],
  "Node 22": [bin("node-22", "node")],
  "Node 24": [bin("node-24", "node")],
  "Node 26": [bin("node-26", "node")],
  Bun: [join(runtimes, "node_modules", ".bin", "bun")],
  Deno: [join(runtimes, "node_modules", ".bin", "deno"), "run", "--allow-read", "--allow-env"],
};

/** What runs in each of them, with what Deno lets it do besides. */
const SCRIPTS: Record<string, readonly string[]> = {
  [join(root, "tools", "smoke.mjs")]: [],
  [join(root, "packages/adapter-http/scripts/host-check.mjs")]: ["--allow-net=127.0.0.1"],
  [join(root, "packages/adapter-http/scripts/sent-once-check.mjs")]: ["--allow-net=127.0.0.1"],
};

/** One page that runs the bundle of core as a browser would load it, and writes what came of it into its title. */
async function inChromium(): Promise<void> {
  const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  if (chromium === undefined) throw new Error("no Chromium here: apt-get install chromium");
  const outDir = mkdtempSync(join(tmpdir(), "eoc-page-"));
  await build({
    entry: { page: join(root, "tools", "smoke-page.ts") },
    outDir,
    format: "esm",
    platform: "browser",
    noExternal: [/.*/],
    silent: true,
    config: false,
  });
  const script = readFileSync(join(outDir, "page.js"), "utf8");
  const server = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : '<!doctype html><title>…</title><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const profile = `--user-data-dir=${mkdtempSync(join(tmpdir(), "eoc-chromium-"))}`;
  const url = `http://127.0.0.1:${port}/`;
  try {
    const dom = await new Promise<string>((resolve) => {
      const args = [...flags, ...quiet, profile, "--virtual-time-budget=5000", "--dump-dom", url];
      execFile(chromium, args, (_, stdout) => resolve(stdout));
    });
    const title = /<title>(.*?)<\/title>/.exec(dom)?.[1];
    if (title !== "success 1") throw new Error(`the page says: ${title}`);
  } finally {
    server.close();
  }
}

install();
let failed = 0;
const report = (name: string, problem: string | undefined) => {
  console.log(`${problem === undefined ? "ok    " : "FAILED"} ${name}${problem === undefined ? "" : `\n${problem}`}`);
  if (problem !== undefined) failed++;
};
for (const [name, [command, ...args]] of Object.entries(COMMANDS)) {
  for (const [script, permissions] of Object.entries(SCRIPTS)) {
    const parameters = [...args, ...(name === "Deno" ? permissions : []), script];
    const { status, stdout, stderr, error } = spawnSync(command, parameters, { encoding: "utf8", timeout: 60_000 });
    const problem = status === 0 ? undefined : `${error?.message ?? ""}${stdout}${stderr}`;
    report(`${name} ${basename(script)}`, problem);
  }
}
await inChromium().then(
  () => report("Chromium", undefined),
  (error: Error) => report("Chromium", error.message),
);
process.exitCode = failed === 0 ? 0 : 1;

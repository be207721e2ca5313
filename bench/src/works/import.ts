import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import type { Contestant, Work } from "../contest.ts";
import { median } from "../measure/results.ts";

const PROBES = 7;

/** Run in a process that has imported nothing else: what it costs to import one module, then what it holds. */
const PROBE = `
const [specifier] = process.argv.slice(1);
gc();
const heap = process.memoryUsage().heapUsed;
const before = process.cpuUsage();
await import(specifier);
const { user, system } = process.cpuUsage(before);
gc();
console.log(JSON.stringify({ ms: (user + system) / 1000, mb: (process.memoryUsage().heapUsed - heap) / 1e6 }));
`;

function probe(specifier: string): { ms: number; mb: number } {
  const flags = ["--expose-gc", "--input-type=module", "--eval", PROBE, specifier];
  return JSON.parse(execFileSync(process.execPath, flags, { cwd: import.meta.dirname, encoding: "utf8" }));
}

function importing(specifier: string): Contestant {
  return {
    run: (count) => {
      // What the parent spends on starting a process says nothing of the import: the gauges do.
      for (let i = 0; i < Math.min(count, 1); i++) probe(specifier);
    },
    gauges: {
      ms: () => median(Array.from({ length: PROBES }, () => probe(specifier).ms)),
      MB: () => probe(specifier).mb,
      "kB min+gzip": () => bundledKb(specifier),
    },
  };
}

/** Everything that a caller of all of the module ships. */
async function bundledKb(specifier: string): Promise<number> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    stdin: { contents: `export * from ${JSON.stringify(specifier)};`, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length / 1000;
}

/** What a program pays before it executes anything. */
export const imports: Work = {
  name: "import",
  title: "Importing: CPU time, heap, and size in a bundle",
  operation: "import",
  floor: "@eoc/core",
  count: { full: 1, short: 1 },
  rounds: 1,
  withoutBytes: true,
  withoutTime: true,
  contestants: {
    "@eoc/core": () => importing("@eoc/core"),
    "@eoc/decision-schema": () => importing("@eoc/decision-schema"),
    "@eoc/decision-schema/read": () => importing("@eoc/decision-schema/read"),
    zod: () => importing("zod"),
    cockatiel: () => importing("cockatiel"),
    effect: () => importing("effect"),
    "p-retry": () => importing("p-retry"),
  },
  shows: [
    { show: 7, what: "import of core", value: (r) => r.gauge("@eoc/core", "ms"), atMost: 15, unit: "ms" },
    { show: 7, what: "heap after importing core", value: (r) => r.gauge("@eoc/core", "MB"), atMost: 6, unit: "MB" },
    {
      show: 7,
      what: "all of core in a bundle, which has no zod",
      value: (r) => r.gauge("@eoc/core", "kB min+gzip"),
      atMost: 12,
      unit: "kB",
    },
  ],
};

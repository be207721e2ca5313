import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/*
 * One and the same suite of the examples, on the built package, under three runners. Real processes: what is promised is
 * that they work.
 */
const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);

interface Outcome {
  readonly exitCode: number | null;
  readonly passed: readonly string[];
  readonly failed: readonly string[];
}

/** Runs Node and gives what it printed. The surrounding runner's variables are not passed on. */
function runNode(args: readonly string[], planted: boolean): Promise<{ exitCode: number | null; text: string }> {
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], EOC_PLANTED: planted ? "yes" : "no" };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.stderr.resume();
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, text }));
  });
}

interface JsonReport {
  testResults: { assertionResults: { title: string; status: string }[] }[];
}

/** vitest and jest write the same JSON, into a file. */
async function runForJson(args: readonly string[], planted: boolean): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "eoc-"));
  try {
    const outputFile = join(folder, "report.json");
    const { exitCode } = await runNode([...args, "--outputFile", outputFile], planted);
    const report = JSON.parse(await readFile(outputFile, "utf8")) as JsonReport;
    const results = report.testResults.flatMap((file) => file.assertionResults);
    const titles = (status: string) => results.filter((result) => result.status === status).map(({ title }) => title);
    return { exitCode, passed: titles("passed"), failed: titles("failed") };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function fromTap({ exitCode, text }: { exitCode: number | null; text: string }): Outcome {
  const titles = (verdict: string) =>
    [...text.matchAll(new RegExp(`^ {4}${verdict} \\d+ - (.*)$`, "gm"))].map((match) => match[1]!);
  return { exitCode, passed: titles("ok"), failed: titles("not ok") };
}

const packageOf = (name: string) => dirname(require.resolve(`${name}/package.json`));

function runJest(file: string, flags: readonly string[], planted: boolean): Promise<Outcome> {
  const cli = join(packageOf("jest"), "bin/jest.js");
  return runForJson([...flags, cli, "--config", "examples/jest.config.cjs", file, "--json"], planted);
}

const RUNNERS: Readonly<Record<string, (planted: boolean) => Promise<Outcome>>> = {
  vitest: (planted) => {
    const cli = join(packageOf("vitest"), "vitest.mjs");
    return runForJson([cli, "run", "--config", "examples/vitest.config.ts", "--reporter", "json"], planted);
  },
  "node:test": async (planted) =>
    fromTap(await runNode(["--test", "--test-reporter", "tap", "examples/node-test.mjs"], planted)),
  "jest as ES modules": (planted) => runJest("jest.test.mjs", ["--experimental-vm-modules"], planted),
  "jest as CommonJS": (planted) => runJest("jest.test.cjs", [], planted),
};

const PLANTED = [
  "keeps every promise on record",
  "survives whatever its transport does",
  "S7.2 of many claims at the same time, exactly one is claimed",
];

describe("the example suite", () => {
  for (const [name, run] of Object.entries(RUNNERS)) {
    it(`passes under ${name}, and fails where three faults are planted`, { timeout: 120_000 }, async () => {
      const [sound, planted] = await Promise.all([run(false), run(true)]);
      expect(sound).toMatchObject({ exitCode: 0, failed: [] });
      expect(sound.passed.length).toBeGreaterThan(45);
      for (const title of PLANTED) expect(sound.passed).toContain(title);
      expect(planted.exitCode).not.toBe(0);
      expect(planted.failed).toEqual(PLANTED);
      expect(planted.passed).toEqual(sound.passed.filter((title) => !PLANTED.includes(title)));
    });
  }
});

import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { record } from "../src/engine/recording.js";
import { scheduleSetup } from "../src/engine/schedules.js";
import { setupOfScenario } from "../src/engine/setup-of-scenario.js";
import { writeProgram, writeTest } from "../src/engine/write-code.js";
import { parseScenario } from "../src/scenario/scenario.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const run = promisify(execFile);
const root = new URL("../", import.meta.url).pathname;
// Within the app, so that what a copied test imports is found.
const folder = join(root, "out", `copied-${process.pid}`);

beforeAll(() => mkdir(folder, { recursive: true }));
afterAll(() => rm(folder, { recursive: true }));

interface VitestResult {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { message: string; assertionResults: { failureMessages: string[] }[] }[];
}

async function everySetup() {
  const decisions = new URL("../decisions/", import.meta.url);
  const setups = [];
  for (const file of (await readdir(decisions)).sort()) {
    const text = await readFile(new URL(file, decisions), "utf8");
    const policy = (JSON.parse(text) as { policy?: object }).policy ?? {};
    setups.push(setupOfScenario(parseScenario(file.replace(".json", ""), text), policy, "7"));
  }
  const base = setups.find(({ name }) => name === "02-refund-plan")!;
  const crashing = setups.find(({ name }) => name === "10-crash-after-send")!;
  return [
    ...setups,
    ...Array.from({ length: 6 }, (_, number) => scheduleSetup(base, number + 1)),
    ...Array.from({ length: 20 }, (_, number) => scheduleSetup(crashing, number + 1)).filter(({ world }) =>
      [...world.replies.values()].flat().some(({ crash }) => crash),
    ),
  ];
}

describe("what is copied from the page", () => {
  it("passes unmodified as a vitest test for every scenario and for random schedules, and comes to the same report", async () => {
    const setups = await everySetup();
    for (const [index, setup] of setups.entries()) {
      await writeFile(join(folder, `copied-${index}.test.ts`), writeTest(await record(setup)));
    }
    const config = join(folder, "vitest.config.mjs");
    await writeFile(
      config,
      `export default { test: { include: ["*.test.ts"], reporters: ["json"], outputFile: "result.json" } };\n`,
    );
    const vitest = join(root, "../../node_modules/vitest/vitest.mjs");
    await run(process.execPath, [vitest, "run", "--root", folder, "--config", config]).catch(() => {});
    const result = JSON.parse(await readFile(join(folder, "result.json"), "utf8")) as VitestResult;
    const failures = result.testResults.flatMap(({ message, assertionResults }) => [
      message,
      ...assertionResults.flatMap(({ failureMessages }) => failureMessages),
    ]);
    expect(failures.filter((failure) => failure !== "")).toEqual([]);
    expect([result.numPassedTests, result.numFailedTests]).toEqual([setups.length, 0]);
  });

  it("is a program as well, which type-checks", async () => {
    const setups = await everySetup();
    for (const [index, setup] of setups.entries()) {
      await writeFile(join(folder, `program-${index}.ts`), writeProgram(await record(setup)));
      await writeFile(join(folder, `copied-${index}.test.ts`), writeTest(await record(setup)));
    }
    const config = {
      extends: "../../../../tsconfig.base.json",
      compilerOptions: { lib: ["ES2023", "DOM"], types: [], noUnusedLocals: true },
      include: ["*.ts"],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(root, "../../node_modules/typescript/bin/tsc");
    const { stdout } = await run(process.execPath, [tsc, "-p", folder]).catch((error: { stdout: string }) => error);
    expect(stdout).toBe("");
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { main } from "../src/demo/main.js";

export interface DemoRun {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** The folder given as `--out`. */
  folder: string;
}

/** A folder that is gone after the test. */
export async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "eoc-playground-test-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** Runs the demo in this process, its records in a folder of their own. */
export async function runDemo(
  args: readonly string[],
  options: {
    folder?: string;
    stdin?: string;
    env?: Record<string, string>;
    isTTY?: boolean;
    signal?: AbortSignal;
  } = {},
): Promise<DemoRun> {
  const folder = options.folder ?? join(await aFolder(), "records");
  const written = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const exitCode = await main([...args, "--out", folder], {
    stdout: { ...stream("stdout"), isTTY: options.isTTY ?? false },
    stderr: stream("stderr"),
    stdin: (async function* () {
      yield new TextEncoder().encode(options.stdin ?? "");
    })(),
    env: options.env ?? {},
    scenarios: new URL("../decisions/", import.meta.url),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return { exitCode, ...written, folder };
}

/** The reports of a run with `--json`. */
export function reportsOf({ stdout }: DemoRun): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

export const bundled = (name: string) => new URL(`../decisions/${name}.json`, import.meta.url).pathname;

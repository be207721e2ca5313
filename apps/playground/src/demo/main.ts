import { access, constants, mkdir, mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { MalformedFile } from "./check-fields.js";
import { EXIT, type ExitCode, exitCodeOf, worstOf } from "./exit-code.js";
import { presentRun, presentSummary, toJsonLine } from "./present.js";
import { runScenario, type ScenarioRun } from "./run-scenario.js";
import { parseScenario, type Scenario } from "./scenario.js";
import { createStyle, printable, wantsColour } from "./style.js";
import { startWorldService } from "./world.js";

/** What the demo needs of its process. */
export interface DemoIo {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown };
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder of the bundled scenarios. */
  readonly scenarios: URL;
  /** Cancels what is running and starts nothing more. */
  readonly signal?: AbortSignal;
}

const HELP = `Executes decisions against a small HTTP service that behaves like the outside
world, and shows what really happened beside what naive retry would have done.

  demo [options] [file ...]

  file        a FinalDecision as JSON, or a scenario: { "decision": ..., ... };
              - reads standard input. Without any: the bundled scenarios.
  --json      one report per line on standard output, and nothing else
  --out DIR   where packets and journals go: a new or empty folder
              (default: a new folder among the system's temporary files)
  --help      this text

Exit codes: 0 ok, 1 failed, 2 usage or malformed file, 3 denied or halted,
4 unknown. With files the worst report decides; the bundled scenarios end in 0
when each went as its file expects, else in 1.
`;

/** A mistake of whoever called: one line for standard error. */
class UsageError extends Error {}

/** Runs the demo and gives its exit code. Nothing is dispatched before every file has been read and found to be in order. */
export async function main(argv: readonly string[], io: DemoIo): Promise<ExitCode> {
  try {
    const { files, json, out, help } = readArguments(argv);
    if (help) {
      io.stdout.write(HELP);
      return EXIT.ok;
    }
    const bundled = files.length === 0;
    const scenarios = bundled ? await bundledScenarios(io) : await readScenarios(files, io);
    const runs = await runAll(scenarios, await openFolder(out), json, io);
    const codes = runs.map(({ report, asExpected }) => {
      if (!bundled) return exitCodeOf(report);
      return asExpected ? EXIT.ok : EXIT.failed;
    });
    return worstOf(io.signal?.aborted ? [...codes, EXIT.denied] : codes);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`${printable(error.message)}\n`);
    return EXIT.usage;
  }
}

function readArguments(argv: readonly string[]) {
  try {
    const options = {
      json: { type: "boolean" },
      out: { type: "string" },
      help: { type: "boolean", short: "h" },
    } as const;
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    return { files: positionals, json: values.json === true, out: values.out, help: values.help === true };
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(". ")[0]} (see --help)`);
  }
}

async function bundledScenarios(io: DemoIo): Promise<Scenario[]> {
  const path = fileURLToPath(io.scenarios);
  const files = (await readdir(path)).filter((name) => name.endsWith(".json")).sort();
  const scenarios = await readScenarios(
    files.map((name) => join(path, name)),
    io,
  );
  // A bare decision cannot say what it expects.
  return scenarios.map((scenario) => ({ expect: { status: "success" }, ...scenario }));
}

async function readScenarios(files: readonly string[], io: DemoIo): Promise<Scenario[]> {
  const scenarios: Scenario[] = [];
  for (const file of files) {
    const wanted = file === "-" ? "stdin" : basename(file, ".json").replace(/[^\w.-]/g, "_");
    const name = scenarios.some((scenario) => scenario.name === wanted) ? `${wanted}-${scenarios.length + 1}` : wanted;
    try {
      scenarios.push(parseScenario(name, await readText(file, io)));
    } catch (error) {
      if (!(error instanceof MalformedFile)) throw error;
      throw new UsageError(`${file}: ${error.message}`);
    }
  }
  return scenarios;
}

async function readText(file: string, io: DemoIo): Promise<string> {
  if (file !== "-") {
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      throw new MalformedFile("", `it cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`);
    }
  }
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of io.stdin)
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

async function openFolder(out: string | undefined): Promise<string> {
  if (out === undefined) return mkdtemp(join(tmpdir(), "eoc-demo-"));
  try {
    await mkdir(out, { recursive: true });
    await access(out, constants.W_OK);
    if ((await readdir(out)).length > 0) throw new UsageError(`--out ${out}: the folder is not empty`);
    return out;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `--out ${out}: it cannot be used (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`,
    );
  }
}

async function runAll(
  scenarios: readonly Scenario[],
  folder: string,
  json: boolean,
  io: DemoIo,
): Promise<ScenarioRun[]> {
  const style = createStyle(wantsColour(io.stdout.isTTY === true, io.env));
  const service = await startWorldService();
  const runs: ScenarioRun[] = [];
  try {
    if (!json) io.stdout.write(`The outside world answers at ${service.origin}\n\n`);
    for (const [step, scenario] of scenarios.entries()) {
      if (io.signal?.aborted) break;
      const run = await runScenario(scenario, step, service, folder, io.signal);
      runs.push(run);
      io.stdout.write(json ? `${toJsonLine(run)}\n` : presentRun(run, style));
    }
  } finally {
    await service.close();
  }
  if (!json) io.stdout.write(presentSummary(runs, folder, style));
  return runs;
}

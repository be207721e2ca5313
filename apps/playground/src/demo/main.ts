import { access, constants, mkdir, mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { EXIT, type ExitCode, exitCodeOf, worstOf } from "./exit-code.js";
import { listToJson, presentList, presentRun, presentSummary, toJsonLine } from "./present.js";
import { runScenario, type ScenarioRun } from "./run-scenario.js";
import { readSources, type Source, UsageError } from "./sources.js";
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

  demo [options] [scenario or file ...]
  demo list

  scenario    one of the bundled scenarios by name, such as dropped-reply.
              Without any: all of them. \`demo list\` says which there are.
  file        a FinalDecision as JSON, or a scenario: { "decision": ..., ... };
              - reads standard input
  --seed S    the network is as slow as S says, and jitter is drawn from S:
              the same for both sides, again and again
  --json      one report per line on standard output, and nothing else
  --out DIR   where packets and journals go: a new or empty folder
              (default: a new folder among the system's temporary files)
  --help      this text

Exit codes: 0 ok, 1 failed, 2 usage or malformed file, 3 denied or halted,
4 unknown. With files the worst report decides; the bundled scenarios, all or
by name, end in 0 when each went as its file expects, else in 1.
`;

/** Runs the demo and gives its exit code. Nothing is dispatched before every file has been read and found to be in order. */
export async function main(argv: readonly string[], io: DemoIo): Promise<ExitCode> {
  try {
    const { names, json, out, help, seed } = readArguments(argv);
    if (help) {
      io.stdout.write(HELP);
      return EXIT.ok;
    }
    if (names.length === 1 && names[0] === "list") {
      const bundled = await readSources([], io);
      io.stdout.write(json ? listToJson(bundled) : presentList(bundled));
      return EXIT.ok;
    }
    const sources = await readSources(names, io);
    const runs = await runAll(sources, { folder: await openFolder(out), json, seed }, io);
    const codes = runs.map(({ report, asExpected }, index) => {
      if (!sources[index]!.isBundled) return exitCodeOf(report);
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
      seed: { type: "string" },
      help: { type: "boolean", short: "h" },
    } as const;
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const { json = false, help = false, out, seed } = values;
    if (seed === "") throw new UsageError("--seed: it is empty (see --help)");
    return { names: positionals, json, out, help, seed };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${(error as Error).message.split(". ")[0]} (see --help)`);
  }
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
  sources: readonly Source[],
  { folder, json, seed }: { folder: string; json: boolean; seed: string | undefined },
  io: DemoIo,
): Promise<ScenarioRun[]> {
  const style = createStyle(wantsColour(io.stdout.isTTY === true, io.env));
  const service = await startWorldService();
  const runs: ScenarioRun[] = [];
  try {
    if (!json) io.stdout.write(`The outside world answers at ${service.origin}\n\n`);
    for (const [step, { scenario }] of sources.entries()) {
      if (io.signal?.aborted) break;
      const run = await runScenario(scenario, step, service, folder, { signal: io.signal, seed });
      runs.push(run);
      io.stdout.write(json ? `${toJsonLine(run)}\n` : presentRun(run, style));
    }
  } finally {
    await service.close();
  }
  if (!json) io.stdout.write(presentSummary(runs, folder, style));
  return runs;
}

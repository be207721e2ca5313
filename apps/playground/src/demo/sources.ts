import { access, readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { MalformedFile } from "../scenario/check-fields.js";
import { parseScenario, type Scenario, shortNameOf } from "../scenario/scenario.js";

/** A scenario to run, and whether it is one of ours, which say how they must end. */
export interface Source {
  readonly scenario: Scenario;
  readonly isBundled: boolean;
}

/** A mistake of whoever called: one line for standard error. */
export class UsageError extends Error {}

export interface SourceIo {
  readonly stdin: AsyncIterable<string | Uint8Array>;
  /** The folder of the bundled scenarios. */
  readonly scenarios: URL;
}

/**
 * Reads what the arguments name: bundled scenarios by name, with or without its number; files; `-` for standard input. Without any
 * argument, all that are bundled.
 * @throws UsageError naming the first that is malformed
 */
export async function readSources(names: readonly string[], io: SourceIo): Promise<Source[]> {
  const bundled = await bundledFiles(io);
  const sources: Source[] = [];
  for (const name of names.length === 0 ? bundled.map(nameOf) : names) {
    const ours = bundled.find((file) => nameOf(file) === name || shortNameOf(nameOf(file)) === name);
    const isBundled = ours !== undefined && (names.length === 0 || !(await exists(name)));
    const file = isBundled ? ours : name;
    const wanted = name === "-" ? "stdin" : nameOf(file).replace(/[^\w.-]/g, "_");
    const isTaken = sources.some(({ scenario }) => scenario.name === wanted);
    const scenario = await readScenario(isTaken ? `${wanted}-${sources.length + 1}` : wanted, file, io);
    // A bare decision cannot say what it expects.
    sources.push({ scenario: isBundled ? { expect: { status: "success" }, ...scenario } : scenario, isBundled });
  }
  return sources;
}

function nameOf(file: string): string {
  return basename(file, ".json");
}

async function bundledFiles({ scenarios }: SourceIo): Promise<string[]> {
  const folder = fileURLToPath(scenarios);
  const files = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  return files.map((name) => join(folder, name));
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

async function readScenario(name: string, file: string, io: SourceIo): Promise<Scenario> {
  try {
    return parseScenario(name, await readText(file, io));
  } catch (error) {
    if (!(error instanceof MalformedFile)) throw error;
    throw new UsageError(`${file}: ${error.message}`);
  }
}

async function readText(file: string, { stdin }: SourceIo): Promise<string> {
  if (file !== "-") {
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      const { code = "unknown error" } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" && /^[\w-]+$/.test(file)) {
        throw new UsageError(`${file}: there is no such scenario and no such file (demo list says which there are)`);
      }
      throw new MalformedFile("", `it cannot be read (${code})`);
    }
  }
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stdin) text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

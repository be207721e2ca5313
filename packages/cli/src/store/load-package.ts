import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { CliIo } from "../io.js";
import { UsageError } from "../usage-error.js";

/** A package with whatever it exports. */
export type Loaded = Readonly<Record<string, unknown>>;

/**
 * The first of these packages that is installed: beside the command line, or where it was called.
 * @throws UsageError that names what to install
 */
export async function loadPackage(names: readonly string[], io: CliIo): Promise<{ name: string; module: Loaded }> {
  const { load = importPackage } = io;
  for (const name of names) {
    try {
      return { name, module: withDefaults((await load(name)) as Loaded) };
    } catch (error) {
      if (!isMissing(error, name)) throw error;
    }
  }
  const [first] = names;
  const others = names.length > 1 ? ` (or ${names.slice(1).join(", ")})` : "";
  throw new UsageError(`${first} is not installed${others}: npm install ${first}`);
}

async function importPackage(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    const path = createRequire(join(process.cwd(), "package.json")).resolve(name);
    return import(pathToFileURL(path).href);
  }
}

/** Of CommonJS, the names that were not seen as exports. */
function withDefaults(module: Loaded): Loaded {
  const all = module["default"];
  return typeof all === "object" && all !== null ? { ...(all as Loaded), ...module } : module;
}

/** Whether it is this package that there is not, and not something that it needs. */
function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  const isNotFound = code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
  return isNotFound && message.includes(`'${name}'`);
}

/** Calls what a package exports under this name. */
export function call(module: Loaded, name: string, ...args: unknown[]): unknown {
  return (module[name] as (...args: unknown[]) => unknown)(...args);
}

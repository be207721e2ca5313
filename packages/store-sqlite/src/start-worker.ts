import { isBuiltin } from "node:module";
import { Worker } from "node:worker_threads";
import type { ThreadOptions } from "./protocol.js";
import { StoreError } from "./store-error.js";

/** The bundled thread, put in by the build: no second file that a bundler would have to know of. */
declare const THREAD_SOURCE: string | undefined;

/** @throws StoreError `unsupported_runtime` */
export function startWorker(options: ThreadOptions): Worker {
  checkRuntime();
  const shared = {
    workerData: options,
    name: "eoc-store-sqlite",
    // Loaders and flags of the process are not for this thread; and Node 22 calls `node:sqlite` experimental.
    execArgv: ["--disable-warning=ExperimentalWarning"],
  };
  if (typeof THREAD_SOURCE === "string") return new Worker(THREAD_SOURCE, { ...shared, eval: true });
  return new Worker(new URL("./worker/main.ts", import.meta.url), shared);
}

function checkRuntime(): void {
  const { bun, deno } = process.versions;
  const what = `this runtime (${bun === undefined ? (deno === undefined ? process.version : "Deno") : "Bun"})`;
  if (!isBuiltin("node:sqlite")) {
    throw new StoreError("unsupported_runtime", `${what} has no node:sqlite: Node 22.13 or later has it`);
  }
  // `process.hrtime` begins with the process there, so that processes could not agree on what time it is.
  if (bun !== undefined || deno !== undefined) {
    throw new StoreError("unsupported_runtime", `${what} does not show the machine's monotonic clock: Node does`);
  }
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalRuntime } from "@eoc/store-sqlite";
import { tryPorts } from "../ports-trial.js";

const folder = mkdtempSync(join(tmpdir(), "eoc-sqlite-"));
const runtimes = [
  await createLocalRuntime(join(folder, "eoc.db")),
  await createLocalRuntime(join(folder, "eoc.db")),
] as const;
await tryPorts(...runtimes);
await Promise.all(runtimes.map((runtime) => runtime.close()));
rmSync(folder, { recursive: true });

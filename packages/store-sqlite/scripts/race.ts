// Show 1 in full: 200 connections in 20 processes race for one key.
// Run: npx pnpm@12.21.0 --filter @eoc/store-sqlite run race-test

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const { status } = spawnSync("vitest", ["run", "--project", "store-sqlite", "race.test"], {
  cwd: fileURLToPath(new URL("../../..", import.meta.url)),
  env: { ...process.env, EOC_RACE_PROCESSES: "20", EOC_RACE_CONNECTIONS: "10" },
  stdio: "inherit",
});
process.exitCode = status ?? 1;

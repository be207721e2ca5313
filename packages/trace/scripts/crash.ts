// Show 3 of the journal, in full: kills 200 runs of a process that executes, or as many as the argument says, at random moments.
// Run: npx pnpm@12.21.0 --filter @eoc/trace run crash-test [runs]

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const { status } = spawnSync("vitest", ["run", "--project", "trace", "crash-recovery", "--disable-console-intercept"], {
  cwd: fileURLToPath(new URL("../../..", import.meta.url)),
  env: { ...process.env, EOC_CRASH_RUNS: process.argv[2] ?? "200" },
  stdio: "inherit",
});
process.exitCode = status ?? 1;

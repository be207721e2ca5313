// Show 2 in full: kills a process that executes 300 times, or as often as the argument says, at random moments.
// Run: npx pnpm@12.21.0 --filter @eoc/store-sqlite run kill-test [kills]

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const { status } = spawnSync(
  "vitest",
  ["run", "--project", "store-sqlite", "kill.test", "--disable-console-intercept"],
  {
    cwd: fileURLToPath(new URL("../../..", import.meta.url)),
    env: { ...process.env, EOC_KILLS: process.argv[2] ?? "300" },
    stdio: "inherit",
  },
);
process.exitCode = status ?? 1;

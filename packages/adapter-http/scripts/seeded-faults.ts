import { spawnSync } from "node:child_process";

/**
 * Plays the seeded faults in full, with a seed of your choice: `node packages/adapter-http/scripts/seeded-faults.ts [seed]`.
 * Prints and exits as the test runner does.
 */
const [seed = "20261106"] = process.argv.slice(2);
const { status } = spawnSync("vitest", ["run", "--project", "adapter-http", "seeded-faults"], {
  cwd: new URL("../../..", import.meta.url),
  env: { ...process.env, EOC_DEEP: "1", EOC_SEED: seed },
  stdio: "inherit",
});
process.exitCode = status ?? 1;

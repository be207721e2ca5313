import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Types of matchers have another name in each of the two; the README says what to write.
const test = ["matchers.lowest.test.js", "matchers.newest.test.js"]
  .map((name) => join(fileURLToPath(new URL(".", import.meta.url)), name))
  .find((file) => existsSync(file));
assert.ok(test);
const { status, stdout, stderr } = spawnSync(process.execPath, ["node_modules/vitest/vitest.mjs", "run", test], {
  encoding: "utf8",
});
assert.equal(status, 0, stdout + stderr);
assert.match(stdout, /1 passed/);

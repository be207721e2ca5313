import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

const { status, stdout, stderr } = spawnSync(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", "out/testkit/matchers.test.js"],
  { encoding: "utf8" },
);
assert.equal(status, 0, stdout + stderr);
assert.match(stdout, /1 passed/);
// Without its types, which are for vitest 5 on.
assert.ok("toHaveSucceeded" in createRequire(import.meta.url)("@eoc/testkit/vitest").matchers);

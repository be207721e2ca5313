import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { execute } from "@eoc/core";

const eoc = (args: string[], input: string) =>
  spawnSync(process.execPath, ["node_modules/@eoc/cli/dist/eoc.js", ...args], { encoding: "utf8", input });

const policy = eoc(["policy", "check", "-"], JSON.stringify({ retry: { maxRetries: 1 } }));
assert.equal(policy.status, 0, policy.stderr);
assert.match(policy.stdout, /dispatches of an action +2 \(1 \+ 1 retries\)/);

const report = await execute({ action: "ACT" }, {}, {}, () => ({ ok: true }));
const story = eoc(["explain", "-"], JSON.stringify(report));
assert.equal(story.status, 0, story.stderr);
assert.match(story.stdout, /was applied/);

const nonsense = eoc(["verify", "-"], "no journal\n");
assert.notEqual(nonsense.status, 0, nonsense.stdout);

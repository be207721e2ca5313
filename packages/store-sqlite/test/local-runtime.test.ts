import { spawnSync } from "node:child_process";
import { execute } from "@eoc/core";
import { afterEach, describe, expect, it } from "vitest";
import { bundleChild, Child, killChildren } from "./process/children.js";
import { aFile, opened } from "./support.js";

const POLICY = { idempotency: { enabled: true }, rateLimit: { global: { limit: 10, windowMs: 1000 } } };

afterEach(killChildren);

describe("a local runtime", () => {
  it("is what `execute` takes as its options, as it is or spread into others", async () => {
    const runtime = await opened(aFile());
    expect(Object.keys(runtime).sort()).toEqual(["idempotencyStore", "killSwitch", "rateLimiter"]);
    const first = await execute({ action: "ACT" }, {}, POLICY, () => ({ ok: true, value: 7 }), runtime);
    expect(first.status).toBe("success");
    const again = await execute({ action: "ACT" }, {}, POLICY, () => ({ ok: true }), { ...runtime, seed: "s" });
    expect([again.replayedCount, again.actions[0]?.value]).toEqual([1, 7]);
  });

  it("keeps no process alive that has nothing else to do, and what it was told is kept", async () => {
    const file = aFile();
    const child = new Child(await bundleChild("idle"), [file]);
    await child.ended();
    expect(await (await opened(file)).idempotencyStore.list()).toMatchObject([{ key: "key", state: "claimed" }]);
  });

  it("says so where there is no node:sqlite", async () => {
    const script = await bundleChild("idle");
    // Node 22.5 to 22.12 and older ones have none; this one is told not to have it.
    const { status, stderr } = spawnSync(process.execPath, ["--no-experimental-sqlite", script, aFile()], {
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toContain("unsupported_runtime");
    expect(stderr).toContain("has no node:sqlite: Node 22.13 or later has it");
  });
});

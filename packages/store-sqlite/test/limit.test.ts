import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { bundleChild, Child } from "./process/children.js";
import { aFolder, until } from "./support.js";

const LIMIT = 5;
const WINDOW_MS = 200;

let script: string;

beforeAll(async () => {
  script = await bundleChild("limited");
}, 60_000);

/** When dispatches began, in nanoseconds, in order. */
const startsIn = (log: string) =>
  readFileSync(log, "utf8")
    .split("\n")
    .slice(0, -1)
    .map(BigInt)
    .sort((a, b) => (a < b ? -1 : 1));

describe("Show 3: processes that share a limit", () => {
  it("S6.4 never start more in any window, though the wall clock of one steps by an hour, and one is killed and started again", {
    timeout: 120_000,
  }, async () => {
    const folder = aFolder();
    const log = join(folder, "log");
    const args = [join(folder, "eoc.db"), log, String(LIMIT), String(WINDOW_MS)];
    const start = async (env: Record<string, string> = {}) => {
      const child = new Child(script, args, env);
      expect(await child.hear()).toBe("ready");
      return child;
    };
    const stepping = await start({ EOC_STEP_WALL: "1" });
    let other = await start();
    for (let life = 0; life < 3; life++) {
      const before = startsIn(log).length;
      await until(() => startsIn(log).length >= before + 4 * LIMIT);
      await other.kill();
      other = await start();
    }
    const before = startsIn(log).length;
    await until(() => startsIn(log).length >= before + 4 * LIMIT);
    const [{ wallMs }] = await Promise.all([stepping.ask<{ wallMs: number }>({}), other.ask({})]);
    await Promise.all([stepping.ended(), other.ended()]);

    expect(wallMs).toBeGreaterThan(3_600_000);
    const starts = startsIn(log);
    expect(starts.length).toBeGreaterThan(16 * LIMIT);
    const spans = starts.slice(LIMIT).map((at, index) => Number(at - starts[index]!) / 1e6);
    expect(spans.filter((ms) => ms < WINDOW_MS)).toEqual([]);
  });
});

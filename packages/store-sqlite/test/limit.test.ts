import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { bundleChild, Child, killChildren } from "./process/children.js";
import { aFolder, until } from "./support.js";

const LIMIT = 5;
const WINDOW_MS = 200;

let script: string;

afterEach(killChildren);

beforeAll(async () => {
  script = await bundleChild("limited");
}, 60_000);

/** When dispatches began, in nanoseconds, in order: all of them, or those of one process. */
const startsIn = (log: string, pid?: number) =>
  readFileSync(log, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split(" ") as [string, string])
    .filter(([, by]) => pid === undefined || Number(by) === pid)
    .map(([at]) => BigInt(at))
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
    // Each of them gets its share, whatever has happened to the other.
    const bothGoOn = async () => {
      for (const { pid } of [stepping, other]) {
        const before = startsIn(log, pid).length;
        await until(() => startsIn(log, pid).length >= before + LIMIT);
      }
    };
    for (let life = 0; life < 3; life++) {
      await bothGoOn();
      await other.kill();
      other = await start();
    }
    await bothGoOn();
    const [{ wallMs }] = await Promise.all([stepping.ask<{ wallMs: number }>({}), other.ask({})]);
    await Promise.all([stepping.ended(), other.ended()]);

    expect(wallMs).toBeGreaterThan(3_600_000);
    const starts = startsIn(log);
    expect(starts.length).toBeGreaterThan(7 * LIMIT);
    const spans = starts.slice(LIMIT).map((at, index) => Number(at - starts[index]!) / 1e6);
    expect(spans.filter((ms) => ms < WINDOW_MS)).toEqual([]);
  });
});

import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import type { RateVerdict } from "@eoc/core";
import { describe, expect, it } from "vitest";
import type { LocalRuntime } from "../src/index.js";
import { aFile, handTime, opened, until } from "./support.js";

type Granted = RateVerdict & { granted: true };

const limit = (windowMs: number, count = 1, key = "global") => ({ key, limit: count, windowMs });
const acquire = async ({ rateLimiter }: LocalRuntime, ...limits: ReturnType<typeof limit>[]) =>
  rateLimiter.acquire(limits, 0);
const owners = (file: string) => readdirSync(dirname(file)).filter((name) => name.startsWith("eoc.db-owner-"));

describe("permits", () => {
  it("S6.4 of policies with other windows for one key are counted by each of them in full", async () => {
    const hand = handTime();
    const runtime = await opened(aFile(), {}, { time: hand.time });
    for (let start = 0; start < 3; start++) {
      const verdict = (await acquire(runtime, limit(100, 1))) as Granted;
      verdict.dispatched?.(0);
      await Promise.resolve();
      hand.advance(100);
      if (start === 0)
        expect(await acquire(runtime, limit(10_000, 1))).toEqual({ granted: false, retryAfterMs: 9_900 });
    }
    expect(await acquire(runtime, limit(10_000, 3))).toEqual({ granted: false, retryAfterMs: 9_700 });
    expect(await acquire(runtime, limit(10_000, 4))).toMatchObject({ granted: true });
  });

  it("S6.1 whose owner dies count from then on: it may have dispatched up to its end", async () => {
    const file = aFile();
    const hand = handTime();
    let worker: Worker | undefined;
    process.once("worker", (started) => {
      worker = started;
    });
    const dying = await opened(file, {}, { time: hand.time });
    expect(await acquire(dying, limit(1000))).toMatchObject({ granted: true });
    const other = await opened(file, {}, { time: hand.time });
    hand.advance(5_000);
    // Alive, and may dispatch at any time.
    expect(await acquire(other, limit(1000))).toEqual({ granted: false, retryAfterMs: 1000 });
    expect(owners(file)).toHaveLength(1);
    await worker!.terminate();
    hand.advance(5_000);
    await until(async () => {
      hand.advance(100);
      const verdict = (await acquire(other, limit(1000))) as RateVerdict & { granted: false };
      return !verdict.granted && verdict.retryAfterMs < 1000;
    });
    hand.advance(1000);
    expect(await acquire(other, limit(1000))).toMatchObject({ granted: true });
  });

  it("S6.1 of a store that is closed count from the close", async () => {
    const file = aFile();
    const hand = handTime();
    const closing = await opened(file, {}, { time: hand.time });
    await acquire(closing, limit(1000));
    hand.advance(5_000);
    await closing.close();
    expect(owners(file)).toEqual([]);
    hand.advance(400);
    const other = await opened(file, {}, { time: hand.time });
    expect(await acquire(other, limit(1000))).toEqual({ granted: false, retryAfterMs: 600 });
  });

  it("S6.1 what dead owners have left behind is cleared away when the file is opened; what the living have is not", async () => {
    const file = aFile();
    const workers: Worker[] = [];
    const remember = (worker: Worker) => workers.push(worker);
    process.on("worker", remember);
    const [dead, alive] = [await opened(file), await opened(file)];
    process.off("worker", remember);
    await acquire(dead, limit(60_000, 2));
    await acquire(alive, limit(60_000, 2));
    expect(owners(file)).toHaveLength(2);
    await workers[0]!.terminate();
    await opened(file);
    expect(owners(file)).toHaveLength(1);
    expect(await acquire(alive, limit(60_000, 2))).toMatchObject({ granted: false });
  });

  it("S6.1 a stamp reaches the other processes although nothing else is written", async () => {
    const file = aFile();
    const [one, other] = [await opened(file), await opened(file)];
    ((await acquire(one, limit(60_000))) as Granted).dispatched?.(0);
    await until(async () => {
      const verdict = await acquire(other, limit(60_000));
      return !verdict.granted && verdict.retryAfterMs < 60_000;
    });
  });

  it("S6.1 starts that no window counts any more are removed, of keys that nobody asks for too", async () => {
    const file = aFile();
    const hand = handTime();
    const first = await opened(file, {}, { time: hand.time });
    for (let key = 0; key < 10; key++)
      ((await acquire(first, limit(1000, 1, `key ${key}`))) as Granted).dispatched?.(0);
    await first.killSwitch.read();
    hand.advance(999);
    await acquire(first, limit(1000, 1, "key 0"));
    await first.close();
    const count = () => {
      const db = new DatabaseSync(file, { readOnly: true });
      const row = db.prepare("SELECT count(*) AS rows FROM eoc_permits").get() as { rows: number };
      db.close();
      return row.rows;
    };
    expect(count()).toBe(10);
    hand.advance(1);
    await opened(file, {}, { time: hand.time });
    expect(count()).toBe(0);
  });
});

import { copyFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { LocalRuntime } from "../src/index.js";
import { migrate } from "../src/worker/schema.js";
import { aFile, handTime, opened } from "./support.js";

const HOUR_MS = 3_600_000;
const request = (leaseMs: number) => ({ fingerprint: "f", leaseMs, nowMs: 0 });
const LIMIT = { key: "global", limit: 1, windowMs: HOUR_MS };

async function dispatches({ rateLimiter }: LocalRuntime): Promise<boolean> {
  const verdict = await rateLimiter.acquire([LIMIT], 0);
  if (verdict.granted) verdict.dispatched?.(0);
  return verdict.granted;
}

describe("the file's time", () => {
  it("S7.2 is moved by no step of the wall clock: no lease, record or window ends with it, and none lasts longer", async () => {
    const hand = handTime();
    const runtime = await opened(aFile(), {}, { time: hand.time });
    const { idempotencyStore } = runtime;
    for (const key of ["claimed", "started", "completed"]) {
      const verdict = await idempotencyStore.claim(key, request(10_000));
      const { token } = verdict as { token: number };
      if (key === "started") await idempotencyStore.start(key, token);
      if (key === "completed") await idempotencyStore.complete(key, token, { ttlMs: 10_000 });
    }
    expect(await dispatches(runtime)).toBe(true);
    for (const step of [HOUR_MS, -2 * HOUR_MS]) {
      hand.stepWall(step);
      expect(await idempotencyStore.claim("claimed", request(1))).toMatchObject({ state: "in_progress" });
      expect(await idempotencyStore.claim("started", request(1))).toMatchObject({ state: "in_progress" });
      expect(await idempotencyStore.claim("completed", request(1))).toEqual({ state: "completed" });
      expect(await dispatches(runtime)).toBe(false);
    }
    hand.advance(10_000);
    expect(await idempotencyStore.claim("claimed", request(1))).toMatchObject({ state: "claimed" });
    expect(await idempotencyStore.claim("started", request(1))).toEqual({ state: "unknown" });
    expect(await idempotencyStore.claim("completed", request(1))).toMatchObject({ state: "claimed" });
    hand.advance(HOUR_MS - 10_000);
    expect(await dispatches(runtime)).toBe(true);
  });

  it("says of a lease until when it runs on the clock on the wall, whatever steps that makes", async () => {
    const hand = handTime(1_700_000_000_000);
    const { idempotencyStore } = await opened(aFile(), {}, { time: hand.time });
    const { token } = (await idempotencyStore.claim("key", request(10_000))) as { token: number };
    expect(await idempotencyStore.find("key")).toMatchObject({ state: "claimed", leaseUntilMs: 1_700_000_010_000 });
    await idempotencyStore.start("key", token);
    hand.advance(4_000);
    hand.stepWall(HOUR_MS);
    const untilMs = 1_700_000_010_000 + HOUR_MS;
    expect(await idempotencyStore.list()).toMatchObject([{ state: "in_progress", leaseUntilMs: untilMs }]);
    expect(await idempotencyStore.claim("key", request(1))).toEqual({ state: "in_progress", untilMs });
    hand.advance(6_000);
    const inDoubt = await idempotencyStore.find("key");
    expect([inDoubt!.state, inDoubt!.leaseUntilMs]).toEqual(["unknown", undefined]);
  });

  for (const [named, bootIds] of [
    ["that has a name", ["boot-1", "boot-2"]],
    ["without a name", ["", ""]],
  ] as const) {
    it(`S6.1 goes on after a restart of the machine, in a boot ${named}: nothing is forgotten early, nothing kept for ever`, async () => {
      const file = aFile();
      const hand = handTime(1_700_000_000_000, 50_000_000);
      const before = await opened(file, {}, { time: hand.time, bootId: bootIds[0] });
      expect(await dispatches(before)).toBe(true);
      hand.advance(HOUR_MS / 2);
      await before.idempotencyStore.claim("key", request(HOUR_MS));
      await before.close();

      // Off for a day, by a wall clock that nobody believes.
      hand.stepWall(24 * HOUR_MS);
      hand.setMonotonic(20_000);
      const after = await opened(file, {}, { time: hand.time, bootId: bootIds[1] });
      expect(await dispatches(after)).toBe(false);
      expect(await after.idempotencyStore.claim("key", request(1))).toMatchObject({ state: "in_progress" });
      hand.advance(HOUR_MS / 2 - 20_000 - 1);
      expect(await dispatches(after)).toBe(false);
      hand.advance(1);
      expect(await dispatches(after)).toBe(true);
      hand.advance(HOUR_MS / 2);
      expect(await after.idempotencyStore.claim("key", request(1))).toMatchObject({ state: "claimed" });
    });
  }

  it("refuses a monotonic clock that goes back within a boot: nothing can be timed by it", async () => {
    const file = aFile();
    const hand = handTime(1_700_000_000_000, 50_000_000);
    const runtime = await opened(file, {}, { time: hand.time, bootId: "boot-1" });
    expect(await dispatches(runtime)).toBe(true);
    hand.advance(-500);
    expect(await dispatches(runtime)).toBe(false);
    hand.advance(-2_000);
    await expect(runtime.rateLimiter.acquire([LIMIT], 0)).rejects.toMatchObject({ code: "clock_regressed" });
    await expect(runtime.idempotencyStore.claim("key", request(1))).rejects.toMatchObject({ code: "clock_regressed" });
    hand.advance(2_500);
    expect(await runtime.idempotencyStore.claim("key", request(1))).toMatchObject({ state: "claimed" });
  });

  it("S7.3 no token is given twice, whatever was deleted, restarted or copied on the way", async () => {
    const file = aFile();
    const tokens: number[] = [];
    for (let life = 0; life < 3; life++) {
      const { idempotencyStore, close } = await opened(file);
      for (let round = 0; round < 3; round++) {
        const { token } = (await idempotencyStore.claim("key", request(60_000))) as { token: number };
        tokens.push(token);
        await idempotencyStore.release("key", token);
      }
      await close.call(undefined);
    }
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
  });

  it("is an older file's too: one of the version before is brought up to date once, by whoever comes first", async () => {
    const file = aFile();
    await (await opened(file)).close();
    const copy = aFile();
    copyFileSync(file, copy);
    const runtimes = await Promise.all(Array.from({ length: 4 }, () => opened(copy)));
    const verdicts = await Promise.all(runtimes.map(async (one) => one.idempotencyStore.claim("key", request(60_000))));
    expect(verdicts.filter(({ state }) => state === "claimed")).toHaveLength(1);
    const db = new DatabaseSync(copy);
    expect(db.prepare("PRAGMA user_version").get()).toEqual({ user_version: 1 });
    db.close();
  });

  it("is not taken for the database of something else by who looks while another makes it", () => {
    const file = aFile();
    const [one, other] = [new DatabaseSync(file), new DatabaseSync(file)];
    one.exec("PRAGMA journal_mode = WAL");
    let isMade = false;
    const watched = new Proxy(one, {
      get(target, name) {
        if (name !== "prepare") return (...args: unknown[]) => Reflect.apply(Reflect.get(target, name), target, args);
        return (sql: string) => {
          if (sql.includes("sqlite_schema") && !isMade) {
            isMade = true;
            migrate(other);
          }
          return target.prepare(sql);
        };
      },
    });
    migrate(watched);
    expect(isMade).toBe(true);
    expect(one.prepare("SELECT count(*) AS n FROM eoc_clock").get()).toEqual({ n: 1 });
    one.close();
    other.close();
  });

  it("begins with a new file, made by several at the same time", async () => {
    const file = aFile();
    const runtimes = await Promise.all(Array.from({ length: 6 }, () => opened(file)));
    const verdicts = await Promise.all(runtimes.map(async (one) => one.idempotencyStore.claim("key", request(60_000))));
    expect(verdicts.filter(({ state }) => state === "claimed")).toHaveLength(1);
  });
});

import type { RateVerdict } from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import { afterAll, describe, expect, it } from "vitest";
import { createRedisRateLimiter } from "../src/index.js";
import { CLIENTS, freshPrefix, heldClient, ioRedis, noServer, virtualTime } from "./support.js";

const HOUR = 3_600_000;
const granted = (verdicts: readonly RateVerdict[]) => verdicts.filter((verdict) => verdict.granted).length;

describe.skipIf(noServer)("the rate limiter", () => {
  const admin = ioRedis();
  afterAll(() => admin.disconnect());

  it.each(CLIENTS)(
    "S6.4 of 200 connections at one key, as many get through as the limit says ($name)",
    {
      timeout: 30_000,
    },
    async ({ open }) => {
      const prefix = freshPrefix();
      const clients = await Promise.all(Array.from({ length: 200 }, () => open()));
      const verdicts = await Promise.all(
        clients.map(({ client }) =>
          createRedisRateLimiter({ client, prefix, timeoutMs: 30_000 }).acquire(
            [{ key: "global", limit: 37, windowMs: HOUR }],
            0,
          ),
        ),
      );
      expect(granted(verdicts)).toBe(37);
      for (const { end } of clients) end();
    },
  );

  const inVirtualTime = async (
    body: (bench: {
      start: (windowMs: number, limit?: number) => Promise<RateVerdict>;
      stamped: (windowMs: number, limit?: number) => Promise<boolean>;
      advance: (ms: number) => Promise<void>;
      settle: () => Promise<void>;
      prefix: string;
    }) => Promise<void>,
  ) => {
    const clock = createVirtualClock();
    await clock.run(async () => {
      const held = heldClient(admin, clock);
      const prefix = freshPrefix();
      const advance = await virtualTime(held, prefix, clock);
      const limiter = createRedisRateLimiter({ client: held.client, prefix, clock, abandonedAfterMs: 30_000 });
      const start = (windowMs: number, limit = 1) => limiter.acquire([{ key: "k", limit, windowMs }], 0);
      const settle = () => clock.advance(0);
      const stamped = async (windowMs: number, limit?: number) => {
        const verdict = await start(windowMs, limit);
        if (verdict.granted) verdict.dispatched?.(0);
        await settle();
        return verdict.granted;
      };
      await body({ start, stamped, advance, settle, prefix });
      await limiter.close();
    });
  };

  it("S6.1 a permit whose process died is occupied until it counts as abandoned, and then for one window", () =>
    inVirtualTime(async ({ start, stamped, advance, settle }) => {
      const dead = await start(1000);
      expect(dead.granted).toBe(true);
      await advance(30_999);
      expect(await start(1000)).toMatchObject({ granted: false });
      await advance(1);
      expect(await stamped(1000)).toBe(true);
      await advance(1000);
      // It was not dead after all: what it starts counts, however late.
      if (dead.granted) dead.dispatched?.(0);
      await settle();
      expect(await start(1000)).toEqual({ granted: false, retryAfterMs: 1000 });
    }));

  it("S6.1 keeps what a longer window still needs, and deletes the rest", () =>
    inVirtualTime(async ({ start, stamped, advance, prefix }) => {
      expect(await stamped(60_000, 2)).toBe(true);
      await advance(10_000);
      expect(await stamped(1000, 2)).toBe(true);
      await advance(10_000);
      expect(await stamped(1000, 2)).toBe(true);
      expect(await start(60_000, 2)).toMatchObject({ granted: false });
      await advance(70_000);
      expect(await stamped(1000, 2)).toBe(true);
      expect(await admin.zcard(`{${prefix}}:rate:k`)).toBe(1);
    }));

  it("S6.2 a request that names a key twice takes two of it", async () => {
    const limiter = createRedisRateLimiter({ client: admin, prefix: freshPrefix() });
    const twice = [1, 2].map((windows) => ({ key: "k", limit: 3, windowMs: windows * HOUR }));
    expect(await limiter.acquire(twice, 0)).toMatchObject({ granted: true });
    expect(await limiter.acquire(twice, 0)).toMatchObject({ granted: true });
    expect(await limiter.acquire(twice, 0)).toMatchObject({ granted: false });
  });

  it.each([Number.MAX_SAFE_INTEGER, 1e300])(
    "S6.1 keeps a limit whose window is longer than time: %d ms",
    async (windowMs) => {
      const limiter = createRedisRateLimiter({ client: admin, prefix: freshPrefix() });
      const ask = async () => {
        const verdict = await limiter.acquire([{ key: "k", limit: 2, windowMs }], 0);
        if (verdict.granted) verdict.dispatched?.(0);
        return verdict.granted;
      };
      expect([await ask(), await ask(), await ask()]).toEqual([true, true, false]);
      await limiter.close();
    },
  );

  it("leaves nothing behind that never ends", async () => {
    const prefix = freshPrefix();
    const limiter = createRedisRateLimiter({ client: admin, prefix });
    const verdict = await limiter.acquire([{ key: "k", limit: 3, windowMs: 1000 }], 0);
    if (verdict.granted) verdict.dispatched?.(0);
    await limiter.close();
    const keys = await admin.keys(`{${prefix}}:*`);
    const endless: string[] = [];
    for (const key of keys) if ((await admin.pttl(key)) < 0) endless.push(key);
    expect(endless.sort()).toEqual([`{${prefix}}:grants`, `{${prefix}}:layout`]);
  });
});

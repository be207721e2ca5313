import type { RateVerdict } from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPostgresRateLimiter, migratePostgres } from "../src/index.js";
import { DRIVERS, freshSchema, heldPool, noServer, pgPool, schemaInVirtualTime, url, warm } from "./support.js";

const HOUR = 3_600_000;
const granted = (verdicts: readonly RateVerdict[]) => verdicts.filter((verdict) => verdict.granted).length;

describe.skipIf(noServer)("the rate limiter", () => {
  const admin = pgPool(4);
  beforeAll(() => warm(admin));
  afterAll(() => admin.end());

  it.each(DRIVERS)(
    "S6.4 of 200 connections at one key, as many get through as the limit says ($name)",
    async ({ open }) => {
      const schema = freshSchema();
      await migratePostgres({ pool: admin, schema });
      const { pool, end } = open(200);
      const limiters = Array.from({ length: 4 }, () => createPostgresRateLimiter({ pool, schema, timeoutMs: 30_000 }));
      const verdicts = await Promise.all(
        Array.from({ length: 200 }, (_, racer) =>
          limiters[racer % 4]!.acquire([{ key: "global", limit: 37, windowMs: HOUR }], 0),
        ),
      );
      expect(granted(verdicts)).toBe(37);
      await Promise.all(limiters.map((limiter) => limiter.close()));
      await end();
    },
  );

  it("S6.2 requests for several keys in any order never wait for each other in a circle", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    const pool = pgPool(40);
    const limiter = createPostgresRateLimiter({ pool, schema, timeoutMs: 30_000 });
    const request = (key: string) => ({ key, limit: 50, windowMs: HOUR });
    const keys = ["a", "b", "c"];
    const verdicts = await Promise.all(
      Array.from({ length: 120 }, (_, racer) => {
        const turned = [...keys.slice(racer % 3), ...keys.slice(0, racer % 3)].map(request);
        return limiter.acquire(racer % 2 === 0 ? turned : turned.reverse(), 0);
      }),
    );
    expect(granted(verdicts)).toBe(50);
    await pool.end();
  });

  it("S6.1 a permit whose process died is occupied until it counts as abandoned, and then for one window", async () => {
    const clock = createVirtualClock();
    await clock.run(async () => {
      const { schema, advance } = await schemaInVirtualTime(admin, clock);
      const { pool, settle } = heldPool(admin, clock);
      const stamped = () => clock.hold("stamp", settle());
      const limiter = createPostgresRateLimiter({ pool, schema, clock, abandonedAfterMs: 30_000 });
      const one = [{ key: "k", limit: 1, windowMs: 1000 }];
      const dead = await limiter.acquire(one, 0);
      expect(dead.granted).toBe(true);
      await advance(30_999);
      expect(await limiter.acquire(one, 0)).toMatchObject({ granted: false });
      await advance(1);
      const heir = await limiter.acquire(one, 0);
      expect(heir.granted).toBe(true);
      if (heir.granted) heir.dispatched?.(0);
      await stamped();
      await advance(1000);
      // It was not dead after all: what it starts counts, however late.
      if (dead.granted) dead.dispatched?.(0);
      await stamped();
      await limiter.close();
      const again = createPostgresRateLimiter({ pool, schema, clock });
      expect(await again.acquire(one, 0)).toEqual({ granted: false, retryAfterMs: 1000 });
      await again.close();
    });
  });

  it("S6.2 a request that names a key twice takes two of it", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    const limiter = createPostgresRateLimiter({ pool: admin, schema });
    const twice = [1, 2].map((windows) => ({ key: "k", limit: 3, windowMs: windows * HOUR }));
    expect(await limiter.acquire(twice, 0)).toMatchObject({ granted: true });
    expect(await limiter.acquire(twice, 0)).toMatchObject({ granted: true });
    expect(await limiter.acquire(twice, 0)).toMatchObject({ granted: false });
  });

  it("S6.1 keeps what a longer window still needs, and deletes the rest", async () => {
    const clock = createVirtualClock();
    await clock.run(async () => {
      const { schema, advance } = await schemaInVirtualTime(admin, clock);
      const { pool, settle } = heldPool(admin, clock);
      const limiter = createPostgresRateLimiter({ pool, schema, clock });
      const start = async (windowMs: number) => {
        const verdict = await limiter.acquire([{ key: "k", limit: 2, windowMs }], 0);
        if (verdict.granted) verdict.dispatched?.(0);
        // The stamp is sent, and nobody waits for it: the time must not go on before it is there.
        await clock.hold("stamp", settle());
        return verdict.granted;
      };
      expect(await start(60_000)).toBe(true);
      await advance(10_000);
      expect(await start(1000)).toBe(true);
      await advance(10_000);
      expect(await start(1000)).toBe(true);
      // Two of the long window's starts are there still; the short ones that ran out are not.
      expect(await start(60_000)).toBe(false);
      await advance(60_000);
      expect(await start(1000)).toBe(true);
      const { rows } = await clock.hold("count", admin.query(`SELECT count(*)::int AS count FROM ${schema}.permit`));
      expect(rows[0].count).toBe(1);
      await limiter.close();
    });
  });

  it("S6.1 keeps starts for the longest window for as long as somebody asks for the key, and no longer", {
    timeout: 30_000,
  }, async () => {
    const clock = createVirtualClock();
    await clock.run(async () => {
      const { schema, advance } = await schemaInVirtualTime(admin, clock);
      const { pool, settle } = heldPool(admin, clock);
      const limiter = createPostgresRateLimiter({ pool, schema, clock });
      const start = async (windowMs: number, key = "k") => {
        const verdict = await limiter.acquire([{ key, limit: 1000, windowMs }], 0);
        if (verdict.granted) verdict.dispatched?.(0);
        await clock.hold("stamp", settle());
      };
      const count = async (table: string) => {
        const { rows } = await clock.hold("count", admin.query(`SELECT count(*)::int AS c FROM ${schema}.${table}`));
        return rows[0].c as number;
      };
      // Asked with once.
      for (let second = 0; second < 30; second++) {
        await start(second === 0 ? 10_000 : 1000);
        await advance(1000);
      }
      expect(await count("permit")).toBe(10);
      // Nobody asks for the key for so long that nothing of it is left.
      await advance(11_000);
      for (let second = 0; second < 5; second++) {
        await start(1000);
        await advance(1000);
      }
      expect(await count("permit")).toBe(1);
      await start(1000, "other");
      expect(await count("permit_window")).toBe(2);
      // Nobody asks for either any more, and a batch is deleted with the next thousand grants.
      await advance(10_000);
      const grants = async () => {
        for (let grant = 0; grant < 1024; grant++)
          await limiter.acquire([{ key: "last", limit: 2000, windowMs: 10 }], 0);
      };
      await clock.hold("grants", grants().then(settle));
      expect(await count("permit_window")).toBe(1);
      await limiter.close();
    });
  });

  it("S6.4 is not had on a connection whose transactions would not see each other: it denies", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    const pool = pgPool(1, `${url}?options=-c%20default_transaction_isolation%3Dserializable`);
    const limiter = createPostgresRateLimiter({ pool, schema });
    await expect(limiter.acquire([{ key: "k", limit: 1, windowMs: 1000 }], 0)).rejects.toMatchObject({
      code: "isolation_too_strict",
      message: expect.stringContaining("default_transaction_isolation"),
      cause: { code: "EOC03" },
    });
    await pool.end();
  });

  it.each([Number.MAX_SAFE_INTEGER, 1e300])(
    "S6.1 keeps a limit whose window is longer than time: %d ms",
    async (windowMs) => {
      const schema = freshSchema();
      await migratePostgres({ pool: admin, schema });
      const limiter = createPostgresRateLimiter({ pool: admin, schema });
      const ask = async () => {
        const verdict = await limiter.acquire([{ key: "k", limit: 2, windowMs }], 0);
        if (verdict.granted) verdict.dispatched?.(0);
        return verdict.granted;
      };
      expect([await ask(), await ask(), await ask()]).toEqual([true, true, false]);
      await limiter.close();
    },
  );
});

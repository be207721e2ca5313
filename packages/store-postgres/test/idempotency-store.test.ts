import { type ClaimVerdict, createSystemClock } from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPostgresIdempotencyStore, migratePostgres } from "../src/index.js";
import { DRIVERS, freshSchema, noServer, pgPool, schemaInVirtualTime, warm } from "./support.js";

const CLAIM = { fingerprint: "payload", leaseMs: 60_000, nowMs: 0 };
const tokensOf = (verdicts: readonly ClaimVerdict[]) =>
  verdicts.flatMap((verdict) => (verdict.state === "claimed" ? [verdict.token] : []));

describe.skipIf(noServer)("the idempotency store", () => {
  const admin = pgPool(4);
  beforeAll(() => warm(admin));
  afterAll(() => admin.end());

  it.each(DRIVERS)(
    "S7.2 of 200 connections that race for one key, one wins, round after round ($name)",
    { timeout: 60_000 },
    async ({ open }) => {
      const schema = freshSchema();
      await migratePostgres({ pool: admin, schema });
      const { pool, end } = open(200);
      const stores = Array.from({ length: 4 }, () =>
        createPostgresIdempotencyStore({ pool, schema, timeoutMs: 30_000 }),
      );
      for (let round = 0; round < 5; round++) {
        const verdicts = await Promise.all(
          Array.from({ length: 200 }, (_, racer) => stores[racer % 4]!.claim(`race ${round}`, CLAIM)),
        );
        expect(tokensOf(verdicts)).toHaveLength(1);
        expect(verdicts.filter(({ state }) => state === "in_progress")).toHaveLength(199);
      }
      await end();
    },
  );

  it.each(DRIVERS)(
    "S7.3 of 200 who race to take a key over again and again, one wins each time, and every write of a former owner is refused ($name)",
    { timeout: 60_000 },
    async ({ open }) => {
      const schema = freshSchema();
      await migratePostgres({ pool: admin, schema });
      const { pool, end } = open(200);
      const store = createPostgresIdempotencyStore({ pool, schema, timeoutMs: 30_000 });
      const tokens: (string | number)[] = [];
      for (let round = 0; round < 6; round++) {
        const verdicts = await Promise.all(
          Array.from({ length: 200 }, () => store.claim("key", { ...CLAIM, takeOver: true })),
        );
        const [token, ...others] = tokensOf(verdicts);
        expect(others).toEqual([]);
        expect(Number(token)).toBeGreaterThan(Number(tokens.at(-1) ?? 0));
        expect(await store.start("key", token!)).toBe(true);
        const zombies = await Promise.all(
          tokens.flatMap((stale) => [
            store.start("key", stale),
            store.renew("key", stale, 1000),
            store.complete("key", stale, { value: "zombie", ttlMs: 1000 }),
            store.release("key", stale),
            store.markUnknown("key", stale),
          ]),
        );
        expect(zombies.filter((done) => done)).toEqual([]);
        tokens.push(token!);
        await store.markUnknown("key", token!);
      }
      // All at once, the owner among them: only he gets through.
      const writes = await Promise.all(
        tokens.map((token) => store.complete("key", token, { value: token, ttlMs: 60_000 })),
      );
      expect(writes).toEqual(tokens.map((token) => token === tokens.at(-1)));
      expect(await store.claim("key", CLAIM)).toEqual({ state: "completed", value: tokens.at(-1) });
      await end();
    },
  );

  it("S7.2 of claims, completions and releases in any order, no two owners overlap", { timeout: 60_000 }, async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    const pool = pgPool(50);
    const store = createPostgresIdempotencyStore({ pool, schema, timeoutMs: 30_000 });
    let owners = 0;
    let claims = 0;
    const racer = async (index: number) => {
      for (let round = 0; round < 40; round++) {
        const verdict = await store.claim("key", CLAIM);
        if (verdict.state !== "claimed") continue;
        claims++;
        expect(++owners).toBe(1);
        await store.start("key", verdict.token);
        owners--;
        if (index % 2 === 0) await store.release("key", verdict.token);
        else await store.complete("key", verdict.token, { ttlMs: 0.001 });
      }
    };
    await Promise.all(Array.from({ length: 50 }, (_, index) => racer(index)));
    expect(claims).toBeGreaterThan(5);
    await pool.end();
  });

  it("S7.1 keys that PostgreSQL cannot hold as they are stay apart, and are listed as they were", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    const store = createPostgresIdempotencyStore({ pool: admin, schema });
    const keys = ["a\0b", "a\\u0000b", "a\ud800", "a\udc00", "a\ufffd", "a\\", "a\\\\", "a\\u005c", "\u{1f600}"];
    for (const key of keys) expect(await store.claim(key, CLAIM)).toMatchObject({ state: "claimed" });
    expect((await store.list()).map(({ key }) => key).sort()).toEqual([...keys].sort());
  });

  it("S7.5 any JSON value comes back as it was, strings that `jsonb` refuses included", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    const store = createPostgresIdempotencyStore({ pool: admin, schema });
    const value = { b: "\0 \ud800", a: [1e21, -0.1, 123456789012345.67], "": null };
    const verdict = (await store.claim("key", CLAIM)) as ClaimVerdict & { state: "claimed" };
    await store.complete("key", verdict.token, { value, ttlMs: Number.POSITIVE_INFINITY });
    const again = (await store.claim("key", CLAIM)) as ClaimVerdict & { state: "completed" };
    expect(JSON.stringify(again.value)).toBe(JSON.stringify(value));
  });

  it("S7.3 what never was a token is stale", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    const store = createPostgresIdempotencyStore({ pool: admin, schema });
    await store.claim("key", CLAIM);
    for (const token of ["", "x", "-1", "1.5", "1e3", " 1", Number.NaN, 1.5, "9".repeat(30)]) {
      expect(await store.complete("key", token, { ttlMs: 1 })).toBe(false);
    }
  });

  it("S7.4 lists page by page, in the order of keys, with the newest token", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    const store = createPostgresIdempotencyStore({ pool: admin, schema });
    await admin.query(`
      INSERT INTO ${schema}.idempotency (key, fingerprint, state, token, until, claimed_at, updated_at)
      SELECT 'k' || lpad(i::text, 5, '0'), 'f', CASE WHEN i % 2 = 0 THEN 'unknown' ELSE 'completed' END, i,
        'infinity', to_timestamp(i), to_timestamp(i) FROM generate_series(1, 2500) i`);
    const all = await store.list();
    expect(all.map(({ key }) => key)).toEqual(
      Array.from({ length: 2500 }, (_, i) => `k${String(i + 1).padStart(5, "0")}`),
    );
    expect(all[6]).toEqual({
      key: "k00007",
      state: "completed",
      fingerprint: "f",
      token: 7,
      claimedAtMs: 7000,
      updatedAtMs: 7000,
    });
    expect(await store.list({ state: "unknown" })).toHaveLength(1250);
    const page = await store.list({ state: "unknown", after: "k00010", limit: 3 });
    expect(page.map(({ key }) => key)).toEqual(["k00012", "k00014", "k00016"]);
    expect(await store.list({ after: "k02500" })).toEqual([]);
  });

  it("S7.4 a lease that ran out after the start is listed as in doubt, since it ran out", async () => {
    const clock = createVirtualClock();
    await clock.run(async () => {
      const { schema, advance } = await schemaInVirtualTime(admin, clock);
      const store = createPostgresIdempotencyStore({ pool: admin, schema, clock: createSystemClock() });
      const begun = clock.now();
      for (const key of ["claimed", "started"]) {
        const { token } = (await store.claim(key, { ...CLAIM, leaseMs: 1000 })) as { token: number };
        if (key === "started") await store.start(key, token);
      }
      await advance(999);
      expect((await store.list()).map(({ state }) => state)).toEqual(["claimed", "in_progress"]);
      await advance(1);
      expect(await store.list()).toMatchObject([
        { key: "started", state: "unknown", claimedAtMs: begun, startedAtMs: begun, updatedAtMs: begun + 1000 },
      ]);
      expect(await store.list({ state: "in_progress" })).toEqual([]);
      expect(await store.resolve("started", "applied")).toBe(true);
      expect(await store.list({ state: "completed" })).toMatchObject([{ key: "started" }]);
    });
  });

  it("deletes what has run out, in batches, now and then by itself", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    const store = createPostgresIdempotencyStore({ pool: admin, schema });
    const fill = (state: string, until: string, count: number) =>
      admin.query(`
        INSERT INTO ${schema}.idempotency (key, fingerprint, state, token, until, claimed_at, updated_at)
        SELECT '${state} ${until} ' || i, 'f', '${state}', 1, '${until}', now(), now() FROM generate_series(1, ${count}) i`);
    await fill("completed", "2020-01-01", 12);
    await fill("claimed", "2020-01-01", 12);
    for (const [state, until] of [
      ["completed", "infinity"],
      ["in_progress", "2020-01-01"],
      ["unknown", "infinity"],
    ])
      await fill(state!, until!, 3);
    const count = async () => Number((await admin.query(`SELECT count(*) FROM ${schema}.idempotency`)).rows[0].count);
    expect([await store.purge(10), await store.purge(10), await store.purge(), await store.purge()]).toEqual([
      10, 10, 4, 0,
    ]);
    expect(await count()).toBe(9);

    await fill("completed", "2020-01-02", 20);
    for (let key = 0; key < 256; key++) {
      const { token } = (await store.claim(`new ${key}`, CLAIM)) as { token: number };
      await store.complete(`new ${key}`, token, { ttlMs: 60_000 });
    }
    await store.close();
    expect(await count()).toBe(9 + 256);
  });

  it("leaves nothing prepared on a connection, unless told to", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    const pool = pgPool(1);
    const prepared = async () =>
      (await pool.query("SELECT name FROM pg_prepared_statements")).rows.map(({ name }) => name as string);
    const use = async (statements: "unnamed" | "prepared", key: string) => {
      const store = createPostgresIdempotencyStore({ pool, schema, statements });
      const { token } = (await store.claim(key, CLAIM)) as { token: number };
      expect(await store.complete(key, token, { value: key, ttlMs: 60_000 })).toBe(true);
      expect(await store.claim(key, CLAIM)).toEqual({ state: "completed", value: key });
    };
    await use("unnamed", "one");
    expect(await prepared()).toEqual([]);
    await use("prepared", "two");
    await use("prepared", "three");
    expect(await prepared()).toEqual([expect.stringMatching(/^eoc_/), expect.stringMatching(/^eoc_/)]);
    expect(() => createPostgresIdempotencyStore({ pool, statements: "other" as never })).toThrow(
      expect.objectContaining({ code: "invalid_option" }),
    );
    await pool.end();
  });

  it("a closed store answers nobody", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    const store = createPostgresIdempotencyStore({ pool: admin, schema });
    await store.close();
    await expect(store.claim("key", CLAIM)).rejects.toMatchObject({ code: "closed" });
    expect((await admin.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPostgresKillSwitch, createPostgresRuntime, type PostgresPool } from "../src/index.js";
import { findPgbouncer, startPgbouncer } from "./pgbouncer.js";
import { freshSchema, noServer, pgPool, postgresJs, url } from "./support.js";

const bin = findPgbouncer();
if (!noServer && bin === undefined) {
  if (process.env["CI"]) throw new Error("no pgbouncer on this machine");
  console.warn("@eoc/store-postgres: tests with a transaction-mode pooler are skipped: no pgbouncer in PATH");
}

describe.skipIf(noServer || bin === undefined)("through a pooler in transaction mode", () => {
  let pooler: Awaited<ReturnType<typeof startPgbouncer>>;
  beforeAll(async () => {
    pooler = await startPgbouncer(bin!, Number(new URL(url).port));
  });
  afterAll(() => pooler.stop());

  const opened = (): [name: string, pool: PostgresPool, end: () => Promise<void>][] => {
    const pool = pgPool(40, pooler.url);
    // As `postgres` asks of everybody behind such a pooler.
    const sql = postgresJs(40, pooler.url, { prepare: false });
    return [
      ["pg", pool, () => pool.end()],
      ["postgres", sql, () => sql.end({ timeout: 1 })],
    ];
  };

  it("keys, limits and the switch keep their promises, with 40 connections over 3", { timeout: 60_000 }, async () => {
    for (const [name, pool, end] of opened()) {
      const direct = pgPool(3);
      const schema = freshSchema();
      const runtime = await createPostgresRuntime({ pool, schema, timeoutMs: 20_000, pollMs: 600_000, listen: direct });
      const { idempotencyStore, rateLimiter, killSwitch } = runtime;
      const claims = await Promise.all(
        Array.from({ length: 200 }, (_, racer) =>
          idempotencyStore.claim(`key ${racer % 10}`, { fingerprint: "f", leaseMs: 60_000, nowMs: 0 }),
        ),
      );
      expect([name, claims.filter(({ state }) => state === "claimed").length]).toEqual([name, 10]);
      const permits = await Promise.all(
        Array.from({ length: 100 }, () => rateLimiter.acquire([{ key: "k", limit: 17, windowMs: 3_600_000 }], 0)),
      );
      expect([name, permits.filter((permit) => permit.granted).length]).toEqual([name, 17]);
      // Heard over the connection that reaches the server itself.
      const heard = new Promise((resolve) => killSwitch.subscribe(resolve));
      await createPostgresKillSwitch({ pool, schema }).halt("through the pooler");
      expect(await heard).toEqual({ halted: true, reason: "through the pooler" });
      await runtime.close();
      await Promise.all([end(), direct.end()]);
    }
  });

  it("a halt is polled for where `listen` is off", async () => {
    for (const [, pool, end] of opened()) {
      const schema = freshSchema();
      const runtime = await createPostgresRuntime({ pool, schema, timeoutMs: 20_000, pollMs: 20, listen: "off" });
      const heard = new Promise((resolve) => runtime.killSwitch.subscribe(resolve));
      await createPostgresKillSwitch({ pool, schema }).halt("polled");
      expect(await heard).toEqual({ halted: true, reason: "polled" });
      await runtime.close();
      await end();
    }
  });

  it("leaves nothing behind on the connections that it shares", async () => {
    const admin = pgPool(1);
    for (const [, pool, end] of opened()) {
      const runtime = await createPostgresRuntime({ pool, schema: freshSchema(), timeoutMs: 20_000, listen: "off" });
      await runtime.rateLimiter.acquire([{ key: "k", limit: 1, windowMs: 1000 }], 0);
      await runtime.idempotencyStore.claim("key", { fingerprint: "f", leaseMs: 1000, nowMs: 0 });
      const { rows } = await admin.query("SELECT count(*)::int AS held FROM pg_locks WHERE locktype = 'advisory'");
      expect(rows).toEqual([{ held: 0 }]);
      await runtime.close();
      await end();
    }
    await admin.end();
  });
});

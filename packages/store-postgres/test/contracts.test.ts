import { type ContractBench, idempotencyStoreContract, killSwitchContract, rateLimiterContract } from "@eoc/testkit";
import type pg from "pg";
import { afterAll, beforeAll, describe, it } from "vitest";
import {
  createPostgresIdempotencyStore,
  createPostgresKillSwitch,
  createPostgresRateLimiter,
  type PostgresPool,
} from "../src/index.js";
import { DRIVERS, heldPool, noServer, pgPool, schemaInVirtualTime, warm } from "./support.js";

describe.skipIf(noServer).each(DRIVERS)("with $name", ({ open }) => {
  let admin: pg.Pool;
  let pools: { pool: PostgresPool; end: () => Promise<void> }[];

  beforeAll(async () => {
    admin = pgPool(2);
    pools = [open(), open()];
    await warm(admin);
    for (const { pool } of pools) {
      if ("unsafe" in pool) await Promise.all(Array.from({ length: 40 }, () => pool.unsafe("SELECT pg_sleep(0.02)")));
      else await warm(pool as pg.Pool);
    }
  });
  afterAll(async () => {
    await Promise.all([admin.end(), ...pools.map(({ end }) => end())]);
  });

  const bench = async ({ clock }: ContractBench) => {
    const { schema, advance } = await schemaInVirtualTime(admin, clock);
    const [one, other] = pools.map(({ pool }) => heldPool(pool, clock));
    return { schema, advance, clock, one: one!, other: other! };
  };

  describe("the idempotency store contract", () => {
    const cases = idempotencyStoreContract(async (contractBench) => {
      const { one, other, schema, clock, advance } = await bench(contractBench);
      const store = createPostgresIdempotencyStore({ pool: one.pool, schema, clock });
      const another = () => createPostgresIdempotencyStore({ pool: other.pool, schema, clock });
      return { store, advance, another, close: () => store.close() };
    });
    for (const { name, run } of cases) it(name, { timeout: 30_000 }, run);
  });

  describe("the rate limiter contract", () => {
    const cases = rateLimiterContract(async (contractBench) => {
      const { one, other, schema, clock, advance } = await bench(contractBench);
      const rateLimiter = createPostgresRateLimiter({ pool: one.pool, schema, clock });
      const another = () => createPostgresRateLimiter({ pool: other.pool, schema, clock });
      return { rateLimiter, advance, another, close: () => rateLimiter.close() };
    });
    for (const { name, run } of cases) it(name, { timeout: 30_000 }, run);
  });

  describe("the kill switch contract", () => {
    const cases = killSwitchContract(async (contractBench) => {
      const { one, schema, clock, advance } = await bench(contractBench);
      const killSwitch = createPostgresKillSwitch({ pool: one.pool, schema, clock });
      const { halt, clear } = killSwitch;
      return { killSwitch, advance, halt, clear, goDark: one.cut, close: () => killSwitch.close() };
    });
    for (const { name, run } of cases) it(name, { timeout: 30_000 }, run);
  });
});

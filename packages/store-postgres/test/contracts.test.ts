import { type ContractBench, idempotencyStoreContract, killSwitchContract, rateLimiterContract } from "@eoc/testkit";
import type pg from "pg";
import { afterAll, beforeAll, describe, it } from "vitest";
import {
  createPostgresIdempotencyStore,
  createPostgresKillSwitch,
  createPostgresRateLimiter,
  type PostgresPool,
} from "../src/index.js";
import { DRIVERS, heldPool, noServer, pgPool, schemaWithMovableClock } from "./support.js";

/** Beyond the hours that the cases' windows have: a process of theirs is alive all the time. */
const abandonedAfterMs = 100 * 3_600_000;

/** The schema's clock moves when it is told to; everything else takes the time that it takes. */
const REAL_TIME = { realTime: true };

describe.skipIf(noServer).each(DRIVERS)("with $name", ({ open }) => {
  let admin: pg.Pool;
  let pools: { pool: PostgresPool; end: () => Promise<void> }[];

  beforeAll(() => {
    admin = pgPool(2);
    pools = [open(), open()];
  });
  afterAll(async () => {
    await Promise.all([admin.end(), ...pools.map(({ end }) => end())]);
  });

  const bench = async ({ clock }: ContractBench) => {
    const { schema, advance } = await schemaWithMovableClock(admin, clock);
    const [one, other] = pools.map(({ pool }) => heldPool(pool));
    return { schema, advance, one: one!, other: other! };
  };

  describe("the idempotency store contract", () => {
    const cases = idempotencyStoreContract(async (contractBench) => {
      const { one, other, schema, advance } = await bench(contractBench);
      const store = createPostgresIdempotencyStore({ pool: one.pool, schema });
      const another = () => createPostgresIdempotencyStore({ pool: other.pool, schema });
      return { store, advance, another, close: () => store.close() };
    }, REAL_TIME);
    for (const { name, run } of cases) it(name, { timeout: 30_000 }, run);
  });

  describe("the rate limiter contract", () => {
    const cases = rateLimiterContract(async (contractBench) => {
      const { one, other, schema, advance } = await bench(contractBench);
      const rateLimiter = createPostgresRateLimiter({ pool: one.pool, schema, abandonedAfterMs });
      const another = () => createPostgresRateLimiter({ pool: other.pool, schema, abandonedAfterMs });
      const settle = async () => {
        await Promise.all([one.settle(), other.settle()]);
      };
      return { rateLimiter, advance, another, settle, close: () => rateLimiter.close() };
    }, REAL_TIME);
    for (const { name, run } of cases) it(name, { timeout: 30_000 }, run);
  });

  describe("the kill switch contract", () => {
    const cases = killSwitchContract(async (contractBench) => {
      const { one, schema, advance } = await bench(contractBench);
      const killSwitch = createPostgresKillSwitch({ pool: one.pool, schema });
      const { halt, clear } = killSwitch;
      return { killSwitch, advance, halt, clear, goDark: one.cut, close: () => killSwitch.close() };
    }, REAL_TIME);
    for (const { name, run } of cases) it(name, { timeout: 30_000 }, run);
  });
});

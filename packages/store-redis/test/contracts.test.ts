import { type ContractBench, idempotencyStoreContract, killSwitchContract, rateLimiterContract } from "@eoc/testkit";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createRedisIdempotencyStore, createRedisKillSwitch, createRedisRateLimiter } from "../src/index.js";
import { CLIENTS, freshPrefix, heldClient, noServer, type Opened, virtualTime } from "./support.js";

/** Beyond the hours that the cases' windows have: a process of theirs is alive all the time. */
const abandonedAfterMs = 100 * 3_600_000;

/** The prefix's clock moves when it is told to; everything else takes the time that it takes. */
const REAL_TIME = { realTime: true };

describe.skipIf(noServer).each(CLIENTS)("with $name", ({ open }) => {
  let clients: Opened[];
  beforeAll(async () => {
    clients = [await open(), await open()];
  });
  afterAll(() => {
    for (const { end } of clients) end();
  });

  const bench = async ({ clock }: ContractBench) => {
    const [one, other] = clients.map(({ client }) => heldClient(client));
    const prefix = freshPrefix();
    return { prefix, one: one!, other: other!, advance: await virtualTime(other!, prefix, clock) };
  };

  describe("the idempotency store contract", () => {
    const onFailover = "may_dispatch_again";
    const cases = idempotencyStoreContract(async (contractBench) => {
      const { one, other, prefix, advance } = await bench(contractBench);
      const store = createRedisIdempotencyStore({ client: one.client, prefix, onFailover });
      const another = () => createRedisIdempotencyStore({ client: other.client, prefix, onFailover });
      return { store, advance, another, close: () => store.close() };
    }, REAL_TIME);
    for (const { name, run } of cases) it(name, { timeout: 30_000 }, run);
  });

  describe("the rate limiter contract", () => {
    const cases = rateLimiterContract(async (contractBench) => {
      const { one, other, prefix, advance } = await bench(contractBench);
      const rateLimiter = createRedisRateLimiter({ client: one.client, prefix, abandonedAfterMs });
      const another = () => createRedisRateLimiter({ client: other.client, prefix, abandonedAfterMs });
      const settle = async () => {
        await Promise.all([one.settle(), other.settle()]);
      };
      return { rateLimiter, advance, another, settle, close: () => rateLimiter.close() };
    }, REAL_TIME);
    for (const { name, run } of cases) it(name, { timeout: 30_000 }, run);
  });

  describe("the kill switch contract", () => {
    const cases = killSwitchContract(async (contractBench) => {
      const { one, prefix, advance } = await bench(contractBench);
      const killSwitch = createRedisKillSwitch({ client: one.client, prefix });
      const { halt, clear } = killSwitch;
      return { killSwitch, advance, halt, clear, goDark: one.cut, close: () => killSwitch.close() };
    }, REAL_TIME);
    for (const { name, run } of cases) it(name, { timeout: 30_000 }, run);
  });
});

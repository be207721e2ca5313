import { type ContractBench, idempotencyStoreContract, killSwitchContract, rateLimiterContract } from "@eoc/testkit";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createRedisIdempotencyStore, createRedisKillSwitch, createRedisRateLimiter } from "../src/index.js";
import { CLIENTS, freshPrefix, heldClient, noServer, type Opened, virtualTime } from "./support.js";

describe.skipIf(noServer).each(CLIENTS)("with $name", ({ open }) => {
  let clients: Opened[];
  beforeAll(async () => {
    clients = [await open(), await open()];
  });
  afterAll(() => {
    for (const { end } of clients) end();
  });

  const bench = async ({ clock }: ContractBench) => {
    const [one, other] = clients.map(({ client }) => heldClient(client, clock));
    const prefix = freshPrefix();
    return { clock, prefix, one: one!, other: other!, advance: await virtualTime(other!, prefix, clock) };
  };

  describe("the idempotency store contract", () => {
    const onFailover = "may_dispatch_again";
    const cases = idempotencyStoreContract(async (contractBench) => {
      const { one, other, prefix, clock, advance } = await bench(contractBench);
      const store = createRedisIdempotencyStore({ client: one.client, prefix, clock, onFailover });
      const another = () => createRedisIdempotencyStore({ client: other.client, prefix, clock, onFailover });
      return { store, advance, another, close: () => store.close() };
    });
    for (const { name, run } of cases) it(name, { timeout: 30_000 }, run);
  });

  describe("the rate limiter contract", () => {
    const cases = rateLimiterContract(async (contractBench) => {
      const { one, other, prefix, clock, advance } = await bench(contractBench);
      const rateLimiter = createRedisRateLimiter({ client: one.client, prefix, clock });
      const another = () => createRedisRateLimiter({ client: other.client, prefix, clock });
      return { rateLimiter, advance, another, close: () => rateLimiter.close() };
    });
    for (const { name, run } of cases) it(name, { timeout: 30_000 }, run);
  });

  describe("the kill switch contract", () => {
    const cases = killSwitchContract(async (contractBench) => {
      const { one, prefix, clock, advance } = await bench(contractBench);
      const killSwitch = createRedisKillSwitch({ client: one.client, prefix, clock });
      const { halt, clear } = killSwitch;
      return { killSwitch, advance, halt, clear, goDark: one.cut, close: () => killSwitch.close() };
    });
    for (const { name, run } of cases) it(name, { timeout: 30_000 }, run);
  });
});

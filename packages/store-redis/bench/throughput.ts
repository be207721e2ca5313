import { createRedisIdempotencyStore, createRedisRuntime } from "@eoc/store-redis";
import { Redis } from "ioredis";
import { printThroughput } from "../../../tools/store-trials/throughput.ts";
import { findRedis, startRedis } from "../test/redis-server.ts";

/** What the store costs beside bare writes of the client, in the same run: `node bench/throughput.ts` after a build. */
const bin = findRedis();
if (bin === undefined) throw new Error("no Redis on this machine");
const server = await startRedis(bin);
const client = new Redis(server.url);
const { rateLimiter, killSwitch, close } = createRedisRuntime({ client });
const idempotencyStore = createRedisIdempotencyStore({ client, onFailover: "may_dispatch_again" });

const claimed = async (key: string): Promise<string | number> => {
  const verdict = await idempotencyStore.claim(key, { fingerprint: "payload", leaseMs: 30_000, nowMs: 0 });
  if (verdict.state !== "claimed") throw new Error("not claimed");
  return verdict.token;
};
const acquire = (key: string, limit: number) => rateLimiter.acquire([{ key, limit, windowMs: 1000 }], 0);
const started = async (key: string) => {
  const verdict = await acquire(key, 1_000_000);
  if (verdict.granted) verdict.dispatched?.(0);
};
await acquire("full", 1);

await printThroughput({
  "bare: set, then set again, each on disk": async (index) => {
    await client.set(`bare-${index}`, "claimed");
    await client.set(`bare-${index}`, "completed");
  },
  "claim, complete": async (index) => {
    const key = `key-${index}`;
    await idempotencyStore.complete(key, await claimed(key), { value: index, ttlMs: 3_600_000 });
  },
  "claim, start, complete": async (index) => {
    const key = `key-${index}`;
    const token = await claimed(key);
    await idempotencyStore.start(key, token);
    await idempotencyStore.complete(key, token, { value: index, ttlMs: 3_600_000 });
  },
  "permits, granted and stamped, one key for all": () => started("hot"),
  "permits, granted and stamped, a key for each": (index) => started(`cold-${index}`),
  "permits, refused, one key for all": () => acquire("full", 1),
  "switch, read": () => killSwitch.read(),
});

await idempotencyStore.close();
await close();
client.disconnect();
await server.remove();

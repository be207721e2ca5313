import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRedisIdempotencyStore, createRedisRuntime, type RedisClient } from "../src/index.js";
import { findRedis, type RedisServer, startCluster } from "./redis-server.js";
import { freshPrefix, noServer } from "./support.js";

describe.skipIf(noServer)("in a cluster of three", () => {
  let nodes: readonly RedisServer[];
  const clients: { name: string; client: RedisClient; end: () => void }[] = [];

  beforeAll(async () => {
    nodes = await startCluster(findRedis()!, 3);
    const io = new Cluster(nodes.map(({ port }) => ({ host: "127.0.0.1", port })));
    io.on("error", () => {});
    const node = createCluster({ rootNodes: nodes.map(({ url }) => ({ url })) });
    node.on("error", () => {});
    await node.connect();
    clients.push({ name: "ioredis", client: io, end: () => io.disconnect() });
    clients.push({ name: "redis", client: node, end: () => node.destroy() });
  }, 60_000);
  afterAll(async () => {
    for (const { end } of clients) end();
    await Promise.all(nodes.map((node) => node.remove()));
  });

  it.each([0, 1])(
    "keys, several limits at once and the switch work, on whichever node they live (client %i)",
    {
      timeout: 30_000,
    },
    async (index) => {
      const { client } = clients[index]!;
      for (let place = 0; place < 6; place++) {
        const prefix = freshPrefix();
        const store = createRedisIdempotencyStore({ client, prefix, onFailover: "may_dispatch_again" });
        const { rateLimiter, killSwitch, close } = createRedisRuntime({ client, prefix, pollMs: 600_000 });
        const { token } = (await store.claim("key", { fingerprint: "f", leaseMs: 60_000, nowMs: 0 })) as {
          token: number;
        };
        expect(await store.complete("key", token, { value: place, ttlMs: 60_000 })).toBe(true);
        expect(await store.list()).toMatchObject([{ key: "key", state: "completed" }]);
        const both = [
          { key: "global", limit: 3, windowMs: 60_000 },
          { key: "action:ACT", limit: 2, windowMs: 60_000 },
        ];
        const verdicts = await Promise.all([1, 2, 3, 4].map(() => rateLimiter.acquire(both, 0)));
        expect(verdicts.filter(({ granted }) => granted)).toHaveLength(2);
        const heard = new Promise((resolve) => killSwitch.subscribe(resolve));
        // Thrown over the other client, which need not be on the node that is listened to.
        const other = createRedisRuntime({ client: clients[1 - index]!.client, prefix });
        await other.killSwitch.halt(`place ${place}`);
        expect(await heard).toEqual({ halted: true, reason: `place ${place}` });
        await Promise.all([store.close(), close(), other.close()]);
      }
    },
  );
});

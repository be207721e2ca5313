import { createRedisIdempotencyStore, createRedisRuntime, type RedisClient } from "@eoc/store-redis";

/** Every port of the store on one client, which stays open when they are closed. */
export function redisPorts(client: RedisClient, prefix: string) {
  const runtime = createRedisRuntime({ client, prefix });
  const idempotencyStore = createRedisIdempotencyStore({ client, prefix, onFailover: "may_dispatch_again" });
  const close = async () => {
    await Promise.all([runtime.close(), idempotencyStore.close()]);
  };
  return { ports: { ...runtime, idempotencyStore }, close };
}

import type { Clock } from "@eoc/core";
import { createRedisIdempotencyStore, createRedisRuntime } from "@eoc/store-redis";
import { Redis } from "ioredis";

export { createSystemClock, execute } from "@eoc/core";

/** The ports of this package as it ships, for the processes of a trial. */
export async function open(url: string, prefix: string, clock: Clock) {
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  client.on("error", () => {});
  const runtime = createRedisRuntime({ client, prefix, clock });
  const idempotencyStore = createRedisIdempotencyStore({ client, prefix, clock, onFailover: "may_dispatch_again" });
  return {
    ...runtime,
    idempotencyStore,
    async close() {
      await Promise.all([runtime.close(), idempotencyStore.close()]);
      client.disconnect();
    },
  };
}

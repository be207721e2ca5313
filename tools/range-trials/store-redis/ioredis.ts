import { createRedisIdempotencyStore, createRedisRuntime } from "@eoc/store-redis";
import { Redis } from "ioredis";
import { settingOf, tryPorts } from "../ports-trial.js";

const prefix = `${settingOf("EOC_TRIAL")}_ioredis`;
const opened = [0, 1].map(() => {
  const client = new Redis(settingOf("EOC_REDIS_URL"));
  const runtime = createRedisRuntime({ client, prefix });
  const idempotencyStore = createRedisIdempotencyStore({ client, prefix, onFailover: "may_dispatch_again" });
  return { client, runtime, idempotencyStore };
});
const [one, two] = opened.map(({ runtime, idempotencyStore }) => ({ ...runtime, idempotencyStore }));
await tryPorts(one!, two!);
for (const { client, runtime, idempotencyStore } of opened) {
  await Promise.all([runtime.close(), idempotencyStore.close()]);
  client.disconnect();
}

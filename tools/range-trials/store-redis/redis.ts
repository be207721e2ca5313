import { createRedisIdempotencyStore, createRedisRuntime } from "@eoc/store-redis";
import { createClient } from "redis";
import { settingOf, tryPorts } from "../ports-trial.js";

const prefix = `${settingOf("EOC_TRIAL")}_redis`;
const opened = await Promise.all(
  [0, 1].map(async () => {
    const client = createClient({ url: settingOf("EOC_REDIS_URL") });
    client.on("error", () => {});
    await client.connect();
    const runtime = createRedisRuntime({ client, prefix });
    const idempotencyStore = createRedisIdempotencyStore({ client, prefix, onFailover: "may_dispatch_again" });
    return { client, runtime, idempotencyStore };
  }),
);
const [one, two] = opened.map(({ runtime, idempotencyStore }) => ({ ...runtime, idempotencyStore }));
await tryPorts(one!, two!);
for (const { client, runtime, idempotencyStore } of opened) {
  await Promise.all([runtime.close(), idempotencyStore.close()]);
  // As it was called before 5, and still is.
  await client.quit();
}

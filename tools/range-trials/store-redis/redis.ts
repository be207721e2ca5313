import { createClient } from "redis";
import { settingOf, tryPorts } from "../ports-trial.js";
import { redisPorts } from "../redis-ports.js";

const clients = [0, 1].map(() => createClient({ url: settingOf("EOC_REDIS_URL") }));
for (const client of clients) {
  client.on("error", () => {});
  await client.connect();
}
const [one, two] = clients.map((client) => redisPorts(client, `${settingOf("EOC_TRIAL")}_redis`));
await tryPorts(one!.ports, two!.ports);
await Promise.all([one!.close(), two!.close()]);
// The one way to end a client that every version in the range has.
for (const client of clients) await client.quit();

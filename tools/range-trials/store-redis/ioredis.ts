import { Redis } from "ioredis";
import { settingOf, tryPorts } from "../ports-trial.js";
import { redisPorts } from "../redis-ports.js";

const clients = [new Redis(settingOf("EOC_REDIS_URL")), new Redis(settingOf("EOC_REDIS_URL"))] as const;
const [one, two] = clients.map((client) => redisPorts(client, `${settingOf("EOC_TRIAL")}_ioredis`));
await tryPorts(one!.ports, two!.ports);
await Promise.all([one!.close(), two!.close()]);
for (const client of clients) client.disconnect();

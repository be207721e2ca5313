import { crashTest } from "../../../tools/store-trials/crash.ts";
import { findRedis, startRedis } from "../test/redis-server.ts";

/** Kills processes and the server at random moments: `node scripts/crash.ts [process kills] [server kills]` after a build. */
const [processKills = 300, serverKills = 30] = process.argv.slice(2).map(Number);
const bin = findRedis();
if (bin === undefined) throw new Error("no Redis on this machine");
const server = await startRedis(bin);
try {
  const module = new URL("../test/trial-ports.ts", import.meta.url).href;
  process.exitCode = (await crashTest(server, module, { processKills, serverKills })) ? 0 : 1;
} finally {
  await server.remove();
}

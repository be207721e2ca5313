import { crashTest } from "../../../tools/store-trials/crash.ts";
import { findPostgres, startPostgres } from "../test/postgres-server.ts";

/** Kills processes and the server at random moments: `node scripts/crash.ts [process kills] [server kills]` after a build. */
const [processKills = 300, serverKills = 30] = process.argv.slice(2).map(Number);
const bin = findPostgres();
if (bin === undefined) throw new Error("no PostgreSQL on this machine");
const server = await startPostgres(bin);
try {
  const module = new URL("../test/trial-ports.ts", import.meta.url).href;
  process.exitCode = (await crashTest(server, module, { processKills, serverKills })) ? 0 : 1;
} finally {
  await server.remove();
}

import { createSystemClock } from "@eoc/core";
import { runKeysTrial } from "../../../tools/store-trials/keys-trial.ts";
import { findRedis, startRedis } from "../test/redis-server.ts";
import { open } from "../test/trial-ports.ts";

/** Kills processes and the server at random moments: `node scripts/crash.ts [process kills] [server kills]`. */
const [processKills = 100, serverKills = 30] = process.argv.slice(2).map(Number);
const bin = findRedis();
if (bin === undefined) throw new Error("no Redis on this machine");
const server = await startRedis(bin);
const module = new URL("../test/trial-ports.ts", import.meta.url).href;

async function trial(place: string, kills: number, killServer?: () => Promise<void>): Promise<boolean> {
  const ports = await open(server.url, place, createSystemClock());
  const result = await runKeysTrial({
    job: { module, url: server.url, place },
    kills,
    ...(killServer === undefined ? undefined : { killServer }),
    random: Math.random,
    everyMs: 150,
    keysPerLife: 2000,
    ports,
  });
  await ports.close();
  const { begunTwice, lost, unlisted, ...counts } = result;
  const broken = { begunTwice: begunTwice.length, lost: lost.length, unlisted: unlisted.length };
  console.log(`${place}: ${JSON.stringify({ ...counts, ...broken })}`);
  return begunTwice.length + lost.length + unlisted.length === 0;
}

try {
  const held = [
    await trial("process_kills", processKills),
    await trial("server_kills", serverKills, async () => {
      await server.kill();
      await server.start();
    }),
  ];
  process.exitCode = held.every(Boolean) ? 0 : 1;
} finally {
  await server.remove();
}

import { runKeysTrial } from "./keys-trial.ts";
import type { TrialModule } from "./trial.ts";

interface CrashableServer {
  readonly url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Kills processes, and then the server, at random moments; prints what came of it. False when a promise was broken. */
export async function crashTest(
  server: CrashableServer,
  module: string,
  { processKills, serverKills }: { readonly processKills: number; readonly serverKills: number },
): Promise<boolean> {
  const { open, createSystemClock } = (await import(module)) as TrialModule;
  const trial = async (place: string, kills: number, killServer?: () => Promise<void>): Promise<boolean> => {
    const ports = await open(server.url, place, createSystemClock());
    const { begunTwice, lost, unlisted, ...counts } = await runKeysTrial({
      job: { module, url: server.url, place },
      kills,
      ...(killServer === undefined ? undefined : { killServer }),
      random: Math.random,
      everyMs: 150,
      keysPerLife: 2000,
      ports,
    });
    await ports.close();
    const broken = { begunTwice: begunTwice.length, lost: lost.length, unlisted: unlisted.length };
    console.log(`${place}: ${JSON.stringify({ ...counts, ...broken })}`);
    return begunTwice.length + lost.length + unlisted.length === 0;
  };
  const restart = async () => {
    await server.kill();
    await server.start();
  };
  const processes = await trial("process_kills", processKills);
  return (await trial("server_kills", serverKills, restart)) && processes;
}

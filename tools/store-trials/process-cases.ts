import { createSystemClock } from "@eoc/core";
import { runHaltTrial } from "./halt-trial.js";
import { runKeysTrial } from "./keys-trial.js";
import { runLimitTrial } from "./limit-trial.js";
import type { TrialModule } from "./trial.js";

export interface ProcessBench {
  readonly name: string;
  /** The package's trial module, and its address for other processes. */
  readonly trial: Pick<TrialModule, "open">;
  readonly module: string;
  readonly server: () => { readonly url: string; kill(): Promise<void>; start(): Promise<void> };
  readonly freshPlace: () => string;
}

const LIMIT = { limit: 5, windowMs: 300 };

/** What a store has to keep when processes and its server are killed, as cases for a test runner. */
export function processCases({ name, trial, module, server, freshPlace }: ProcessBench) {
  const restart = async () => {
    await server().kill();
    await server().start();
  };
  const job = () => ({ module, url: server().url, place: freshPlace() });
  const killed = (what: string, kills: number, killServer?: () => Promise<void>) => ({
    name: `S7.3 kill -9 of the ${what} at random moments: no action is begun twice, no acknowledged completion lost, every key in doubt listed`,
    async run() {
      const shared = job();
      const ports = await trial.open(shared.url, shared.place, createSystemClock());
      const { begun, acknowledged, begunTwice, lost, unlisted } = await runKeysTrial({
        job: shared,
        kills,
        ...(killServer === undefined ? undefined : { killServer }),
        random: (kill) => (kill * 0.618) % 1,
        everyMs: 150,
        keysPerLife: 500,
        ports,
      });
      await ports.close();
      must(begunTwice.length + lost.length + unlisted.length === 0, JSON.stringify({ begunTwice, lost, unlisted }));
      must(begun > 0 && acknowledged > 0, "nothing was begun, or nothing acknowledged");
    },
  });
  return [
    killed("process", 4),
    killed("server", 3, restart),
    {
      name: "S6.4 two processes share a limit, one of them an hour wrong, across a restart of the server",
      async run() {
        const bench = { job: job(), ...LIMIT, windows: 5, clockErrorMs: 3_600_000, meanwhile: restart };
        const { starts, most } = await runLimitTrial(bench);
        must(most <= LIMIT.limit, `${most} starts in one window; the limit is ${LIMIT.limit}`);
        must(starts > 5 * LIMIT.limit, `only ${starts} starts`);
      },
    },
    {
      name: "S2.4 a halt from one process is observed by another",
      async run() {
        const shared = job();
        const ports = await trial.open(shared.url, shared.place, createSystemClock());
        const { roundTripMs, observedMs } = await runHaltTrial(shared, ports, 100);
        await ports.close();
        const [trip, observed] = [roundTripMs, observedMs].map((found) => JSON.stringify(found));
        console.info(`${name}: round trip ${trip} ms, a halt is observed after ${observed} ms`);
        must(observedMs.p50 > 0, "nothing was measured");
      },
    },
  ];
}

function must(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}

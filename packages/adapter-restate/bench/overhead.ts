import { RestateServer } from "../test/real/server.ts";
import { ServiceProcess } from "../test/real/service-process.ts";

/** What EOC costs on the engine: three actions by EOC beside the same three steps by hand with the SDK, in one run. */
const RUNS = Number(process.env["RUNS"] ?? 300);
const ROUNDS = 3;

const server = await RestateServer.start();
const service = new ServiceProcess({ ledgerless: true });
try {
  await service.up();
  await server.register(service.uri);
  const decision = { action: "ACT", actions: [0, 1, 2].map((i) => ({ action: "ACT", id: `a-${i}` })) };
  let calls = 0;
  const time = async (name: string, runs: number, parallel: number) => {
    const latencies: number[] = [];
    const started = performance.now();
    let left = runs;
    const worker = async () => {
      while (left-- > 0) {
        const t = performance.now();
        await server.call(name, "execute", `bench-${calls++}`, { decision, context: {} });
        latencies.push(performance.now() - t);
      }
    };
    await Promise.all(Array.from({ length: parallel }, worker));
    latencies.sort((a, b) => a - b);
    const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))]!;
    return { p50: at(0.5), p99: at(0.99), perSecond: (1000 * runs) / (performance.now() - started) };
  };

  for (const name of ["ByHand", "EocExecution"]) await time(name, 50, 4);
  for (const parallel of [1, 16]) {
    console.log(`${parallel} at a time, ${RUNS} executions a round, ${ROUNDS} rounds`);
    for (let round = 0; round < ROUNDS; round++) {
      const hand = await time("ByHand", RUNS, parallel);
      const eoc = await time("EocExecution", RUNS, parallel);
      const line = (name: string, { p50, p99, perSecond }: typeof hand) =>
        `${name} p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${perSecond.toFixed(0)}/s`;
      console.log(
        `  ${line("by hand", hand)}  ${line("EOC", eoc)}  (+${(eoc.p50 - hand.p50).toFixed(1)} ms, x${(eoc.p50 / hand.p50).toFixed(2)})`,
      );
    }
  }
} finally {
  await service.end();
  await server.end();
}

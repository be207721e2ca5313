import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionReport } from "@eoc/core";
import { RestateServer } from "../test/real/server.ts";
import { ServiceProcess } from "../test/real/service-process.ts";

/**
 * 300 decisions of three actions each, six kills of the service and one of the server in the middle of it. Says what the
 * reports say and what the outside world's ledger says, and fails where they disagree or an action was begun twice.
 */
const DECISIONS = Number(process.env["DECISIONS"] ?? 300);
const SERVICE_KILLS = 6;
const IN_FLIGHT = 24;

const started = performance.now();
const server = await RestateServer.start();
const service = new ServiceProcess({
  policy: { timeout: { attemptTimeoutMs: 2000, maxTotalTimeMs: 300_000, portTimeoutMs: 1000 } },
  executorMs: 15,
});
let failed = false;
try {
  await service.up();
  await server.register(service.uri);
  const reports: ExecutionReport[] = [];
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < DECISIONS; n = next++) {
      const actions = [0, 1, 2].map((i) => ({ action: "ACT", id: `d-${n}-a-${i}` }));
      const request = { decision: { action: "ACT", actions }, context: {} };
      reports.push(await server.call<ExecutionReport>("EocExecution", "execute", `chaos-${n}`, request));
    }
  };
  const workers = Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  // Kills come by progress, not by the clock.
  const lines = () => service.ledger().length;
  const total = DECISIONS * 6;
  for (let kill = 1; kill <= SERVICE_KILLS + 1; kill++) {
    const at = (total * kill) / (SERVICE_KILLS + 3);
    while (lines() < at && reports.length < DECISIONS - IN_FLIGHT) await sleep(2);
    if (kill === 4) {
      await server.kill();
      await server.up();
    } else {
      await service.kill();
      await service.up();
    }
    console.log(`${kill === 4 ? "server" : "service"} killed at ${lines()} of about ${total} lines of the ledger`);
  }
  await workers;

  const rows = reports.flatMap(({ actions }) => actions);
  const begun = new Map<string, number>();
  const effects = new Map<string, number>();
  for (const line of service.ledger()) {
    if (line.begun !== undefined) begun.set(line.begun, (begun.get(line.begun) ?? 0) + 1);
    if (line.effect !== undefined) effects.set(line.effect, (effects.get(line.effect) ?? 0) + 1);
  }
  const twice = [...begun].filter(([, count]) => count > 1).length;
  const wrong = rows.filter(({ id, status, errorType }) => {
    const happened = effects.get(id) ?? 0;
    if (status === "success") return happened !== 1;
    if (status === "unknown") return errorType !== "EffectInDoubt" || happened > 1;
    return happened !== 0;
  });
  const count = (status: string) => rows.filter((row) => row.status === status).length;
  const reported = new Set(rows.map(({ id }) => id));
  const unreported = [...effects.keys()].filter((id) => !reported.has(id)).length;
  console.log(
    `${reports.length} reports of ${DECISIONS} decisions, ${rows.length} actions: ${count("success")} success, ` +
      `${count("unknown")} in doubt, ${count("skipped")} skipped, ${count("denied")} denied, ${count("failed")} failed`,
  );
  console.log(
    `${begun.size} actions begun, ${twice} begun twice; ${effects.size} in the ledger, ${unreported} of them in no report; ` +
      `${wrong.length} rows that the ledger contradicts; ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  failed = reports.length !== DECISIONS || twice > 0 || wrong.length > 0 || unreported > 0;
} finally {
  await service.end();
  await server.end();
}
process.exitCode = failed ? 1 : 0;

import type { ExecutionReport } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { RestateServer, until, whyNoServer } from "./server.ts";
import { ServiceProcess } from "./service-process.ts";

const DECISIONS = 40;

const why = whyNoServer();
if (why !== undefined) console.log(`the loss of a cluster's node is not tested: ${why}`);

describe.skipIf(why !== undefined)("three nodes, everything on two of them at least", () => {
  it("complete every execution when one is killed and stays away, and nothing is begun twice", async () => {
    const servers = await RestateServer.startCluster({ name: "eoc-cluster", nodes: 3, replication: 2 });
    const service = new ServiceProcess({
      policy: { timeout: { attemptTimeoutMs: 60_000, maxTotalTimeMs: 300_000 } },
      executorMs: 30,
    });
    try {
      await service.up();
      await servers[1]!.register(service.uri);
      const reports = Array.from({ length: DECISIONS }, (_, n) => {
        const actions = [0, 1, 2].map((i) => ({ action: "ACT", id: `d-${n}-a-${i}` }));
        const request = { decision: { action: "ACT", actions }, context: {} };
        return servers[1]!.call<ExecutionReport>("EocExecution", "execute", `cluster-${n}`, request);
      });
      await until("the middle of it", () => service.ledger().length >= DECISIONS || undefined);
      const leads = await Promise.all(servers.map((node) => node.leads()));
      // The one that most depends on; not the one that requests come in by, which would only have to be sent elsewhere.
      await servers[leads[2]! > leads[0]! ? 2 : 0]!.kill();
      const statuses = (await Promise.all(reports)).map(({ status }) => status);
      expect(statuses).toEqual(statuses.map(() => "success"));
      expect(service.begunTwice()).toEqual([]);
    } finally {
      await service.end();
      await Promise.all(servers.map((server) => server.end()));
    }
  }, 120_000);
});

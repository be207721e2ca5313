import type { ExecutionReport } from "@eoc/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RestateServer, whyNoServer } from "./server.ts";
import { ServiceProcess } from "./service-process.ts";

const IDS = ["a-0", "a-1", "a-2"];
const decision = { action: "ACT", actions: IDS.map((id) => ({ action: "ACT", id })) };

/** Every step of three actions, before its work and after it, and the executor inside it. */
const ALL = [
  "start: before",
  "start: after",
  ...[0, 1, 2].flatMap((i) => [
    `intend ${i}: before`,
    `intend ${i}: after`,
    `effect ${i}: before`,
    `executor ${i}: before`,
    `executor ${i}: after`,
    `effect ${i}: after`,
  ]),
];

const DEEP = process.env["EOC_DEEP"] !== undefined;
const moments = (few: readonly string[]) => (DEEP ? ALL : ALL.filter((name) => few.includes(name)));

const why = whyNoServer();
if (why !== undefined) console.log(`kills of service and server are not tested: ${why}`);

describe.skipIf(why !== undefined)("a decision of three actions on the real engine", () => {
  let server: RestateServer;
  let calls = 0;
  beforeAll(async () => {
    server = await RestateServer.start();
  }, 60_000);
  afterAll(() => server?.end());

  async function run(
    at: string,
    victim: "service" | "server",
  ): Promise<{ report: ExecutionReport; service: ServiceProcess }> {
    const attemptTimeoutMs = victim === "service" ? 400 : 60_000;
    const policy = { timeout: { attemptTimeoutMs, maxTotalTimeMs: 120_000, portTimeoutMs: 200 } };
    const service = new ServiceProcess({ policy, stopAt: [at] });
    try {
      await service.up();
      await server.register(service.uri);
      const stopped = service.stopped();
      const answer = server.call<ExecutionReport>("EocExecution", "execute", `kill-${calls++}`, {
        decision,
        context: {},
      });
      expect(await stopped).toBe(at);
      if (victim === "service") {
        await service.kill();
        await service.up();
      } else {
        await server.kill();
        await server.up();
        service.goOn(at);
      }
      return { report: await answer, service };
    } finally {
      await service.end();
    }
  }

  for (const at of moments([
    "intend 0: after",
    "effect 1: before",
    "executor 1: before",
    "executor 1: after",
    "effect 2: after",
  ])) {
    it(`survives kill -9 of the service at "${at}": the report arrives, nothing is begun twice, what is in doubt is named`, async () => {
      const { report, service } = await run(at, "service");
      expect(service.begunTwice()).toEqual([]);
      const { effects, begun } = service.counts();
      for (const { id, status, errorType, reason } of report.actions) {
        if (status === "success") expect(effects(id)).toBe(1);
        else if (status === "unknown")
          expect({ errorType, begun: begun(id) <= 1 }).toEqual({ errorType: "EffectInDoubt", begun: true });
        else expect({ reason, effects: effects(id) }).toEqual({ reason: "prior_action_failed", effects: 0 });
      }
      // In doubt is what was at the effect step, and nothing else: there, nobody can know.
      const inDoubt = /^(effect|executor) (\d)/.exec(at);
      const unknown = report.actions.filter(({ status }) => status === "unknown").map(({ index }) => index);
      expect(unknown).toEqual(inDoubt === null ? [] : [Number(inDoubt[2])]);
    }, 60_000);
  }

  for (const at of moments(["intend 1: after", "executor 1: before", "effect 2: after"])) {
    it(`survives kill -9 of the server at "${at}": the service lives on, and nothing is in doubt`, async () => {
      const { report, service } = await run(at, "server");
      expect(service.begunTwice()).toEqual([]);
      expect(report.status).toBe("success");
      const { effects, begun } = service.counts();
      for (const id of IDS) expect({ begun: begun(id), effects: effects(id) }).toEqual({ begun: 1, effects: 1 });
    }, 60_000);
  }
});

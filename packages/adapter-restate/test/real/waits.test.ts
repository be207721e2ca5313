import type { ExecutionReport } from "@eoc/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RestateServer, until, whyNoServer } from "./server.ts";
import { ServiceProcess } from "./service-process.ts";

const why = whyNoServer();
if (why !== undefined) console.log(`waits on the engine are not tested: ${why}`);

interface Invocation {
  readonly id: string;
  readonly status: string;
}

describe.skipIf(why !== undefined)("a backoff on the real engine", () => {
  let server: RestateServer;
  let service: ServiceProcess | undefined;
  beforeAll(async () => {
    server = await RestateServer.start();
  }, 60_000);
  afterAll(async () => {
    await service?.end();
    await server?.end();
  });

  const decision = { action: "ACT", actions: [{ action: "ACT", id: "a-0", params: { rejects: 1 } }] };

  async function begin(
    initialBackoffMs: number,
    key: string,
  ): Promise<{ invocation: string; answer: Promise<ExecutionReport> }> {
    service = new ServiceProcess({
      policy: {
        retry: { initialBackoffMs, maxBackoffMs: initialBackoffMs },
        timeout: { maxTotalTimeMs: 4 * 3_600_000 },
      },
    });
    await service.up();
    await server.register(service.uri);
    const answer = server.call<ExecutionReport>("EocExecution", "execute", key, { decision, context: {} });
    answer.catch(() => {});
    const invocation = await until("the timer on the engine's record", async () => {
      const [row] = await server.query<Invocation>(
        `SELECT j.id AS id FROM sys_journal j JOIN sys_invocation i ON j.id = i.id
         WHERE j.entry_type = 'Command: Sleep' AND i.idempotency_key = '${key}'`,
      );
      return row?.id;
    });
    return { invocation, answer };
  }

  it("of an hour is the engine's: it is there, at its time, with the service killed and the server started anew", async () => {
    const begunAt = Date.now();
    const { invocation } = await begin(3_600_000, "an-hour");
    await service!.kill();
    await server.kill();
    await server.up();
    const [timer] = await until("the timer", async () => {
      const rows = await server.query<{ entry_json: string }>(
        `SELECT entry_json FROM sys_journal WHERE id = '${invocation}' AND entry_type = 'Command: Sleep'`,
      );
      return rows.length > 0 ? rows : undefined;
    });
    const { Sleep } = (JSON.parse(timer!.entry_json) as { Command: { Sleep: { wake_up_time: number } } }).Command;
    const wakesIn = Sleep.wake_up_time - begunAt;
    expect(wakesIn).toBeGreaterThanOrEqual(3_600_000);
    expect(wakesIn).toBeLessThan(3_660_000);
    expect(service!.ledger().filter(({ begun }) => begun !== undefined)).toHaveLength(1);
    await service!.end();
  }, 60_000);

  it("of two seconds survives a kill of the service and of the server, and the retry comes after it", async () => {
    const { answer } = await begin(2000, "two-seconds");
    await service!.kill();
    await server.kill();
    await server.up();
    await service!.up();
    const report = await answer;
    expect(report).toMatchObject({ status: "success", attemptCount: 2 });
    expect(report.actions[0]!.waitedMs).toBeGreaterThanOrEqual(2000);
    expect(service!.begunTwice()).toEqual([]);
    expect(service!.counts().begun("a-0")).toBe(2);
  }, 60_000);
});

import { type ExecutionEvent, type ExecutionReport, execute } from "@eoc/core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { timeless } from "../support.js";
import { RestateServer, until, whyNoServer } from "./server.ts";
import { ServiceProcess, type ServiceSettings } from "./service-process.ts";

const why = whyNoServer();
if (why !== undefined) console.log(`the real engine is not tested: ${why}`);

interface Row {
  readonly id: string;
  readonly status: string;
}

describe.skipIf(why !== undefined)("on the real engine", () => {
  let server: RestateServer;
  let service: ServiceProcess | undefined;
  let calls = 0;
  beforeAll(async () => {
    server = await RestateServer.start();
  }, 60_000);
  afterEach(() => service?.end());
  afterAll(() => server?.end());

  async function serve(settings: ServiceSettings): Promise<ServiceProcess> {
    service = new ServiceProcess(settings);
    await service.up();
    await server.register(service.uri);
    return service;
  }

  function ask(body: object, key = `engine-${calls++}`): Promise<ExecutionReport> {
    const answer = server.call<ExecutionReport>("EocExecution", "execute", key, { context: {}, ...body });
    answer.catch(() => {});
    return answer;
  }

  const invocation = (key: string, status?: string) =>
    until(`the invocation ${key}`, async () => {
      const and = status === undefined ? "" : ` AND status = '${status}'`;
      const [row] = await server.query<Row>(
        `SELECT id, status FROM sys_invocation WHERE idempotency_key = '${key}'${and}`,
      );
      return row;
    });

  const act = (id: string, params: object = {}) => ({ action: "ACT" as const, id, params: { ...params } });

  it("the events are those of one process, apart from times: of retries and a rejection too", async () => {
    const policy = { retry: { initialBackoffMs: 20, maxRetries: 1 } };
    await serve({ policy });
    const decision = {
      action: "ACT" as const,
      actions: [act("a-0"), act("a-1", { rejects: 1 }), act("a-2", { rejects: 5 })],
    };
    const report = await ask({ decision, executionId: "e-1" });
    const own: ExecutionEvent[] = [];
    const here = await execute(
      decision,
      {},
      policy,
      (action, { attempt }) =>
        Promise.resolve((action.params["rejects"] as number) > attempt ? { ok: false, code: "not_yet" } : { ok: true }),
      { executionId: "e-1", onEvent: (event) => own.push(event) },
    );
    expect(timeless(service!.events())).toEqual(timeless(own));
    expect(timeless([report as never])).toEqual(timeless([here as never]));
  }, 60_000);

  it("several actions at the executor together are replayed as they were, over a kill in the middle", async () => {
    await serve({
      policy: {
        maxConcurrency: 3,
        onFailure: "continue",
        timeout: { attemptTimeoutMs: 400, portTimeoutMs: 200, maxTotalTimeMs: 60_000 },
      },
      stopAt: ["executor 3: before"],
    });
    const actions = [
      act("a-0", { ms: 5 }),
      act("a-1", { ms: 25 }),
      act("a-2", { ms: 300 }),
      act("a-3", { ms: 5 }),
      act("a-4"),
    ];
    const stopped = service!.stopped();
    const answer = ask({ decision: { action: "ACT", actions } });
    await stopped;
    await service!.kill();
    await service!.up();
    const report = await answer;
    expect(service!.begunTwice()).toEqual([]);
    const { effects } = service!.counts();
    for (const { id, status, errorType } of report.actions) {
      if (status === "success") expect(effects(id)).toBe(1);
      else expect({ status, errorType }).toEqual({ status: "unknown", errorType: "EffectInDoubt" });
    }
    // Those beside it may have been answered by then or not; this one was not.
    expect(report.actions[3]!.status).toBe("unknown");
  }, 60_000);

  it("S4.8 an operator's cancel of the invocation is a cancel in the report", async () => {
    await serve({
      policy: {
        retry: { initialBackoffMs: 3_600_000, maxBackoffMs: 3_600_000 },
        timeout: { maxTotalTimeMs: 7_200_000 },
      },
    });
    const key = `engine-${calls++}`;
    const answer = ask({ decision: { action: "ACT", actions: [act("a-0", { rejects: 9 })] } }, key);
    await until("the wait", () => service!.events().some(({ type }) => type === "wait.started") || undefined);
    const { id } = await invocation(key);
    await fetch(`${server.admin}/invocations/${id}/cancel`, { method: "PATCH" });
    expect(await answer).toMatchObject({ status: "failed", reason: "cancelled", attemptCount: 1 });
  }, 60_000);

  it("S2.4 a halt ends a wait at once, and aborts what is in flight", async () => {
    await serve({
      killSwitch: true,
      policy: {
        retry: { initialBackoffMs: 3_600_000, maxBackoffMs: 3_600_000 },
        timeout: { attemptTimeoutMs: 60_000, maxTotalTimeMs: 7_200_000 },
      },
    });
    const waiting = ask({ decision: { action: "ACT", actions: [act("a-0", { rejects: 9 })] } });
    const flying = ask({ decision: { action: "ACT", actions: [act("a-1", { ms: 50_000 })] } });
    await until("the wait", () => service!.events().some(({ type }) => type === "wait.started") || undefined);
    await until("the flight", () => service!.ledger().some(({ begun }) => begun === "a-1") || undefined);
    service!.halt();
    expect(await waiting).toMatchObject({ status: "failed", reason: "kill_switch", attemptCount: 1 });
    expect(await flying).toMatchObject({ status: "unknown", reason: "kill_switch", attemptCount: 1 });
  }, 60_000);

  it("a wait lets the process rest: the engine suspends the invocation and wakes it", async () => {
    await serve({ inactivityMs: 100, killSwitch: true, policy: { retry: { initialBackoffMs: 1500 } } });
    const key = `engine-${calls++}`;
    const answer = ask({ decision: { action: "ACT", actions: [act("a-0", { rejects: 1 }), act("a-1")] } }, key);
    expect(await answer).toMatchObject({ status: "success", attemptCount: 3 });
    expect(service!.begunTwice()).toEqual([]);
  }, 60_000);

  it("without a switch to listen to it rests at once", async () => {
    await serve({ inactivityMs: 100, policy: { retry: { initialBackoffMs: 3000 } } });
    const key = `engine-${calls++}`;
    const answer = ask({ decision: { action: "ACT", actions: [act("a-0", { rejects: 1 })] } }, key);
    await invocation(key, "suspended");
    expect(await answer).toMatchObject({ status: "success", attemptCount: 2 });
  }, 60_000);

  it("S7.2 the same key is executed once, and with another payload denied", async () => {
    await serve({});
    const decision = { action: "ACT", actions: [act("a-0")] };
    const [one, two] = await Promise.all([ask({ decision, key: "k" }), ask({ decision, key: "k" })]);
    expect(two).toEqual(one);
    expect(service!.counts().begun("a-0")).toBe(1);
    const other = await ask({ decision: { action: "ACT", actions: [act("a-1")] }, key: "k" });
    expect(other).toMatchObject({ status: "denied", reason: "idempotency_conflict", attemptCount: 0 });
    expect(other.actions.map(({ id }) => id)).toEqual(["a-1"]);
    expect(service!.counts().begun("a-1")).toBe(0);
  }, 60_000);

  it("S1.2 a key that is none is denied", async () => {
    await serve({});
    const report = await ask({ decision: { action: "ACT", actions: [act("a-0")] }, key: "" });
    expect(report).toMatchObject({ status: "denied", reason: "invalid_options", issues: [{ path: "key" }] });
    expect(service!.ledger()).toEqual([]);
  }, 60_000);

  it("S1.2 what is no request at all is denied, not retried for ever", async () => {
    await serve({});
    expect(await ask({ decision: 7 })).toMatchObject({ status: "denied", reason: "invalid_decision" });
  }, 60_000);
});

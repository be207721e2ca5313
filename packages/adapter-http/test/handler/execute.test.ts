import { createManualKillSwitch, definePolicy, isEocError, planExecution, reportFromEvents } from "@eoc/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createExecutionHandler, type ExecutionHandlerOptions } from "../../src/index.js";
import { aHeldExecutor, messagesOf, ORDER, openHandler, problemOf, reportOf } from "./support.js";

describe("createExecutionHandler", () => {
  it("refuses options that are wrong, naming each and showing no value", () => {
    const wrong: [path: string, options: Record<string, unknown>][] = [
      ["executor", { executor: undefined }],
      ["executor", { executor: { run: () => {} } }],
      ["authorize", { authorize: undefined }],
      ["authorize", { authorize: true }],
      ["authorize", { authorize: "s3cr3t" }],
      ["control.token", { control: { token: "s3cr3t" } }],
      ["control.token", { control: { token: "" } }],
      ["control.token", { control: { token: undefined } }],
      ["control.token", { control: {} }],
      ["ports.killSwitch", { control: { token: "x".repeat(16) }, ports: { killSwitch: { read: () => {} } } }],
      ["ports", { ports: null }],
      ["ports", { ports: "s3cr3t" }],
      ["ports", { ports: 5 }],
      ["ports", { ports: [] }],
      ["ports", { ports: new Map([["killSwitch", createManualKillSwitch()]]) }],
      ["ports.killswitch", { ports: { killswitch: createManualKillSwitch() } }],
      ["ports.killSwitch", { ports: { killSwitch: {} } }],
      ["ports.killSwitch", { ports: Object.create({ killSwitch: createManualKillSwitch() }) }],
      ["ports.rateLimiter", { ports: { rateLimiter: 5 } }],
      ["ports.onEvent", { ports: { onEvent: "s3cr3t" } }],
      ["ports.clock", { ports: { clock: { now: () => 0 } } }],
      ["ports.executionId", { ports: { executionId: "s3cr3t" } }],
      ["ports.seed", { ports: { seed: "s3cr3t" } }],
      ["ports.approval", { ports: { approval: { digest: "s3cr3t" } } }],
      ["ports.approval", { ports: { approval: undefined } }],
      ["ports.idempotencyStore", { policy: { idempotency: { enabled: true } } }],
      ["ports.rateLimiter", { policy: { rateLimit: { perAction: { ACT: { limit: 1, windowMs: 5 } } } } }],
      ["executor", { executor: { execute: () => {}, reconcile: "s3cr3t" } }],
      ["rateLimit.limiter", { rateLimit: { limit: 1, windowMs: 1, limiter: 5 } }],
      ["rateLimit.limiter", { rateLimit: { limit: 1, windowMs: 1, limiter: {} } }],
      ["basePath", { basePath: "eoc" }],
      ["basePath", { basePath: "/eoc/" }],
      ["maxRequestBytes", { maxRequestBytes: 0 }],
      ["requestTimeoutMs", { requestTimeoutMs: Number.NaN }],
      ["keepAliveMs", { keepAliveMs: Number.POSITIVE_INFINITY }],
      ["maxStreams", { maxStreams: 1.5 }],
      ["remember.maxExecutions", { remember: { maxExecutions: 0 } }],
      ["remember.maxEvents", { remember: { maxEvents: -1 } }],
      ["remember.maxBytes", { remember: { maxBytes: 0 } }],
      ["rateLimits", { rateLimits: { limit: 1, windowMs: 1 } }],
      ["rateLimit.perMs", { rateLimit: { limit: 1, windowMs: 1, perMs: 1 } }],
      ["remember.maxAge", { remember: { maxAge: 1 } }],
      [
        "control.tokens",
        { control: { token: "x".repeat(16), tokens: [] }, ports: { killSwitch: createManualKillSwitch() } },
      ],
      ["remember.maxAgeMs", { remember: { maxAgeMs: 0 } }],
      ["rateLimit.limit", { rateLimit: { windowMs: 1000 } }],
      ["rateLimit.windowMs", { rateLimit: { limit: 1 } }],
      ["rateLimit.key", { rateLimit: { limit: 1, windowMs: 1, key: "ip" } }],
      ["onDisconnect", { onDisconnect: "abort" }],
      ["approval", { approval: {} }],
      ["waitUntil", { waitUntil: {} }],
      ["onError", { onError: {} }],
    ];
    for (const [path, options] of wrong) {
      const all = {
        policy: {},
        executor: () => ({ ok: true }),
        authorize: "none",
        ...options,
      } as ExecutionHandlerOptions;
      const refused = expect.toSatisfy(
        (error) => isEocError(error) && error.code === "invalid_option" && error.issues?.[0]?.path === path,
      );
      expect(() => createExecutionHandler(all), path).toThrow(refused);
      expect(() => createExecutionHandler(all)).not.toThrow("s3cr3t");
    }
    const needy = { policy: { idempotency: { enabled: true } }, ports: { idempotencyStores: {} } };
    const all = { executor: () => ({ ok: true }), authorize: "none", ...needy } as unknown as ExecutionHandlerOptions;
    const message = /^invalid execution handler: ports\.idempotencyStores must be one of .*idempotencyStore/;
    expect(() => createExecutionHandler(all)).toThrow(message);
    const noOptions = expect.toSatisfy((error) => isEocError(error) && error.code === "invalid_option");
    expect(() => createExecutionHandler(undefined as never)).toThrow(noOptions);
    const policy = { maxConcurrency: 0 };
    const refused = expect.toSatisfy((error) => isEocError(error) && error.code === "invalid_policy");
    expect(() => createExecutionHandler({ policy, executor: () => ({ ok: true }), authorize: "none" })).toThrow(
      refused,
    );
  });
});

describe("createExecutionHandler before there is any randomness, as in a worker's global scope", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("makes a handler, and refuses what it refuses elsewhere", () => {
    const getRandomValues = () => {
      throw new Error("Disallowed operation called within global scope.");
    };
    vi.stubGlobal("crypto", { getRandomValues });
    const options: ExecutionHandlerOptions = { policy: {}, executor: () => ({ ok: true }), authorize: "none" };
    const refused = expect.toSatisfy((error) => isEocError(error) && error.code === "invalid_option");
    // Some random ids may be left of an earlier test.
    for (let time = 0; time < 300; time++) {
      expect(createExecutionHandler(options)).toBeTypeOf("function");
      const ports = { killswitch: createManualKillSwitch() } as ExecutionHandlerOptions["ports"] & object;
      expect(() => createExecutionHandler({ ...options, ports })).toThrow(refused);
      const policy = { idempotency: { enabled: true } };
      expect(() => createExecutionHandler({ ...options, policy })).toThrow(refused);
    }
  });
});

describe("POST /execute", () => {
  it("executes the decision under the service's policy and answers with the report", async () => {
    const { order, effects } = openHandler();
    const response = await order();
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    const policy = definePolicy({});
    const { planHash } = planExecution({ ...ORDER.decision, allowed: true, reasons: [] } as never, policy);
    expect(await reportOf(response)).toMatchObject({ status: "success", attemptCount: 1, planHash });
    expect(effects).toEqual(["order-1"]);
  });

  it("S9.2 sends no value that an executor returned", async () => {
    const { order, get } = openHandler();
    const text = await (await order()).text();
    const { executionId } = JSON.parse(text) as { executionId: string };
    const events = await (await get(`/executions/${executionId}/events`)).text();
    expect(text + events).not.toContain("s3cr3t");
  });

  it("answers 200 with a report, whatever the report says", async () => {
    const denied = await openHandler().post("/execute", { ...ORDER, context: { ops_deny_actions: true } });
    expect([denied.status, (await reportOf(denied)).status]).toEqual([200, "denied"]);
    const failing = openHandler({ executor: () => ({ ok: false, code: "no", retryable: false }) });
    expect((await reportOf(await failing.order())).status).toBe("failed");
    const halted = openHandler();
    halted.killSwitch.halt();
    expect(await reportOf(await halted.order())).toMatchObject({ status: "denied", failClosed: false });
    expect(halted.effects).toEqual([]);
  });

  it("S2.3 executes nothing when the kill switch cannot be read", async () => {
    const { order, effects } = openHandler({
      ports: { killSwitch: { read: () => Promise.reject(new Error("gone")) } },
    });
    expect(await reportOf(await order())).toMatchObject({
      status: "denied",
      failClosed: true,
      actions: [{ reason: "kill_switch_unavailable" }],
    });
    expect(effects).toEqual([]);
  });

  it("says what is wrong with a decision, without repeating it", async () => {
    const { post } = openHandler();
    const response = await post("/execute", { decision: { action: "s3cr3t", allowed: 1 } });
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      code: "invalid_decision",
      executionId: expect.any(String),
      issues: [{ path: "decision.action" }, { path: "decision.allowed" }],
    });
    expect(text).not.toContain("s3cr3t");
  });

  it("answers hostile bodies with a refusal", async () => {
    const { post, effects } = openHandler();
    const hostile = [
      "",
      "null",
      "[]",
      '"text"',
      '{"__proto__":{"decision":{"action":"ACT"}}}',
      `{"decision":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
      `{"decision":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}`,
      '{"decision":{"action":"ACT","params":7}}',
      '{"decision":{"action":"ACT"},"context":"all"}',
    ];
    for (const body of hostile) {
      const [status, code] = await problemOf(await post("/execute", body));
      expect([body.slice(0, 50), [400, 422].includes(status), code]).toEqual([
        body.slice(0, 50),
        true,
        expect.any(String),
      ]);
    }
    expect(effects).toEqual([]);
  });

  it("takes a body of exactly maxRequestBytes, however it is cut into pieces", async () => {
    const bytes = new TextEncoder().encode(JSON.stringify(ORDER));
    const piecemeal = () =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
          controller.close();
        },
      });
    const init = { duplex: "half" } as RequestInit;
    const enough = openHandler({ maxRequestBytes: bytes.length });
    expect((await enough.post("/execute", piecemeal(), {}, init)).status).toBe(200);
    const tooFew = openHandler({ maxRequestBytes: bytes.length - 1 });
    expect((await tooFew.post("/execute", piecemeal(), {}, init)).status).toBe(413);
  });

  it("reads nothing of a body that is said to be too long", async () => {
    const { get } = openHandler({ maxRequestBytes: 10 });
    const body = new ReadableStream<Uint8Array>({ pull: () => expect.unreachable() }, { highWaterMark: 0 });
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    const headers = { "content-type": "application/json", "content-length": "11" };
    expect(await problemOf(await get("/execute", headers, init))).toEqual([413, "body_too_large"]);
  });

  it("takes JSON with a charset and a byte order mark", async () => {
    const { post } = openHandler();
    const type = { "content-type": "Application/JSON; charset=UTF-8" };
    expect((await post("/execute", `\ufeff${JSON.stringify(ORDER)}`, type)).status).toBe(200);
  });

  it("S1.8 holds the decision to the approval that came with it", async () => {
    const { post } = openHandler();
    const response = await post("/execute", { ...ORDER, approval: { digest: "another" } });
    expect((await reportOf(response)).actions[0]).toMatchObject({ status: "denied", reason: "approval_mismatch" });
  });

  it("S1.8 holds the decision to the approval that the service has of it", async () => {
    const { order, effects } = openHandler({ approval: () => ({ digest: "of something else" }) });
    expect((await reportOf(await order())).actions[0]).toMatchObject({ reason: "approval_mismatch" });
    const expired = openHandler({ approval: () => ({ digest: "d", expiresAtMs: -1 }) });
    expect((await reportOf(await expired.order())).status).toBe("denied");
    expect(effects).toEqual([]);
  });

  it("is asked of `authorize` before anything is read", async () => {
    const seen: (string | null)[] = [];
    const { order, get } = openHandler({
      authorize: (request) => {
        seen.push(request.headers.get("x-who"));
        return request.headers.get("x-who") === "ops";
      },
    });
    const body = new ReadableStream<Uint8Array>({ pull: () => expect.unreachable() }, { highWaterMark: 0 });
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    expect((await get("/execute", { "x-who": "eve" }, init)).status).toBe(403);
    expect((await order({ "x-who": "ops" })).status).toBe(200);
    expect(seen).toEqual(["eve", "ops"]);
  });

  it("lives under a base path, and nowhere else", async () => {
    const { post } = openHandler({ basePath: "/eoc/v1" });
    const paths = [
      "/eoc/v1/execute",
      "/execute",
      "/eoc/v1/eoc/v1/execute",
      "/eoc/v1execute",
      "/eoc/v1/execute/",
      "/eoc/v1",
    ];
    expect(await Promise.all(paths.map(async (path) => (await post(path, ORDER)).status))).toEqual([
      200, 404, 404, 404, 404, 404,
    ]);
  });

  it("hands the ports to every execution, and its events to the service's own listener", async () => {
    const events: string[] = [];
    const gates: string[] = [];
    const { order } = openHandler({
      ports: {
        onEvent: ({ type }) => events.push(type),
        gates: [
          ({ id }) => {
            gates.push(id);
            return { allow: true };
          },
        ],
      },
    });
    await order();
    expect([gates, events.at(0), events.at(-1)]).toEqual([["order-1"], "execution.started", "execution.finished"]);
  });
});

describe("POST /execute with Prefer: respond-async", () => {
  it("answers at once, and says where the execution can be found", async () => {
    const { held, execute, started } = aHeldExecutor();
    const { order, get, clock } = openHandler({ executor: execute });
    const response = await order({ prefer: "wait=5, Respond-Async" });
    expect([response.status, response.headers.get("preference-applied")]).toEqual([202, "respond-async"]);
    const { executionId } = (await response.json()) as { executionId: string };
    const url = new URL(response.headers.get("location")!, "http://service.test/mounted/execute");
    expect(url.pathname).toBe(`/mounted/executions/${executionId}`);
    await started;

    const running = await get(`/executions/${executionId}`);
    expect([running.status, running.headers.get("retry-after"), await running.json()]).toEqual([
      202,
      "1",
      { executionId, state: "running" },
    ]);
    held.release({ ok: true });
    await clock.runUntilIdle();
    const finished = await get(`/executions/${executionId}`);
    expect(await reportOf(finished)).toMatchObject({ status: "success", executionId });
  });

  it("hands the execution to waitUntil, whatever that does", async () => {
    const waiting: Promise<unknown>[] = [];
    const { order } = openHandler({ waitUntil: (execution) => waiting.push(execution) });
    await order({ prefer: "respond-async" });
    await order();
    expect(waiting).toHaveLength(2);
    const throwing = openHandler({
      waitUntil: () => {
        throw new Error("no such request");
      },
    });
    expect([(await throwing.order()).status, throwing.faults.length]).toEqual([200, 1]);
  });
});

describe("GET /executions/:id", () => {
  it("shows what POST /execute answered", async () => {
    const { order, post, get } = openHandler();
    const text = await (await order()).text();
    const { executionId } = JSON.parse(text) as { executionId: string };
    expect(await (await get(`/executions/${executionId}`)).text()).toBe(text);
    const refused = (await (await post("/execute", { decision: {} })).json()) as { executionId: string };
    expect(await problemOf(await get(`/executions/${refused.executionId}`))).toEqual([422, "invalid_decision"]);
  });

  it("answers HEAD like GET, without the body", async () => {
    const { order, get } = openHandler();
    const { executionId } = await reportOf(await order());
    const answers = ["", "/events"].map(async (rest) => {
      const path = `/executions/${executionId}${rest}`;
      const [head, full] = [await get(path, {}, { method: "HEAD" }), await get(path)];
      expect([head.status, Object.fromEntries(head.headers)]).toEqual([200, Object.fromEntries(full.headers)]);
      expect(head.body).toBeNull();
    });
    await Promise.all(answers);
  });

  it("is refused to whom authorize refuses, known or not", async () => {
    let open = true;
    const { order, get } = openHandler({ authorize: () => open });
    const { executionId } = await reportOf(await order());
    open = false;
    const paths = [executionId, `${executionId}/events`, "0".repeat(32)].map((rest) => `/executions/${rest}`);
    expect(await Promise.all(paths.map(async (path) => (await get(path)).status))).toEqual([403, 403, 403]);
  });
});

describe("the events of an execution", () => {
  it("S8.1 rebuild its report", async () => {
    const { order, get } = openHandler();
    const report = await reportOf(await order());
    const messages = messagesOf(await (await get(`/executions/${report.executionId}/events`)).text());
    expect(JSON.parse(JSON.stringify(reportFromEvents(messages.map(({ data }) => data) as never)))).toEqual(report);
  });
});

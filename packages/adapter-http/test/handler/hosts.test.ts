import { createServer } from "node:http";
import { createManualKillSwitch, execute } from "@eoc/core";
import { Hono } from "hono";
import { Agent, EventSource } from "undici";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  bearerToken,
  createExecutionHandler,
  createHttpExecutor,
  type ExecutionHandler,
  toNodeListener,
} from "../../src/index.js";
import { closed, listen } from "../support.js";
import { messagesOf, ORDER, problemOf, reportOf, TOKEN } from "./support.js";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

async function serveByNode(handler: ExecutionHandler): Promise<{ ask: Ask; origin: string }> {
  const server = createServer(toNodeListener(handler));
  const origin = await listen(server);
  cleanUps.push(() => {
    server.closeAllConnections();
    return closed(server);
  });
  return { ask: (path, init) => fetch(`${origin}${path}`, init), origin };
}

/** The same handler as its hosts call it. Bun, Deno and workers are asked the same by `scripts/host-check.mjs`. */
const HOSTS: Record<string, { basePath: string; open: (handler: ExecutionHandler) => Ask | Promise<Ask> }> = {
  "called directly": {
    basePath: "",
    open: (handler) => (path, init) => handler(new Request(`http://service.test${path}`, init)),
  },
  "a route of Hono": {
    basePath: "/eoc",
    open(handler) {
      const app = new Hono().all("/eoc/*", (context) => handler(context.req.raw));
      return async (path, init) => app.request(`/eoc${path}`, init);
    },
  },
  "mounted in Hono": {
    basePath: "",
    open(handler) {
      const app = new Hono().mount("/eoc", handler);
      return async (path, init) => app.request(`/eoc${path}`, init);
    },
  },
  "Node's http server": { basePath: "", open: async (handler) => (await serveByNode(handler)).ask },
};

for (const [name, { basePath, open }] of Object.entries(HOSTS)) {
  describe(`an execution handler under ${name}`, () => {
    it("executes, shows, streams, is stopped and refuses", async () => {
      const killSwitch = createManualKillSwitch();
      const handler = createExecutionHandler({
        policy: {},
        executor: () => ({ ok: true }),
        authorize: bearerToken("caller-token-0123456789"),
        ports: { killSwitch },
        control: { token: TOKEN },
        maxRequestBytes: 1000,
        basePath,
      });
      const ask = await open(handler);
      const caller = { authorization: "Bearer caller-token-0123456789", "content-type": "application/json" };
      const post = (path: string, body: unknown, headers: Record<string, string> = caller) =>
        ask(path, { method: "POST", headers, body: JSON.stringify(body) });

      const report = await reportOf(await post("/execute", ORDER));
      expect(report).toMatchObject({ status: "success", attemptCount: 1 });
      const path = `/executions/${report.executionId}`;
      expect(await reportOf(await ask(path, { headers: caller }))).toEqual(report);
      const events = await ask(`${path}/events`, { headers: { ...caller, "last-event-id": "0" } });
      expect(events.headers.get("content-type")).toBe("text/event-stream");
      expect(messagesOf(await events.text()).map(({ id }) => id)).toEqual(["1", "2", "3", "4", "5", "6"]);

      expect(await problemOf(await post("/execute", ORDER, { "content-type": "application/json" }))).toEqual([
        403,
        "not_authorized",
      ]);
      expect(await problemOf(await post("/execute", "x".repeat(1000)))).toEqual([413, "body_too_large"]);
      expect(await problemOf(await ask("/execute", { headers: caller }))).toEqual([405, "method_not_allowed"]);
      expect(await problemOf(await ask("/elsewhere"))).toEqual([404, "not_found"]);

      const control = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
      expect(await (await post("/control", { halted: true }, control)).json()).toEqual({ halted: true });
      expect(await (await ask("/health")).json()).toEqual({ status: "halted" });
      expect((await reportOf(await post("/execute", ORDER))).status).toBe("denied");
      const head = await ask("/health", { method: "HEAD" });
      expect([head.status, await head.text()]).toEqual([200, ""]);
    });
  });
}

describe("an execution handler on the wire", () => {
  it("is understood by a browser's EventSource, which leaves when it has everything", async () => {
    const handler = createExecutionHandler({ policy: {}, executor: () => ({ ok: true }), authorize: "none" });
    let asked = 0;
    const { ask, origin } = await serveByNode((request) => {
      if (request.url.endsWith("/events")) asked++;
      return handler(request);
    });
    const headers = { "content-type": "application/json" };
    const { executionId } = await reportOf(
      await ask("/execute", { method: "POST", headers, body: JSON.stringify(ORDER) }),
    );
    const agent = new Agent();
    cleanUps.unshift(() => agent.destroy());
    const source = new EventSource(`${origin}/executions/${executionId}/events`, {
      node: { dispatcher: agent, reconnectionTime: 1 },
    });
    const seqs: number[] = [];
    const messages = source as EventTarget;
    messages.addEventListener("execution.finished", (event) => {
      seqs.push((JSON.parse((event as MessageEvent<string>).data) as { seq: number }).seq);
    });
    messages.addEventListener("attempt.started", (event) => {
      seqs.push(Number((event as MessageEvent<string>).lastEventId));
    });
    await vi.waitFor(() => expect(source.readyState).toBe(EventSource.CLOSED), { timeout: 20_000 });
    // Once for the events, once more with the last id, which was answered 204.
    expect([seqs, asked]).toEqual([[3, 6], 2]);
  });

  it("can be the service that an HTTP executor acts on", async () => {
    const effects: string[] = [];
    const handler = createExecutionHandler({
      policy: {},
      executor: ({ id }) => {
        effects.push(id);
        return { ok: true };
      },
      authorize: "none",
    });
    // Loses the reply to the first request, when it has been executed.
    let replies = 0;
    const { origin } = await serveByNode(async (request) => {
      const response = await handler(request);
      if (replies++ === 0) throw new Error("the reply is lost");
      return response;
    });
    const executor = createHttpExecutor({
      request: (action) => ({ method: "POST", url: `${origin}/execute`, body: { decision: action.params } }),
      allowedOrigins: [origin],
      allowPrivateAddresses: true,
      outcome: ({ value }, usual) => {
        const { status } = value as { status?: string };
        return usual.ok === true && status !== "success" ? { ok: "unknown", code: "not_a_success" } : usual;
      },
    });
    const action = { action: "ACT", effect: "idempotent", idempotency_key: "k", params: ORDER.decision } as const;
    const report = await execute(
      { action: "ACT", actions: [action] },
      {},
      { retry: { initialBackoffMs: 1 } },
      executor,
    );
    expect([report.status, report.attemptCount, effects]).toEqual(["success", 2, ["order-1"]]);
  });
});

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createManualKillSwitch, type ExecutionEvent, type ExecutionPolicyInput, execute } from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createHttpExecutor, type HttpExecutorOptions } from "../src/index.js";
import { closed, happening, listen } from "./support.js";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** A shop: `POST /orders` applies an order, `GET /orders?key=` finds it. `misbehave` says what becomes of the nth reply. */
async function openShop(misbehave: (post: number, response: ServerResponse) => boolean = () => false) {
  const shop = { origin: "", ledger: [] as string[], posts: 0 };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const key = String(
      request.headers["idempotency-key"] ?? new URL(request.url!, shop.origin).searchParams.get("key"),
    );
    if (request.method === "GET") {
      response.writeHead(shop.ledger.includes(key) ? 200 : 404).end();
      return;
    }
    request.resume().on("end", () => {
      const repeated = key !== "null" && shop.ledger.includes(key);
      if (!repeated) shop.ledger.push(key);
      if (!misbehave(shop.posts++, response)) response.end("done");
    });
  });
  shop.origin = await listen(server);
  cleanUps.push(() => {
    server.closeAllConnections();
    return closed(server);
  });
  return shop;
}

const drop = (_post: number, response: ServerResponse) => Boolean(response.destroy());

function order(
  origin: string,
  effect: "once" | "idempotent",
  policy: ExecutionPolicyInput = {},
  options: Partial<HttpExecutorOptions> = {},
) {
  const executor = createHttpExecutor({
    request: () => ({ method: "POST", url: `${origin}/orders`, body: { amount: 5 } }),
    allowedOrigins: [origin],
    allowPrivateAddresses: true,
    headers: { authorization: "Bearer s3cr3t" },
    ...options,
  });
  const actions = [{ action: "ACT", effect, idempotency_key: "order-1" } as const];
  const events: ExecutionEvent[] = [];
  const report = execute({ action: "ACT", actions }, {}, { retry: { initialBackoffMs: 0 }, ...policy }, executor, {
    onEvent: (event) => events.push(event),
  });
  return report.then((report) => ({ report, events }));
}

describe("execute over HTTP", () => {
  it("S3.1 S3.2 dispatches a once action no second time when the reply was dropped", async () => {
    const shop = await openShop(drop);
    const { report } = await order(shop.origin, "once");
    expect(report).toMatchObject({ status: "unknown", attemptCount: 1 });
    const told = { errorType: "HttpUnknownError", errorCode: "connection_reset" };
    expect(report.actions[0]).toMatchObject({ reason: "execution_exception", ...told });
    expect(report.attempts[0]).toMatchObject({ status: "unknown", ...told });
    expect(shop.ledger).toEqual(["order-1"]);
  });

  it("S3.2 repeats an idempotent action under the same key, which the server applies once", async () => {
    const shop = await openShop((post, response) => post < 2 && drop(post, response));
    const { report } = await order(shop.origin, "idempotent");
    expect(report).toMatchObject({ status: "success", attemptCount: 3 });
    expect(shop.ledger).toEqual(["order-1"]);
  });

  it("S3.3 asks the server what became of a dropped reply", async () => {
    const shop = await openShop(drop);
    const { report } = await order(
      shop.origin,
      "once",
      {},
      {
        reconcile: {
          request: (_action, { idempotencyKey = "" }) => ({
            method: "GET",
            url: `${shop.origin}/orders?key=${encodeURIComponent(idempotencyKey)}`,
          }),
          decide: ({ status }) => ({ state: status === 200 ? "applied" : "unknown" }),
        },
      },
    );
    expect(report.actions[0]).toMatchObject({ status: "success", basis: "reconcile", attemptCount: 1 });
  });

  it("S3.3 S8 says in its event when it could not ask, and nothing more of it", async () => {
    const shop = await openShop(drop);
    const elsewhere = {
      request: () => ({ method: "GET", url: "https://s3cr3t.test/" }),
      decide: () => undefined as never,
    };
    const undecided = { ...elsewhere, request: () => ({ method: "GET", url: `${shop.origin}/orders?key=order-1` }) };
    const honest = { ...undecided, decide: () => ({ state: "unknown" }) as const };
    const told = [];
    for (const reconcile of [elsewhere, undecided, honest]) {
      const { report, events } = await order(shop.origin, "once", {}, { reconcile });
      expect(report).toMatchObject({ status: "unknown", attemptCount: 1 });
      const finished = events.find(({ type }) => type === "reconcile.finished");
      expect(JSON.stringify(events)).not.toContain("s3cr3t");
      told.push(finished && "errorType" in finished ? finished.errorType : finished?.type);
    }
    expect(told).toEqual(["HttpLookupError", "HttpLookupError", "reconcile.finished"]);
  });

  it("S3.4 retries a refused connection, as nothing can have been applied", async () => {
    const shop = await openShop();
    await cleanUps.pop()!();
    const { report } = await order(shop.origin, "once", { retry: { initialBackoffMs: 0, maxRetries: 2 } });
    expect(report).toMatchObject({ status: "failed", attemptCount: 3 });
    expect(report.actions[0]).toMatchObject({ reason: "retries_exhausted", errorCode: "connection_refused" });
  });

  it("S3.5 waits as long as Retry-After asks, and gives up where that is too long", async () => {
    const origin = "https://api.example.com";
    const report = async (
      seconds: number,
      status = 429,
      effect: "once" | "idempotent" = "once",
      options: Partial<HttpExecutorOptions> = {},
    ) => {
      const clock = createVirtualClock();
      const answers = [
        new Response(null, { status, headers: { "retry-after": String(seconds) } }),
        new Response("done"),
      ];
      const executor = createHttpExecutor({
        request: () => ({ method: "POST", url: origin }),
        allowedOrigins: [origin],
        fetch: async (_url, { method }) => (method === "GET" ? new Response() : answers.shift()!),
        ...options,
      });
      return clock.run(() =>
        execute({ action: "ACT" }, {}, { retry: { maxRetryAfterMs: 20_000 }, defaultEffect: effect }, executor, {
          clock,
        }),
      );
    };
    expect(await report(7)).toMatchObject({ status: "success", attemptCount: 2, totalLatencyMs: 7000 });
    const tooLong = await report(21);
    expect(tooLong).toMatchObject({ status: "failed", attemptCount: 1, totalLatencyMs: 0 });
    expect(tooLong.actions[0]).toMatchObject({ reason: "retry_after_too_long", errorCode: "http_429" });

    expect(await report(7, 503, "idempotent")).toMatchObject({ status: "success", totalLatencyMs: 7000 });
    expect(await report(7, 503)).toMatchObject({ status: "unknown", attemptCount: 1 });
    const reconcile: HttpExecutorOptions["reconcile"] = {
      request: () => ({ method: "GET", url: origin }),
      decide: () => ({ state: "not_applied" }),
    };
    expect(await report(7, 503, "once", { reconcile })).toMatchObject({ status: "success", totalLatencyMs: 7000 });
    const doubtful = await report(21, 503, "idempotent");
    expect(doubtful).toMatchObject({ status: "unknown", attemptCount: 1, totalLatencyMs: 0 });
    expect(doubtful.actions[0]).toMatchObject({ reason: "retry_after_too_long", errorCode: "http_503" });
  });

  it("S2.4 a halt closes the connection of the attempt in flight", async () => {
    const killSwitch = createManualKillSwitch();
    const hungUp = happening();
    const shop = await openShop((_post, response) => {
      response.on("close", () => hungUp.happened());
      killSwitch.halt();
      return true;
    });
    const executor = createHttpExecutor({
      request: () => ({ method: "POST", url: shop.origin }),
      allowedOrigins: [shop.origin],
      allowPrivateAddresses: true,
    });
    const report = await execute({ action: "ACT" }, {}, {}, executor, { killSwitch });
    await hungUp.once;
    expect(report).toMatchObject({ status: "unknown", attemptCount: 1 });
  });

  it("S9.1 leaves no header, URL or body in report and events", async () => {
    const shop = await openShop(drop);
    const { report, events } = await order(shop.origin, "once");
    const record = JSON.stringify([report, events]);
    expect(record).toContain("HttpUnknownError");
    for (const secret of ["s3cr3t", shop.origin, "/orders", "amount"]) expect(record).not.toContain(secret);
  });
});

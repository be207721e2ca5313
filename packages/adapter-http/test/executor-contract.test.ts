import { createServer } from "node:http";
import { type ExecutorUnderTest, executorContract, type OutsideWorld, type VirtualClock } from "@eoc/testkit";
import { Agent } from "undici";
import { describe, it, vi } from "vitest";
import { createHttpExecutor } from "../src/index.js";
import { closed, listen } from "./support.js";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const SLOW_MS = 10_000;

/** A shop: `POST /orders/<id>` places an order once per key, `GET /orders/<id>` asks whether there is one. */
async function openShop(clock: VirtualClock): Promise<ExecutorUnderTest> {
  let how: OutsideWorld = "well";
  const orders = new Map<string, { id: string }>();
  const server = createServer((request, response) => {
    const id = decodeURIComponent(request.url!.slice("/orders/".length));
    const key = String(request.headers["idempotency-key"]);
    const place = () => {
      if (!orders.has(key)) orders.set(key, { id });
    };
    request.resume().on("end", () => {
      if (request.method === "GET") {
        response.writeHead([...orders.values()].some((order) => order.id === id) ? 200 : 404).end();
      } else if (how === "refuses") {
        response.writeHead(422).end("no");
      } else if (how === "is_slow") {
        clock.setTimer(() => {
          place();
          response.end("done");
        }, SLOW_MS);
      } else {
        place();
        if (how === "loses_reply") response.destroy();
        else response.end("done");
      }
    });
  });
  const origin = await listen(server);
  const nobody = createServer();
  const deadOrigin = await listen(nobody);
  await closed(nobody);
  // A connection that is kept for later looks like work that is still under way.
  const dispatcher = new Agent({ pipelining: 0 });
  const orderOf = ({ id }: { id: string }) =>
    `${how === "is_unreachable" ? deadOrigin : origin}/orders/${encodeURIComponent(id)}`;
  return {
    executor: createHttpExecutor({
      request: (action) => ({ method: "POST", url: orderOf(action) }),
      allowedOrigins: [origin, deadOrigin],
      allowPrivateAddresses: true,
      dispatcher,
      clock,
      reconcile: {
        request: (action) => ({ method: "GET", url: orderOf(action) }),
        // Nothing found proves nothing: a slow shop may place the order yet.
        decide: ({ status }) => ({ state: status === 200 ? "applied" : "unknown" }),
      },
    }),
    behave(next) {
      how = next;
    },
    effects: ({ id }) => [...orders.values()].filter((order) => order.id === id).length,
    async close() {
      await dispatcher.destroy();
      server.closeAllConnections();
      await closed(server);
    },
  };
}

describe("createHttpExecutor, over real connections, keeps the contract of an executor", () => {
  for (const { name, run } of executorContract(({ clock }) => openShop(clock))) it(name, run);
});

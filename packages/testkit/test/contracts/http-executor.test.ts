import { type ExecutorUnderTest, executorContract, type OutsideWorld, type VirtualClock } from "@eoc/testkit";
import { describe, it } from "vitest";
// Not by its name: the adapter's own tests need testkit, and packages must not need each other in a circle.
import { createHttpExecutor, type FetchFn } from "../../../adapter-http/src/index.js";

const ORIGIN = "https://shop.example";

/** A shop behind a `fetch`: `POST /orders/<id>` places an order, `GET /orders/<id>` asks whether there is one. */
function openShop(clock: VirtualClock): ExecutorUnderTest {
  let how: OutsideWorld = "well";
  const orders: { id: string; key: string | null }[] = [];
  const place = (id: string, key: string | null) => {
    if (!orders.some((order) => order.key === key)) orders.push({ id, key });
  };
  const fetch: FetchFn = async (url, init) => {
    const id = decodeURIComponent(new URL(url).pathname.slice("/orders/".length));
    const key = new Headers(init.headers).get("idempotency-key");
    if (how === "is_unreachable") throw new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
    if (init.method === "GET")
      return new Response(null, { status: orders.some((order) => order.id === id) ? 200 : 404 });
    if (how === "refuses") return new Response(null, { status: 422 });
    if (how === "is_slow") {
      clock.setTimer(() => place(id, key), 10_000);
      await clock.sleep(10_000, { signal: init.signal! });
      return new Response("done");
    }
    place(id, key);
    if (how === "loses_reply") throw new TypeError("fetch failed", { cause: { code: "ECONNRESET" } });
    return new Response("done");
  };
  const orderOf = ({ id }: { id: string }) => `${ORIGIN}/orders/${encodeURIComponent(id)}`;
  return {
    executor: createHttpExecutor({
      request: (action) => ({ method: "POST", url: orderOf(action) }),
      allowedOrigins: [ORIGIN],
      fetch,
      clock,
      reconcile: {
        request: (action) => ({ method: "GET", url: orderOf(action) }),
        decide: ({ status }) => ({ state: status === 200 ? "applied" : "unknown" }),
      },
    }),
    behave: (next) => {
      how = next;
    },
    effects: ({ id }) => orders.filter((order) => order.id === id).length,
  };
}

describe("createHttpExecutor keeps the contract of an executor", () => {
  for (const { name, run } of executorContract(({ clock }) => openShop(clock))) it(name, run);
});

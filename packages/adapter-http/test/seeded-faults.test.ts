import { createServer, type ServerResponse } from "node:http";
import { execute } from "@eoc/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createHttpExecutor } from "../src/index.js";
import { closed, listen } from "./support.js";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const EXECUTIONS = 1000;

type Fault = (response: ServerResponse, apply: () => void) => void;

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(code, headers).end();
  };

/** What the server may do with a request: the effect happens where `apply` is called. */
const FAULTS: readonly Fault[] = [
  (response, apply) => [apply(), response.end("done")],
  (response, apply) => [apply(), response.destroy()],
  (response) => response.destroy(),
  (response, apply) => [apply(), response.writeHead(200, { "Content-Length": 9 }).write("half"), response.destroy()],
  (response, apply) => [apply(), status(500)(response)],
  (response) => status(500)(response),
  (response, apply) => [apply(), status(502)(response)],
  (response) => status(429)(response),
  (response) => status(503, { "Retry-After": "0" })(response),
  (response) => status(503)(response),
  (response) => status(408)(response),
  (response) => status(404)(response),
  (response, apply) => [apply(), status(302, { Location: "/elsewhere" })(response)],
];

/** Deterministic numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ledger = new Map<string, number>();
const random = randomFrom(20_261_106);
const server = createServer((request, response) => {
  const id = request.url!.slice(1);
  const fault = FAULTS[Math.floor(random() * FAULTS.length)]!;
  request.resume().on("end", () => fault(response, () => ledger.set(id, (ledger.get(id) ?? 0) + 1)));
});
let origin = "";

beforeAll(async () => {
  origin = await listen(server);
});

afterAll(async () => {
  server.closeAllConnections();
  await closed(server);
});

describe(`${EXECUTIONS} once actions against a server with seeded faults`, () => {
  it("S3.1 are applied at most once, always when reported success, never when reported failed", async () => {
    const executor = createHttpExecutor({
      request: (action) => ({ method: "POST", url: `${origin}/${action.id}`, body: "order" }),
      allowedOrigins: [origin],
    });
    const seen: Record<string, Set<number>> = {};
    for (let index = 0; index < EXECUTIONS; index++) {
      const id = `order-${index}`;
      const decision = { action: "ACT" as const, actions: [{ action: "ACT" as const, id }] };
      const report = await execute(decision, {}, { retry: { maxRetries: 3, initialBackoffMs: 0 } }, executor);
      seen[report.status] ??= new Set();
      seen[report.status]!.add(ledger.get(id) ?? 0);
    }
    expect(seen).toEqual({ success: new Set([1]), failed: new Set([0]), unknown: new Set([0, 1]) });
  });
});

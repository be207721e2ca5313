import { getEventListeners } from "node:events";
import { createServer } from "node:http";
import { setImmediate } from "node:timers/promises";
import { createVirtualClock } from "@eoc/testkit";
import { Agent } from "undici";
import { describe, expect, it, vi } from "vitest";
import { createHttpExecutor } from "../src/index.js";
import { anAction, anAttempt, closed, happening, listen, outcomeOf } from "./support.js";
import { WIRE_CASES } from "./wire-cases.js";
import { openWire } from "./wire-world.js";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const KINDS = ["TCPSocketWrap", "TCPServerWrap", "Timeout"];

/** How many of each kind keep this process alive. */
function resources(): number[] {
  const active = process.getActiveResourcesInfo();
  return KINDS.map((kind) => active.filter((each) => each === kind).length);
}

/** The kinds of which there are more than there were; closed handles are given some turns to leave. */
async function leftSince(before: readonly number[]): Promise<string[]> {
  const left = () => KINDS.filter((_, index) => resources()[index]! > before[index]!);
  for (let turn = 0; turn < 100 && left().length > 0; turn++) await setImmediate();
  return left();
}

describe("after a dispatch", () => {
  it("no request is under way, and no socket or timer left open, whatever the server did", async () => {
    const before = resources();
    for (const wireCase of WIRE_CASES) {
      const controller = new AbortController();
      const wire = await openWire(wireCase, "POST", 0, () => controller.abort());
      await outcomeOf(wire.executor.execute(anAction(), anAttempt({ signal: controller.signal })));
      // Graceful: it waits for every answer that is still being read.
      await wire.dispatcher.close();
      await wire.destroy();
      expect([wireCase.what, await leftSince(before)]).toEqual([wireCase.what, []]);
    }
  });

  it("the connection serves the next one, unless the answer was too long to be read to its end", async () => {
    const connectionsFor = async (status: number, length: number) => {
      let connections = 0;
      const server = createServer((request, response) => {
        request.resume().on("end", () => {
          // The body comes later than the head, as it does when it is made on the way.
          response.writeHead(status).flushHeaders();
          globalThis.setImmediate(() => response.end("x".repeat(length)));
        });
      }).on("connection", () => connections++);
      const origin = await listen(server);
      const dispatcher = new Agent();
      const executor = createHttpExecutor({
        request: () => ({ method: "POST", url: origin }),
        allowedOrigins: [origin],
        allowPrivateAddresses: true,
        maxResponseBytes: 100_000,
        dispatcher,
      });
      for (let count = 0; count < 10; count++) {
        await outcomeOf(executor.execute(anAction(), anAttempt()));
        // The platform hands the connection back a turn after the body has ended.
        for (let turn = 0; turn < 3; turn++) await setImmediate();
      }
      await dispatcher.close();
      await closed(server);
      return connections;
    };
    expect(await connectionsFor(200, 50_000)).toBe(1);
    expect(await connectionsFor(500, 50_000)).toBe(1);
    expect(await connectionsFor(404, 0)).toBe(1);
    expect(await connectionsFor(200, 200_000)).toBeGreaterThanOrEqual(10);
    expect(await connectionsFor(503, 1_000_000)).toBeGreaterThanOrEqual(10);
  });

  it("S4.6 nobody listens to the attempt's signal, and no timer is armed", async () => {
    const clock = createVirtualClock();
    for (const status of [200, 500]) {
      const executor = createHttpExecutor({
        request: () => ({ method: "POST", url: "https://api.example.com" }),
        allowedOrigins: ["https://api.example.com"],
        fetch: async () => new Response("answer", { status }),
        clock,
      });
      const attempt = anAttempt();
      await outcomeOf(executor.execute(anAction(), attempt));
      expect([getEventListeners(attempt.signal, "abort"), clock.pending]).toEqual([[], 0]);
    }
  });
});

describe("the body of an answer", () => {
  const slow = (clock: ReturnType<typeof createVirtualClock>, status: number, options = {}) => {
    const cancelled = happening();
    const body = new ReadableStream({ cancel: cancelled.happened });
    const executor = createHttpExecutor({
      request: () => ({ method: "POST", url: "https://api.example.com" }),
      allowedOrigins: ["https://api.example.com"],
      fetch: async () => new Response(body, { status }),
      clock,
      ...options,
    });
    return {
      outcome: clock.run(() => outcomeOf(executor.execute(anAction(), anAttempt()))),
      cancelled: cancelled.once,
    };
  };

  it("is given up after maxResponseMs: a 2xx stays applied", async () => {
    const clock = createVirtualClock();
    const { outcome, cancelled } = slow(clock, 200, { maxResponseMs: 700 });
    expect([await outcome, clock.monotonic()]).toEqual([{ ok: true }, 700]);
    await cancelled;
    const byDefault = createVirtualClock();
    await slow(byDefault, 200).outcome;
    expect(byDefault.monotonic()).toBe(30_000);
  });

  it("is given up sooner when nobody wants it", async () => {
    const clock = createVirtualClock();
    const { outcome, cancelled } = slow(clock, 500);
    expect([await outcome, clock.monotonic()]).toEqual([{ ok: "unknown", code: "http_500" }, 250]);
    await cancelled;
  });
});

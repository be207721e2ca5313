import { createServer, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createHttpExecutor } from "../src/index.js";
import { anAction, anAttempt, closed, happening, listen, outcomeOf } from "./support.js";
import { OK, WIRE_CASES, type WireCase } from "./wire-cases.js";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const open = new Set<Socket>();
const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const socket of open) socket.destroy();
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** A server that reads whole requests, applies `effects` of each, then lets `answer` misbehave. */
async function openWorld({ answer, secondOnConnection }: WireCase, effects: 0 | 1) {
  const read = happening();
  const world = { origin: "", ledger: [] as string[], paths: [] as string[], read: read.once };
  const server = createServer((socket) => {
    open.add(socket.on("close", () => open.delete(socket)).on("error", () => {}));
    let text = "";
    let requests = 0;
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
      const headLength = text.indexOf("\r\n\r\n") + 4;
      const bodyLength = Number(/content-length: (\d+)/i.exec(text.slice(0, headLength))?.[1] ?? 0);
      if (headLength < 4 || text.length < headLength + bodyLength) return;
      const [method = "", path = ""] = text.split(" ");
      text = "";
      world.paths.push(path);
      requests++;
      if (secondOnConnection && requests === 1) return void socket.write(OK);
      if (method === "POST" && effects === 1) world.ledger.push(path);
      answer?.(socket, world.origin);
      read.happened();
    });
  });
  world.origin = await listen(server);
  if (answer === undefined) await closed(server);
  else cleanUps.push(() => closed(server));
  return world;
}

async function play(wireCase: WireCase, method: "GET" | "POST", effects: 0 | 1) {
  const world = await openWorld(wireCase, effects);
  const controller = new AbortController();
  const executor = createHttpExecutor({
    request: () => ({ method, url: `${world.origin}/orders`, ...(method === "POST" ? { body: { amount: 5 } } : {}) }),
    allowedOrigins: [world.origin],
    maxResponseBytes: 1000,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (wireCase.abort === "after the head") controller.abort();
      return response;
    },
  });
  if (wireCase.secondOnConnection) {
    await executor.execute(anAction(), anAttempt());
    // The platform hands the connection back a turn after the body has ended.
    await setImmediate();
    await setImmediate();
  }
  const result = executor.execute(anAction(), anAttempt({ signal: controller.signal }));
  if (wireCase.abort === "before the answer") {
    await world.read;
    controller.abort();
  }
  return { outcome: await outcomeOf(result), world };
}

describe("a server that", () => {
  for (const wireCase of WIRE_CASES) {
    const { what, post, get, effects } = wireCase;

    it(`S3.1 ${what}: a POST is ${describeOutcome(post.ok)}`, async () => {
      for (const each of effects) {
        const { outcome, world } = await play(wireCase, "POST", each);
        expect(outcome).toEqual(post);
        expect(world.ledger).toHaveLength(each);
        expect(world.paths.filter((path) => path !== "/orders")).toEqual([]);
      }
    });

    it(`${what}: a GET is ${describeOutcome(get.ok)}`, async () => {
      expect((await play(wireCase, "GET", 0)).outcome).toEqual(get);
    });
  }
});

describe("an unknown outcome", () => {
  it("is said of nothing that the wire could have settled: every such case is possible with and without the effect", () => {
    for (const { what, post, effects } of WIRE_CASES) {
      expect([what, post.ok === "unknown"]).toEqual([what, effects.length === 2]);
    }
  });
});

function describeOutcome(ok: true | false | "unknown"): string {
  return ok === "unknown" ? "unknown" : ok ? "applied" : "not applied";
}

import { lookup } from "node:dns";
import { createServer } from "node:http";
import { Agent, fetch as undiciFetch } from "undici";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  createHttpExecutor,
  type FetchFn,
  guardLookup,
  type HttpExecutorOptions,
  type LookupFn,
} from "../src/index.js";
import { anAction, anAttempt, closed, happening, listen, outcomeOf } from "./support.js";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function openServer() {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.end("done"));
  });
  const { port } = new URL(await listen(server));
  cleanUps.push(() => closed(server));
  return { server, port };
}

function openAgent(options: ConstructorParameters<typeof Agent>[0] = {}): Agent {
  const agent = new Agent(options);
  cleanUps.unshift(() => agent.destroy());
  return agent;
}

function send(url: string, options: Partial<HttpExecutorOptions>) {
  const executor = createHttpExecutor({
    request: () => ({ method: "POST", url, body: "order" }),
    allowedOrigins: [new URL(url).origin],
    ...options,
  });
  return outcomeOf(executor.execute(anAction(), anAttempt()));
}

/** A name server that leads every name to loopback. */
const rebound: LookupFn = (_hostname, options, callback) => {
  if (options.all) callback(null, [{ address: "127.0.0.1", family: 4 }]);
  else callback(null, "127.0.0.1", 4);
};

const FETCHES: [name: string, fetch: FetchFn | undefined][] = [
  ["Node's fetch", undefined],
  ["undici's fetch", undiciFetch as unknown as FetchFn],
];

for (const [name, fetch] of FETCHES) {
  const own = fetch === undefined ? {} : { fetch };

  describe(`an undici dispatcher under ${name}`, () => {
    it("carries the request", async () => {
      const { port } = await openServer();
      const dispatcher = openAgent({ connect: { lookup: rebound } });
      expect(await send(`http://api.example.com:${port}/`, { ...own, dispatcher })).toEqual({
        ok: true,
        value: "done",
      });
    });

    it("that is being closed sends nothing more, and says so", async () => {
      const [asked, answer] = [happening(), happening()];
      let requests = 0;
      const server = createServer((_request, response) => {
        requests++;
        asked.happened();
        void answer.once.then(() => response.end("done"));
      });
      const { port } = new URL(await listen(server));
      cleanUps.push(() => closed(server));
      const dispatcher = openAgent({ connect: { lookup: rebound } });
      const url = `http://api.example.com:${port}/`;
      const first = send(url, { ...own, dispatcher });
      await asked.once;
      const closing = dispatcher.close();
      const refused = { ok: false, code: "dispatcher_closed", retryable: false };
      expect([await send(url, { ...own, dispatcher }), requests]).toEqual([refused, 1]);
      answer.happened();
      expect(await first).toEqual({ ok: true, value: "done" });
      await closing;
    });

    it("keeps from a private address that a public name leads to, before anything is connected", async () => {
      const { server, port } = await openServer();
      let connections = 0;
      server.on("connection", () => connections++);
      const dispatcher = openAgent({ connect: { lookup: guardLookup(rebound) } });
      expect(await send(`http://api.example.com:${port}/`, { ...own, dispatcher })).toEqual({
        ok: false,
        code: "address_refused",
        retryable: false,
      });
      expect(connections).toBe(0);
    });

    it("keeps from it with Node's own lookup too", async () => {
      const { port } = await openServer();
      const dispatcher = openAgent({ connect: { lookup: guardLookup(lookup) } });
      const outcome = await send(`http://localhost:${port}/`, { ...own, dispatcher, allowPrivateAddresses: true });
      expect(outcome).toEqual({ ok: false, code: "address_refused", retryable: false });
    });

    it("leaves what the platform's fetch blocks blocked", async () => {
      const dispatcher = openAgent();
      expect(await send("http://api.example.com:6000/", { ...own, dispatcher })).toMatchObject({
        code: "port_blocked",
      });
    });
  });
}

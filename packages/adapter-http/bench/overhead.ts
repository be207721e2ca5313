import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createHttpExecutor } from "@eoc/adapter-http";
import { execute, type PlannedAction } from "@eoc/core";
import { Agent } from "undici";

/**
 * What a request costs beside a bare `fetch` to the same server over the same kind of connection, one after the other in turn, so that
 * whatever else the machine does hits all alike: `node packages/adapter-http/bench/overhead.ts [rounds]` after a build.
 */
const ROUNDS = Number(process.argv[2] ?? 3000);
const WARM_UP = 300;

const server = createServer((request, response) => {
  request
    .resume()
    .on("end", () => response.writeHead(200, { "Content-Type": "application/json" }).end('{"done":true}'));
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const url = `${origin}/orders`;
const order = { amount: 5, currency: "EUR" };
const dispatcher = new Agent();

const executor = createHttpExecutor({
  request: (action) => ({ method: "POST", url, body: action.params }),
  allowedOrigins: [origin],
  allowPrivateAddresses: true,
  dispatcher,
});
const action: PlannedAction = { id: "action-0", index: 0, action: "ACT", params: order, effect: "once" };
const decision = { action: "ACT", params: order } as const;

const attempt = () => ({
  signal: new AbortController().signal,
  attempt: 0,
  deadlineMs: 0,
  context: {},
  executionId: "bench",
  actionIndex: 0,
});

const CONTENDERS: Record<string, () => Promise<unknown>> = {
  "bare fetch": async () => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(order);
    const { signal } = new AbortController();
    const init = { method: "POST", headers, body, redirect: "manual", signal, dispatcher } as RequestInit;
    return (await fetch(url, init)).json();
  },
  createHttpExecutor: async () => executor.execute(action, attempt()),
  "execute with createHttpExecutor": () => execute(decision, {}, {}, executor),
};

const samples = new Map(Object.keys(CONTENDERS).map((name) => [name, [] as number[]]));
for (let round = -WARM_UP; round < ROUNDS; round++) {
  const entries = Object.entries(CONTENDERS);
  // Each goes first in turn.
  for (let place = 0; place < entries.length; place++) {
    const [name, run] = entries[(place + round + WARM_UP) % entries.length]!;
    const started = performance.now();
    await run();
    if (round >= 0) samples.get(name)!.push(performance.now() - started);
  }
}
await dispatcher.close();
server.close();

const quantile = (values: readonly number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * q)]!;
const bare = quantile(samples.get("bare fetch")!, 0.5);
console.log(`${ROUNDS} requests each, in turn, Node ${process.version}`);
console.log("| | median | 95 % | beside bare fetch |\n| --- | --- | --- | --- |");
for (const [name, values] of samples) {
  const median = quantile(values, 0.5);
  const ratio = `${(median / bare).toFixed(2)} × (${((median - bare) * 1000).toFixed(0)} µs)`;
  console.log(`| ${name} | ${median.toFixed(3)} ms | ${quantile(values, 0.95).toFixed(3)} ms | ${ratio} |`);
}

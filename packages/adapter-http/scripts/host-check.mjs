// Serves an execution handler with whatever runtime runs this file (Node, Bun, Deno), after a build, and asks it over the wire what
// `test/handler/hosts.test.ts` asks it under Node: `bun packages/adapter-http/scripts/host-check.mjs`, `deno run -A …`, `node …`.
import { bearerToken, createExecutionHandler, toNodeListener } from "../dist/index.js";

const { createManualKillSwitch } = await import(new URL("../../core/dist/index.js", import.meta.url).href);

const CALLER = "caller-token-0123456789";
const CONTROL = "control-token-0123456789";
let release = () => {};
const handler = createExecutionHandler({
  policy: {},
  executor: ({ id }) =>
    id === "held" ? new Promise((resolve) => (release = () => resolve({ ok: true }))) : { ok: true },
  authorize: bearerToken(CALLER),
  ports: { killSwitch: createManualKillSwitch() },
  control: { token: CONTROL },
  maxRequestBytes: 1000,
  keepAliveMs: 50,
});

async function serve() {
  if (globalThis.Bun) {
    const server = globalThis.Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: handler });
    return { name: `Bun ${globalThis.Bun.version}`, port: server.port, stop: () => server.stop(true) };
  }
  if (globalThis.Deno) {
    const server = globalThis.Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler);
    return { name: `Deno ${globalThis.Deno.version.deno}`, port: server.addr.port, stop: () => server.shutdown() };
  }
  const { createServer } = await import("node:http");
  const server = createServer(toNodeListener(handler));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { name: `Node ${process.version}`, port: server.address().port, stop };
}

let checks = 0;
function equal(actual, expected, what) {
  checks++;
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what}: ${left}, expected ${right}`);
}

const { name, port, stop } = await serve();
const ask = (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init);
const caller = { authorization: `Bearer ${CALLER}`, "content-type": "application/json" };
const control = { ...caller, authorization: `Bearer ${CONTROL}` };
const post = (path, body, headers = caller) => ask(path, { method: "POST", headers, body: JSON.stringify(body) });
const order = (id) => ({ decision: { action: "ACT", actions: [{ action: "ACT", id }] } });
const seqs = (text) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq));

const report = await (await post("/execute", order("order-1"))).json();
equal([report.status, report.attemptCount], ["success", 1], "a decision");
const path = `/executions/${report.executionId}`;
equal(await (await ask(path, { headers: caller })).json(), report, "its report");
equal(seqs(await (await ask(`${path}/events`, { headers: caller })).text()), [0, 1, 2, 3, 4, 5, 6], "its events");
const resumed = { ...caller, "last-event-id": "4" };
equal(seqs(await (await ask(`${path}/events`, { headers: resumed })).text()), [5, 6], "the rest of them");
const nothing = await ask(`${path}/events`, { headers: { ...caller, "last-event-id": "6" } });
equal(nothing.status, 204, "nothing more");

const accepted = await post("/execute", order("held"), { ...caller, prefer: "respond-async" });
equal(accepted.status, 202, "an execution of its own");
const events = `/${accepted.headers.get("location")}/events`;
await accepted.body.cancel();
const live = (await ask(events, { headers: caller })).body.pipeThrough(new TextDecoderStream()).getReader();
let text = "";
while (!text.includes(": keep-alive")) text += (await live.read()).value;
release();
for (let next = await live.read(); !next.done; next = await live.read()) text += next.value;
equal(seqs(text), [0, 1, 2, 3, 4, 5, 6], "live events");

const left = new AbortController();
const abandoned = await post("/execute", order("held"), { ...caller, prefer: "respond-async" });
const stream = await ask(`/${abandoned.headers.get("location")}/events`, { headers: caller, signal: left.signal });
await stream.body.getReader().read();
left.abort();
release();

equal((await ask("/execute", { headers: caller })).status, 405, "another method");
equal((await post("/execute", order("x"), { "content-type": "application/json" })).status, 403, "no token");
equal((await post("/execute", "x".repeat(2000))).status, 413, "a long body");
equal((await post("/execute", order("order-2"))).status, 200, "the next request");
equal(await (await post("/control", { halted: true }, control)).json(), { halted: true }, "a halt");
equal(await (await ask("/health")).json(), { status: "halted" }, "its health");
equal((await (await post("/execute", order("order-3"))).json()).status, "denied", "a decision after it");
const head = await ask("/health", { method: "HEAD" });
equal([head.status, await head.text()], [200, ""], "HEAD");

await stop();
console.log(`the execution handler serves on ${name}: ${checks} checks`);

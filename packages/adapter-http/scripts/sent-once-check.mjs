// Asks whatever runtime runs this file (Node, Bun, Deno), after a build, whether its `fetch` sends a request that changes state once when the
// kept-alive connection under it breaks: `bun packages/adapter-http/scripts/sent-once-check.mjs`, `deno run -A …`, `node …`.
import { createServer } from "node:net";
import { createHttpExecutor } from "../dist/index.js";

const METHODS = ["POST", "PUT", "PATCH", "DELETE"];
const BODIES = { none: undefined, text: "text", bytes: new Uint8Array([1, 2]), json: { amount: 5 } };
const BREAKS = {
  closes: (socket) => socket.end(),
  resets: (socket) => (socket.resetAndDestroy ?? socket.destroy).call(socket),
  "breaks off": (socket) => socket.end("HTTP/1.1 2"),
};

/** What arrived whole, by path. */
const arrived = new Map();
let kept = 0;
const server = createServer((socket) => {
  let text = "";
  socket.setEncoding("latin1").on("error", () => {});
  socket.on("data", (chunk) => {
    text += chunk;
    const headLength = text.indexOf("\r\n\r\n") + 4;
    const head = text.slice(0, headLength);
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    const whole = /^transfer-encoding/im.test(head) ? text.endsWith("0\r\n\r\n") : text.length >= headLength + length;
    if (headLength < 4 || !whole) return;
    const path = text.split(" ", 2)[1];
    text = "";
    if (path === "/first") {
      socket.served = true;
      return socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
    if (socket.served) kept++;
    arrived.set(path, (arrived.get(path) ?? 0) + 1);
    BREAKS[decodeURIComponent(path.slice(1).split("/")[0])](socket);
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${server.address().port}`;
const executor = createHttpExecutor({
  request: ({ params }) => params,
  allowedOrigins: [origin],
  allowPrivateAddresses: true,
});
const send = async (request) => {
  const { signal } = new AbortController();
  const attempt = { signal, attempt: 0, deadlineMs: 5000, context: {}, executionId: "check", actionIndex: 0 };
  const action = { id: "action-0", index: 0, action: "ACT", params: request, effect: "once" };
  try {
    return await executor.execute(action, attempt);
  } catch (error) {
    return { ok: "unknown", code: error.code };
  }
};

for (const what of Object.keys(BREAKS)) {
  for (const method of METHODS) {
    for (const [name, body] of Object.entries(BODIES)) {
      // A read leaves a connection for the next request to take.
      await send({ method: "GET", url: `${origin}/first` });
      // Runtimes hand it back a turn after the answer has ended.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      const path = `/${encodeURIComponent(what)}/${method}/${name}`;
      const { ok } = await send({ method, url: `${origin}${path}`, ...(body === undefined ? {} : { body }) });
      if (ok !== "unknown") throw new Error(`${path}: ${ok}, expected unknown`);
      if (arrived.get(path) !== 1) throw new Error(`${path}: arrived ${arrived.get(path) ?? 0} times`);
    }
  }
}
const runtime = globalThis.Bun
  ? `Bun ${globalThis.Bun.version}`
  : globalThis.Deno
    ? `Deno ${globalThis.Deno.version.deno}`
    : `Node ${process.version}`;
console.log(`${arrived.size} broken requests arrived once on ${runtime}, ${kept} of them on a kept-alive connection`);
server.close();
(globalThis.process ?? globalThis.Deno).exit(0);

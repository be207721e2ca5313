// Asks whatever runtime runs this file (Node, Bun, Deno), after a build, whether its `fetch` sends a request that changes state once when the
// kept-alive connection under it breaks: `bun packages/adapter-http/scripts/sent-once-check.mjs`, `deno run -A …`, `node …`. Of Node 26 and
// later, which negotiate HTTP/2, it asks the same of streams that are refused.
import { createServer } from "node:net";
import { createHttpExecutor } from "../dist/index.js";

const METHODS = ["POST", "PUT", "PATCH", "DELETE"];
const BODIES = { none: undefined, text: "text", bytes: new Uint8Array([1, 2]), json: { amount: 5 } };
const BREAKS = {
  closes: (socket) => socket.end(),
  resets: (socket) => (socket.resetAndDestroy ?? socket.destroy).call(socket),
  "breaks off": (socket) => socket.end("HTTP/1.1 2"),
};

/** How a server may say over HTTP/2 that it has not processed a request, which is no proof that it has not. */
const REFUSALS = {
  refused: (stream) => stream.close(7),
  left_out: ({ session }) => {
    session.goaway(0, 0);
    setImmediate(() => session.destroy());
  },
};
// Of localhost, and of nothing else: signed by itself and trusted by this process only.
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7PU39MbbPy4pZ1tv
yRxw/OhWTl8R4lcOcln9HLSWo9KhRANCAARoGXaxoZduKp9duV0XIRj0vz94v+D3
Zzir3bMkvQL39EfyWqu49sfrzaC3Y+nKqBmp4bXTdezWLU0YGuVzGghg
-----END PRIVATE KEY-----`;
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUMnGkFnF6gFt9FIhvsLv0hCzlyrowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODEzMDk1N1oYDzIxMjYxMTA0
MTMwOTU3WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARoGXaxoZduKp9duV0XIRj0vz94v+D3Zzir3bMkvQL39EfyWqu49sfr
zaC3Y+nKqBmp4bXTdezWLU0YGuVzGghgo2kwZzAdBgNVHQ4EFgQU5xc/rIkTHOJG
epTCc+9e29qiHQ0wHwYDVR0jBBgwFoAU5xc/rIkTHOJGepTCc+9e29qiHQ0wDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIgLYYougT20L0KPn7vUl+4rQCn69/mu5iHeNsisHDdbKsCIQDx6+Ozc7Oh
9qjDeeYqcwwYl5Boml9KAwbG/0wmdrI25g==
-----END CERTIFICATE-----`;

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

function isNode26() {
  return !globalThis.Bun && !globalThis.Deno && Number.parseInt(globalThis.process.version.slice(1), 10) >= 26;
}

/** The same over TLS, where HTTP/2 is negotiated. */
async function openSecure() {
  const { createSecureServer } = await import("node:http2");
  const { setDefaultCACertificates } = await import("node:tls");
  setDefaultCACertificates([CERTIFICATE]);
  const server = createSecureServer({ key: KEY, cert: CERTIFICATE, allowHTTP1: true });
  server.on("session", (session) => session.on("error", () => {}));
  server.on("request", (request, response) => {
    const { stream, url: path } = request;
    if (stream === undefined) throw new Error("HTTP/2 was not negotiated");
    stream.on("error", () => {});
    request.resume().on("end", () => {
      if (path === "/first") return response.end("ok");
      arrived.set(path, (arrived.get(path) ?? 0) + 1);
      REFUSALS[path.split("/")[1]](stream);
    });
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  return { server, origin: `https://localhost:${server.address().port}` };
}
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${server.address().port}`;
const secure = isNode26() ? await openSecure() : undefined;
const executor = createHttpExecutor({
  request: ({ params }) => params,
  allowedOrigins: secure === undefined ? [origin] : [origin, secure.origin],
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
if (secure !== undefined) {
  for (const how of Object.keys(REFUSALS)) {
    for (const method of METHODS) {
      for (const [name, body] of Object.entries(BODIES)) {
        await send({ method: "GET", url: `${secure.origin}/first` });
        const path = `/${how}/${method}/${name}`;
        const { ok } = await send({ method, url: `${secure.origin}${path}`, ...(body === undefined ? {} : { body }) });
        if (ok !== "unknown") throw new Error(`HTTP/2 ${path}: ${ok}, expected unknown`);
        if (arrived.get(path) !== 1) throw new Error(`HTTP/2 ${path}: arrived ${arrived.get(path) ?? 0} times`);
      }
    }
  }
  secure.server.close();
}
const runtime = globalThis.Bun
  ? `Bun ${globalThis.Bun.version}`
  : globalThis.Deno
    ? `Deno ${globalThis.Deno.version.deno}`
    : `Node ${process.version}`;
console.log(`${arrived.size} broken requests arrived once on ${runtime}, ${kept} of them on a kept-alive connection`);
server.close();
(globalThis.process ?? globalThis.Deno).exit(0);

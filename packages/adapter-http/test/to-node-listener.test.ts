import { once } from "node:events";
import { createServer } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type ExecutionHandler, toNodeListener } from "../src/index.js";
import { closed, happening, listen } from "./support.js";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function serve(handler: ExecutionHandler) {
  const server = createServer(toNodeListener(handler));
  const origin = await listen(server);
  cleanUps.push(() => {
    server.closeAllConnections();
    return closed(server);
  });
  return { server, origin, port: Number(new URL(origin).port) };
}

/** Sends raw text over a connection of its own. */
async function dial(port: number, ...lines: string[]): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  await once(socket, "connect");
  socket.write(lines.join("\r\n"));
  cleanUps.unshift(async () => socket.destroy());
  return socket;
}

describe("toNodeListener", () => {
  it("hands on method, URL, headers and body, and sends status, headers and body back", async () => {
    const { origin } = await serve(async (request) => {
      const { method, url, headers } = request;
      const answer = JSON.stringify([method, new URL(url).pathname, headers.get("x-a"), await request.text()]);
      const cookies = new Headers({ "x-b": "b" });
      cookies.append("set-cookie", "c=1");
      cookies.append("set-cookie", "d=2");
      return new Response(answer, { status: 201, headers: cookies });
    });
    const response = await fetch(`${origin}/path?query`, { method: "PUT", headers: { "x-a": "a" }, body: "body" });
    expect([response.status, response.headers.get("x-b"), response.headers.getSetCookie()]).toEqual([
      201,
      "b",
      ["c=1", "d=2"],
    ]);
    expect(await response.json()).toEqual(["PUT", "/path", "a", "body"]);
  });

  it("carries bodies of any length both ways, at the pace of who reads them", async () => {
    const { origin } = await serve(async (request) => new Response(request.body));
    const long = "0123456789".repeat(1_000_000);
    const response = await fetch(origin, { method: "POST", body: long });
    expect((await response.text()) === long).toBe(true);
  });

  it("reads no further ahead than its handler does", async () => {
    let sent = 0;
    const reading = happening();
    const { port } = await serve(async (request) => {
      const reader = request.body!.getReader();
      await reader.read();
      reading.happened();
      return new Promise(() => {});
    });
    const socket = await dial(port, "POST / HTTP/1.1", "Host: a", "Content-Length: 100000000", "", "");
    const more = () => {
      while (sent < 50_000_000) {
        sent += 100_000;
        if (!socket.write(Buffer.alloc(100_000))) return void socket.once("drain", more);
      }
    };
    more();
    await reading.once;
    // Whatever the kernel's buffers hold, it is not fifty megabytes.
    for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBeLessThan(50_000_000);
  });

  it("produces no response further ahead than its client reads", async () => {
    let pulled = 0;
    const { port } = await serve(async () => {
      const pull = (stream: ReadableStreamDefaultController<Uint8Array>) => {
        if (pulled++ === 500) stream.close();
        else stream.enqueue(new Uint8Array(100_000));
      };
      return new Response(new ReadableStream({ pull }));
    });
    const socket = await dial(port, "GET / HTTP/1.1", "Host: a", "", "");
    socket.pause();
    for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(pulled).toBeGreaterThan(0);
    expect(pulled).toBeLessThan(500);
  });

  it("aborts the request's signal when the connection is lost, and cancels the response", async () => {
    const [aborted, cancelled] = [happening(), happening()];
    const { origin } = await serve(async (request) => {
      request.signal.addEventListener("abort", aborted.happened);
      return new Response(
        new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(1)), cancel: cancelled.happened }),
      );
    });
    const controller = new AbortController();
    const response = await fetch(origin, { signal: controller.signal });
    await response.body!.getReader().read();
    controller.abort();
    await Promise.all([aborted.once, cancelled.once]);
  });

  it("does not abort it when the response has ended", async () => {
    let signal: AbortSignal | undefined;
    const { origin, server } = await serve(async (request) => {
      signal = request.signal;
      return new Response("done");
    });
    await (await fetch(origin)).text();
    const connectionsClosed = new Promise((resolve) => server.once("close", resolve));
    server.closeAllConnections();
    server.close();
    await connectionsClosed;
    cleanUps.length = 0;
    expect(signal!.aborted).toBe(false);
  });

  it("serves the next request of a connection whose last body was not read", async () => {
    const { port } = await serve(async (request) => {
      if (request.method === "PUT") await request.body!.cancel();
      return new Response(`[${request.method}]`, { headers: { "content-length": String(request.method.length + 2) } });
    });
    const body = "x".repeat(200_000);
    const long = (method: string) =>
      [`${method} / HTTP/1.1`, "Host: a", `Content-Length: ${body.length}`, "", body].join("\r\n");
    const socket = await dial(
      port,
      `${long("POST")}${long("PUT")}GET / HTTP/1.1`,
      "Host: a",
      "Connection: close",
      "",
      "",
    );
    expect((await text(socket)).match(/\[\w+\]/g)).toEqual(["[POST]", "[PUT]", "[GET]"]);
  });

  it("tells a body that breaks off from one that ends", async () => {
    const [read, failed] = [happening(), happening()];
    const { port } = await serve(async (request) => {
      read.happened();
      await request.text().catch(failed.happened);
      return new Response();
    });
    const socket = await dial(port, "POST / HTTP/1.1", "Host: a", "Content-Length: 100", "", "half");
    await read.once;
    socket.destroy();
    await failed.once;
  });

  it("lets no Host change the path, and answers 400 to one that is none", async () => {
    const { port } = await serve(async (request) => new Response(new URL(request.url).pathname));
    const ask = async (target: string, host: string) => {
      const socket = await dial(port, `GET ${target} HTTP/1.1`, `Host: ${host}`, "Connection: close", "", "");
      const [head = "", body] = (await text(socket)).split("\r\n\r\n");
      return [Number(head.split(" ")[1]), body?.split("\r\n")[1] ?? body];
    };
    expect(await ask("/health", "a/control?")).toEqual([200, "/health"]);
    expect(await ask("/health", "a#")).toEqual([200, "/health"]);
    expect(await ask("//evil.test/control", "a")).toEqual([200, "//evil.test/control"]);
    expect((await ask("/health", "a b"))[0]).toBe(400);
    expect((await ask("/health", "[::1"))[0]).toBe(400);
    expect((await ask("*", "a"))[0]).toBe(400);
  });

  it("sends no body in answer to HEAD", async () => {
    const cancelled = happening();
    const { origin } = await serve(
      async () => new Response(new ReadableStream({ cancel: cancelled.happened }), { headers: { "x-a": "a" } }),
    );
    const response = await fetch(origin, { method: "HEAD" });
    expect([response.headers.get("x-a"), await response.text()]).toEqual(["a", ""]);
    await cancelled.once;
  });

  it("closes the connection when its handler or the response's body fails", async () => {
    const { origin } = await serve((request) => {
      if (request.url.endsWith("/handler")) return Promise.reject(new Error("broken"));
      const body = new ReadableStream({ pull: (stream) => stream.error(new Error("broken")) });
      return Promise.resolve(new Response(body));
    });
    await expect(fetch(`${origin}/handler`)).rejects.toThrow("fetch failed");
    await expect(fetch(`${origin}/body`).then((response) => response.text())).rejects.toThrow();
  });

  it("serves HTTP/2", async () => {
    const server = createHttp2Server(
      toNodeListener(async (request) => new Response(`${request.method} ${request.url} ${await request.text()}`)),
    );
    const origin = await listen(server);
    const client = connectHttp2(origin);
    cleanUps.push(async () => {
      client.close();
      await closed(server);
    });
    const stream = client.request({ ":method": "POST", ":path": "/path" });
    stream.end("body");
    expect(await text(stream)).toBe(`POST ${origin}/path body`);
  });
});

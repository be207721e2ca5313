import { createServer } from "node:http2";
import { H2CClient, fetch as undiciFetch } from "undici-8";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createHttpExecutor, type FetchFn } from "../src/index.js";
import type { PreparedRequest } from "../src/prepare-request.js";
import { sentOnce } from "../src/sent-once.js";
import { anAction, anAttempt, closed, listen, outcomeOf } from "./support.js";

// That the runtimes hold to it is a matter of real connections: `scripts/sent-once-check.mjs`, which `pnpm check:runtimes` runs.

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A Node whose own `fetch` is of this version of undici. */
const stubUndici = (undici: string) =>
  vi.stubGlobal("process", { ...process, versions: { ...process.versions, undici } });

const parts = (method: string, body?: string | Uint8Array, contentType?: string, dispatcher?: object) => {
  const headers = new Headers(contentType === undefined ? {} : { "content-type": contentType });
  const request: PreparedRequest = { method, url: "https://api.example.com/", headers, body, keyed: false };
  return sentOnce(request, dispatcher);
};

describe("what keeps a runtime from sending a request twice", () => {
  it("is a connection that is not kept, of a request that changes state", () => {
    expect(["POST", "PUT", "DELETE", "PATCH"].map((method) => parts(method, "text"))).toEqual(
      Array(4).fill({ body: "text", keepalive: false }),
    );
    expect(parts("DELETE")).toEqual({ body: null, keepalive: false });
    expect(["GET", "HEAD", "OPTIONS"].map((method) => parts(method))).toEqual(Array(3).fill({ body: null }));
  });

  it("is in Node 26 a body that is empty, but for a dispatcher of the caller's, who knows what it negotiates", () => {
    stubUndici("8.10.2");
    expect(["POST", "PUT", "PATCH", "DELETE"].map((method) => parts(method))).toEqual(
      Array(4).fill({ body: new Uint8Array(), keepalive: false }),
    );
    expect([parts("GET").body, parts("POST", "text").body]).toEqual([null, "text"]);
    expect(parts("POST", undefined, undefined, { dispatch: () => true }).body).toBeNull();
    stubUndici("7.30.2");
    expect(parts("POST").body).toBeNull();
  });

  it("S3.1 keeps undici from sending a request again that HTTP/2 calls refused", async () => {
    stubUndici("8.10.2");
    const arrived: string[] = [];
    const server = createServer();
    server.on("stream", (stream, { ":method": method, ":path": path }) => {
      stream.on("error", () => {}).resume();
      stream.on("end", () => {
        arrived.push(`${method} ${path}`);
        stream.close(7); // REFUSED_STREAM
      });
    });
    const origin = await listen(server);
    const dispatcher = new H2CClient(origin);
    const overHttp2 = (url: string, init: object) => undiciFetch(url, { ...init, dispatcher });
    const executor = createHttpExecutor({
      request: ({ params }) => ({ method: String(params["method"]), url: `${origin}/order` }),
      allowedOrigins: [origin],
      allowPrivateAddresses: true,
      fetch: overHttp2 as unknown as FetchFn,
    });
    const methods = ["POST", "PUT", "PATCH", "DELETE"];
    for (const method of methods) {
      const outcome = await outcomeOf(executor.execute(anAction({ params: { method } }), anAttempt()));
      expect(outcome).toEqual({ ok: "unknown", code: "network_error" });
    }
    await dispatcher.destroy();
    await closed(server);
    expect(arrived).toEqual(methods.map((method) => `${method} /order`));
  });

  it("is in Deno a body that is read once, with the type that a text would have", async () => {
    vi.stubGlobal("Deno", {});
    const described = async (method: string, body?: string | Uint8Array, contentType?: string) => {
      const { body: blob, keepalive } = parts(method, body, contentType);
      return blob instanceof Blob ? [blob.type, await blob.text(), keepalive] : blob;
    };
    expect(await described("POST", "snow ☃")).toEqual(["text/plain;charset=utf-8", "snow ☃", false]);
    expect(await described("POST", "{}", "application/json")).toEqual(["", "{}", false]);
    expect(await described("PUT", new Uint8Array([97]))).toEqual(["", "a", false]);
    expect(await described("DELETE")).toEqual(["", "", false]);
    expect(await described("GET")).toBeNull();
  });
});

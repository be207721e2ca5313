import { afterEach, describe, expect, it, vi } from "vitest";
import type { PreparedRequest } from "../src/prepare-request.js";
import { sentOnce } from "../src/sent-once.js";

// That the runtimes hold to it is a matter of real connections: `scripts/sent-once-check.mjs`, which `pnpm check:runtimes` runs.

afterEach(() => {
  vi.unstubAllGlobals();
});

const parts = (method: string, body?: string | Uint8Array, contentType?: string) => {
  const headers = new Headers(contentType === undefined ? {} : { "content-type": contentType });
  const request: PreparedRequest = { method, url: "https://api.example.com/", headers, body, keyed: false };
  return sentOnce(request);
};

describe("what keeps a runtime from sending a request twice", () => {
  it("is a connection that is not kept, of a request that changes state", () => {
    expect(["POST", "PUT", "DELETE", "PATCH"].map((method) => parts(method, "text"))).toEqual(
      Array(4).fill({ body: "text", keepalive: false }),
    );
    expect(parts("DELETE")).toEqual({ body: null, keepalive: false });
    expect(["GET", "HEAD", "OPTIONS"].map((method) => parts(method))).toEqual(Array(3).fill({ body: null }));
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

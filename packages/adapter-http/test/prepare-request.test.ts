import { isNotAppliedError } from "@eoc/core";
import { describe, expect, it } from "vitest";
import type { HttpRequest } from "../src/options.js";
import { prepareRequest, type RequestRules } from "../src/prepare-request.js";

const rules: RequestRules = {
  origins: new Set(["https://api.example.com", "http://127.0.0.1:8080"]),
  allowPrivateAddresses: true,
  headers: {},
  idempotencyHeader: "Idempotency-Key",
  idempotencyKeyForm: "bare",
  blocksPorts: true,
};

const prepare = (request: Partial<HttpRequest>, overrides: Partial<RequestRules> = {}, key?: string) =>
  prepareRequest(
    { method: "POST", url: "https://api.example.com/orders", ...request },
    { ...rules, ...overrides },
    { idempotencyKey: key },
  );

function codeOf(request: Partial<HttpRequest>, overrides?: Partial<RequestRules>, key?: string): unknown {
  try {
    prepare(request, overrides, key);
  } catch (error) {
    return isNotAppliedError(error) && !error.retryable ? error.code : error;
  }
  return "prepared";
}

describe("a request's URL", () => {
  it("may be any spelling of an allowed origin", () => {
    const urls = [
      "https://API.example.com:443/a",
      "https:api.example.com/a",
      "http://0x7f.1:8080/a",
      new URL("http://127.0.0.1:8080/a"),
    ];
    const sent = [
      "https://api.example.com/a",
      "https://api.example.com/a",
      "http://127.0.0.1:8080/a",
      "http://127.0.0.1:8080/a",
    ];
    expect(urls.map((url) => prepare({ url }).url)).toEqual(sent);
  });

  it("is refused for a port that the platform's fetch blocks, and left to a fetch of one's own", () => {
    const origins = new Set(["http://127.0.0.1:6000"]);
    const url = "http://127.0.0.1:6000/";
    expect(codeOf({ url }, { origins })).toBe("port_blocked");
    expect(codeOf({ url }, { origins, blocksPorts: false })).toBe("prepared");
  });
});

describe("a request's headers", () => {
  it("are refused when they could inject another header or reframe the request", () => {
    const hostile: Record<string, string>[] = [
      { "x-a": "1\r\nx-b: 2" },
      { "x-a": "1\n" },
      { "x-a": "1\0" },
      { "x-a": "£ ☃" },
      { "x a": "1" },
      { "x-a:": "1" },
      { "": "1" },
      { "x-a\r\nx-b": "1" },
      { Host: "evil.test" },
      { "content-length": "0" },
      { "Transfer-Encoding": "chunked" },
      { connection: "close" },
      { Upgrade: "h2c" },
      { Expect: "100-continue" },
      { "x-a": 1 as unknown as string },
    ];
    expect(hostile.map((headers) => codeOf({ headers }))).toEqual(hostile.map(() => "invalid_header"));
  });

  it("are refused in a form that would lose them without a word", () => {
    const forms = [new Headers({ "x-a": "1" }), new Map([["x-a", "1"]]), [["x-a", "1"]], ["1"], "x-a: 1", 7];
    const headers = forms as unknown as Record<string, string>[];
    expect(headers.map((each) => codeOf({ headers: each }))).toEqual(forms.map(() => "invalid_header"));
  });

  it("win over the executor's own", () => {
    const { headers } = prepare(
      { headers: { "X-A": "request" } },
      { headers: { "x-a": "executor", "x-b": "executor" } },
    );
    expect([headers.get("x-a"), headers.get("x-b")]).toEqual(["request", "executor"]);
  });
});

describe("a request's idempotency key", () => {
  it("goes into the named header, bare or as a structured-field string", () => {
    expect(prepare({}, {}, "key-1").headers.get("idempotency-key")).toBe("key-1");
    const quoted = prepare({}, { idempotencyHeader: "X-Key", idempotencyKeyForm: "quoted" }, 'a"b\\c');
    expect(quoted.headers.get("x-key")).toBe('"a\\"b\\\\c"');
    expect(quoted.keyed).toBe(true);
  });

  it("gives way to a key that the request names itself", () => {
    const { headers, keyed } = prepare({ headers: { "idempotency-key": "mine" } }, {}, "key-1");
    expect([headers.get("idempotency-key"), keyed]).toEqual(["mine", true]);
  });

  it("is left out of requests that change nothing", () => {
    expect(["get", "HEAD", "OPTIONS"].map((method) => prepare({ method }, {}, "key-1").keyed)).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("is refused when a header cannot carry it, or not as it is", () => {
    const invalid = (keys: string[]) => keys.map((key) => [key, "invalid_idempotency_key"]);
    const codes = (keys: string[], form: RequestRules["idempotencyKeyForm"]) =>
      keys.map((key) => [key, codeOf({}, { idempotencyKeyForm: form }, key)]);
    const unsendable = ["a\r\nb", "a\tb", "a\0", "clé", "☃", "订单-7", "\x7f", "\ud800"];
    expect(codes(unsendable, "bare")).toEqual(invalid(unsendable));
    expect(codes(unsendable, "quoted")).toEqual(invalid(unsendable));
    const changed = ["", " ", " key", "key ", "key\t"];
    expect(codes(changed, "bare")).toEqual(invalid(changed));
    const { headers } = prepare({}, { idempotencyKeyForm: "quoted" }, " key");
    expect(headers.get("idempotency-key")).toBe('" key"');
    expect(prepare({}, {}, 'a key, with "these": \\ ~').headers.get("idempotency-key")).toBe(
      'a key, with "these": \\ ~',
    );
  });

  it("is refused when the request names none: a service would take it for the same key of all", () => {
    const none = ["", " ", "undefined", "null", '""', '"undefined"'];
    expect(none.map((key) => codeOf({ headers: { "Idempotency-Key": key } }))).toEqual(
      none.map(() => "invalid_idempotency_key"),
    );
    expect(codeOf({ method: "GET", headers: { "x-key": "" } }, { idempotencyHeader: "X-Key" })).toBe(
      "invalid_idempotency_key",
    );
    expect(codeOf({ headers: { "idempotency-key": "" } }, {}, "key-1")).toBe("invalid_idempotency_key");
  });
});

describe("a request", () => {
  it("is refused with a member that there is not, such as a body by another name", () => {
    const requests = [{ json: { amount: 5 } }, { data: "x" }, { timeout: 5 }] as unknown as Partial<HttpRequest>[];
    expect(requests.map((request) => codeOf(request))).toEqual(requests.map(() => "invalid_request"));
  });
});

describe("a request's method", () => {
  it("is sent in upper case", () => {
    expect(["post", "Patch", "DELETE", "purge"].map((method) => prepare({ method }).method)).toEqual([
      "POST",
      "PATCH",
      "DELETE",
      "PURGE",
    ]);
  });

  it("is refused when it is no token, or one that fetch forbids", () => {
    const methods = ["", "GET /x HTTP/1.1\r\nHost: evil", "CONNECT", "trace", "TRACK", 7 as unknown as string];
    expect(methods.map((method) => codeOf({ method }))).toEqual(methods.map(() => "invalid_method"));
  });
});

describe("a request's body", () => {
  it("is sent as it is when it is text or bytes", () => {
    const bytes = new Uint8Array([1, 2]);
    expect([prepare({ body: "text" }).body, prepare({ body: bytes }).body, prepare({ body: null }).body]).toEqual([
      "text",
      bytes,
      undefined,
    ]);
    expect(prepare({ body: "text" }).headers.has("content-type")).toBe(false);
  });

  it("is JSON, and called so, when it is any other plain value", () => {
    const bodies = [
      { a: 1 },
      Object.freeze([1, null]),
      Object.assign(Object.create(null) as object, { b: 2 }),
      0,
      false,
    ];
    expect(bodies.map((body) => prepare({ body }).body)).toEqual(['{"a":1}', "[1,null]", '{"b":2}', "0", "false"]);
    expect(prepare({ body: {} }).headers.get("content-type")).toBe("application/json");
    expect(
      prepare({ body: {}, headers: { "Content-Type": "application/merge-patch+json" } }).headers.get("content-type"),
    ).toBe("application/merge-patch+json");
  });

  it("is refused when JSON would make `null` of a number in it", () => {
    const bodies = [{ cents: Number("12,00") * 100 }, [1, [Number.POSITIVE_INFINITY]], Number.NaN];
    expect(bodies.map((body) => codeOf({ body }))).toEqual(bodies.map(() => "invalid_body"));
    expect(prepare({ body: { cents: 1200, none: null, later: new Date(0) } }).body).toBe(
      '{"cents":1200,"none":null,"later":"1970-01-01T00:00:00.000Z"}',
    );
    expect(codeOf({ body: { at: new Date(Number.NaN) } })).toBe("invalid_body");
  });

  it("is refused when JSON would say something else, or nothing, of a value in it", () => {
    class Money {
      cents = 5;
    }
    const others = {
      map: new Map([["cents", 5]]),
      set: new Set([5]),
      pattern: /x/,
      function: () => 5,
      class: Money,
      symbol: Symbol("x"),
      instance: new Money(),
      error: new Error("x"),
      promise: Promise.resolve(5),
      bytes: new Uint8Array([5]),
      form: new FormData(),
      boxed: new Number(Number.NaN),
      inherited: Object.create({ cents: 5 }) as object,
    };
    for (const [name, value] of Object.entries(others)) {
      const bodies = [{ value }, [value], { deep: [{ value }] }, { toJSON: () => value }];
      expect([name, bodies.map((body) => codeOf({ body }))]).toEqual([name, Array(4).fill("invalid_body")]);
    }
    const lists = [[undefined], { list: [1, undefined] }, new Array(1), [{ toJSON: () => undefined }]];
    expect(lists.map((body) => codeOf({ body }))).toEqual(Array(4).fill("invalid_body"));
  });

  it("is what toJSON says, and leaves out members that are undefined, as JSON.stringify does", () => {
    class Money {
      #cents = 5;
      toJSON() {
        return { cents: this.#cents };
      }
    }
    const body = {
      at: new Date(0),
      url: new URL("https://shop.example.com/7"),
      total: new Money(),
      bytes: Buffer.from([5]),
      note: undefined,
      none: null,
      bare: Object.assign(Object.create(null) as object, { list: [null, [], {}, "", 0, true] }),
    };
    expect(prepare({ body }).body).toBe(JSON.stringify(body));
    expect(prepare({ body: Object.freeze({ note: undefined }) }).body).toBe("{}");
  });

  it("is refused when JSON cannot say it, or fetch may not send it", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    const bodies = [cycle, { n: 1n }, new URLSearchParams("a=1"), new Map(), new Date(0), (() => 1) as object];
    expect(bodies.map((body) => codeOf({ body }))).toEqual(bodies.map(() => "invalid_body"));
    expect(["GET", "HEAD"].map((method) => codeOf({ method, body: "x" }))).toEqual(["invalid_body", "invalid_body"]);
  });
});

describe("a refusal", () => {
  it("S9.1 names no part of the request", () => {
    const secret = "s3cr3t-value";
    const requests: Partial<HttpRequest>[] = [
      { url: `https://user:${secret}@api.example.com/` },
      { url: `https://evil.test/${secret}` },
      { headers: { "x-a": `${secret}\r\n` } },
      { body: { secret, n: 1n } },
      { method: `${secret} x` },
    ];
    for (const request of requests) {
      try {
        prepare(request);
        expect.unreachable();
      } catch (error) {
        expect(JSON.stringify([error, String(error), (error as Error).stack, (error as Error).cause])).not.toContain(
          secret,
        );
      }
    }
  });
});

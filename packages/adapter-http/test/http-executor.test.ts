import { getEventListeners } from "node:events";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { inspect } from "node:util";
import { isEocError, NotAppliedError } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { createHttpExecutor, type FetchFn, type HttpExecutorOptions, type HttpReconcile } from "../src/index.js";
import { anAction, anAttempt, closed, happening, listen, outcomeOf } from "./support.js";

const ORIGIN = "https://api.example.com";

/** A fetch that answers from memory and remembers what it was asked. */
function fakeFetch(answer: (url: string, init: RequestInit) => Response | Promise<Response> = () => new Response()) {
  const calls: { url: string; init: RequestInit; headers: Record<string, string> }[] = [];
  const fetch: FetchFn = async (url, init) => {
    calls.push({ url, init, headers: Object.fromEntries(new Headers(init.headers)) });
    return answer(url, init);
  };
  return { fetch, calls };
}

const anExecutor = (options: Partial<HttpExecutorOptions> = {}) =>
  createHttpExecutor({
    request: () => ({ method: "POST", url: `${ORIGIN}/orders` }),
    allowedOrigins: [ORIGIN],
    fetch: fakeFetch().fetch,
    ...options,
  });

const answering = (body: BodyInit | null, init?: ResponseInit) => ({
  fetch: fakeFetch(() => new Response(body, init)).fetch,
});
const run = (options: Partial<HttpExecutorOptions>) => outcomeOf(anExecutor(options).execute(anAction(), anAttempt()));

describe("createHttpExecutor", () => {
  it("refuses options that are wrong, naming each and showing no value", () => {
    const wrong: Record<string, unknown>[] = [
      { request: undefined },
      { allowedOrigins: undefined },
      { allowedOrigins: [] },
      { allowedOrigins: ["*"] },
      { allowedOrigins: ["api.example.com"] },
      { allowedOrigins: ["https://api.example.com/v1"] },
      { allowedOrigins: ["https://user:s3cr3t@api.example.com"] },
      { allowedOrigins: ["file:///"] },
      { allowedOrigins: [ORIGIN, "ftp://api.example.com"] },
      { maxResponseBytes: -1 },
      { maxResponseBytes: Number.NaN },
      { headers: { authorization: "s3cr3t\r\nx: y" } },
      { headers: { host: "s3cr3t" } },
      { headers: new Headers({ authorization: "s3cr3t" }) },
      { headers: [["authorization", "s3cr3t"]] },
      { headers: null },
      { headers: { "idempotency-key": "s3cr3t" } },
      { idempotencyHeader: "a b" },
      { idempotencyHeader: "Host" },
      { idempotencyHeader: null },
      { idempotencyHeader: 5 },
      { idempotencyHeader: "" },
      { idempotencyHeader: "Authorization" },
      { idempotencyHeader: "content-type" },
      { idempotencyHeader: "Cookie" },
      { idempotencyHeader: "traceparent" },
      { idempotencyKeyForm: "none" },
      { reconcile: { request: () => {} } },
      { fetch: "fetch" },
      { parse: {} },
      { outcome: true },
      { trace: "00-" },
      { dispatcher: "agent" },
      { dispatcher: null },
      { dispatcher: {} },
      { dispatcher: [] },
      { dispatcher: new Map() },
      { maxResponseMs: 0 },
      { maxResponseMs: Number.POSITIVE_INFINITY },
      { clock: { now: () => 0 } },
      { clock: { setTimer: () => () => {} } },
      { clock: null },
      { allowPrivateAddresses: "yes" },
      { allowedOrigins: ["http://127.0.0.1:8080"] },
      { allowedOrigins: [ORIGIN, "http://localhost"] },
      { maxResponseByte: 5 },
      { timeoutMs: undefined },
      { reconcile: { request: () => {}, decide: () => {}, retries: 3 } },
    ];
    for (const options of wrong) {
      const [name] = Object.keys(options);
      try {
        anExecutor(options as Partial<HttpExecutorOptions>);
        expect.unreachable(`${name} was accepted`);
      } catch (error) {
        expect(isEocError(error) && error.code === "invalid_option" && error.issues?.[0]?.path).toMatch(
          new RegExp(`^${name}`),
        );
        expect(inspect(error)).not.toContain("s3cr3t");
      }
    }
  });

  it("names the header that is wrong and what is wrong with it, and shows no value", () => {
    const token = "s3cr3t";
    const wrong: [headers: unknown, message: string][] = [
      [{ Authorization: undefined }, "headers.Authorization must be text, not undefined"],
      [{ Authorization: null }, "headers.Authorization must be text, not null"],
      [{ "X-Tenant": 5318008 }, "headers.X-Tenant must be text, not number"],
      [{ Authorization: [token] }, "headers.Authorization must be text, not object"],
      [
        { Authorization: `Bearer ${token}\n` },
        "headers.Authorization must be of one line, without control characters and characters beyond Latin-1",
      ],
      [{ Host: token }, "headers.Host must be left out, as it frames or routes the request"],
      [{ [`Authorization: Bearer ${token}`]: "" }, "headers must be one whose names are tokens (RFC 9110 §5.6.2)"],
      [{ "Idempotency-KEY": token }, "headers.Idempotency-KEY must be left out, as actions would share a key"],
      [new Headers({ authorization: token }), "headers must be a plain object"],
      [
        { Authorization: undefined, Host: token },
        "headers.Authorization must be text, not undefined; headers.Host must be left out, as it frames or routes the request",
      ],
    ];
    for (const [headers, message] of wrong) {
      const silent = expect.toSatisfy((error) => !/s3cr3t|5318008/.test(inspect(error)));
      const make = () => anExecutor({ headers: headers as Record<string, string> });
      expect(make).toThrow(expect.objectContaining({ message: `invalid HTTP executor: ${message}` }));
      expect(make).toThrow(silent);
    }
  });

  it("refuses to be made of nothing", () => {
    for (const options of [undefined, null, "options", 5] as never[]) {
      expect(() => createHttpExecutor(options)).toThrow(expect.objectContaining({ code: "invalid_option" }));
    }
  });

  it("names itself, and reconciles only when told how", () => {
    expect(Object.keys(anExecutor())).toEqual(["name", "execute"]);
    expect(anExecutor().name).toBe("http");
  });
});

describe("a dispatch", () => {
  it("sends what the request function says, with the executor's headers and the attempt's key and signal", async () => {
    const { fetch, calls } = fakeFetch();
    const attempt = anAttempt({ idempotencyKey: "key-1" });
    const executor = anExecutor({
      fetch,
      headers: { authorization: "Bearer token" },
      request: (action, { attempt }) => ({
        method: "put",
        url: new URL(`${ORIGIN}/orders/${action.id}`),
        headers: { "x-attempt": String(attempt) },
        body: action.params,
      }),
    });
    await executor.execute(anAction({ params: { amount: 5 } }), attempt);
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      url: `${ORIGIN}/orders/action-0`,
      init: { method: "PUT", body: '{"amount":5}', redirect: "manual", signal: attempt.signal },
      headers: {
        authorization: "Bearer token",
        "content-type": "application/json",
        "idempotency-key": "key-1",
        "x-attempt": "0",
      },
    });
  });

  it("S3.1 of a request that cannot be made is not applied, final, and reaches no fetch", async () => {
    const { fetch, calls } = fakeFetch();
    const throwing = (error: unknown) => () => {
      throw error;
    };
    const outcomes = await Promise.all(
      [
        throwing(new Error("s3cr3t")),
        () => Promise.reject(new Error("s3cr3t")),
        () => null as never,
        () => ({ method: "POST", url: "https://evil.test/" }),
      ].map((request) => run({ fetch, request })),
    );
    expect(outcomes).toEqual(
      ["request_failed", "request_failed", "invalid_request", "origin_not_allowed"].map((code) => ({
        ok: false,
        code,
        retryable: false,
      })),
    );
    expect(calls).toEqual([]);
  });

  it("hands the dispatcher to fetch, and nothing of the kind where there is none", async () => {
    const { fetch, calls } = fakeFetch();
    const dispatcher = { dispatch: () => true };
    await run({ fetch, dispatcher });
    await run({ fetch });
    expect(calls.map(({ init }) => ("dispatcher" in init ? init.dispatcher : "none"))).toEqual([dispatcher, "none"]);
  });

  it("passes the trace on, below what the request says itself", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const { fetch, calls } = fakeFetch();
    await run({ fetch, trace: ({ id }, { attempt }) => ({ traceparent, tracestate: `${id}=${attempt}` }) });
    const headers = { traceparent: "00-of-its-own" };
    await run({ fetch, trace: () => ({ traceparent }), request: () => ({ method: "GET", url: ORIGIN, headers }) });
    expect(calls.map(({ headers: { traceparent, tracestate } }) => [traceparent, tracestate])).toEqual([
      [traceparent, "action-0=0"],
      ["00-of-its-own", undefined],
    ]);
  });

  it("goes without a trace that is none, whatever `trace` does", async () => {
    const { fetch, calls } = fakeFetch();
    const broken = () => {
      throw new Error("no tracer");
    };
    const traces = [() => undefined, () => ({ traceparent: "00-1-2-03\r\nx: y" }), broken];
    for (const trace of traces) expect(await run({ fetch, trace })).toEqual({ ok: true });
    expect(calls.map(({ headers }) => "traceparent" in headers)).toEqual([false, false, false]);
  });

  it("passes on what the request function says with a NotAppliedError", async () => {
    const request = () => Promise.reject(new NotAppliedError("no_token", { retryAfterMs: 500 }));
    expect(await run({ request })).toEqual({ ok: false, code: "no_token", retryable: true, retryAfterMs: 500 });
  });

  it("is not applied when the attempt was aborted before the request was ready", async () => {
    const { fetch, calls } = fakeFetch();
    const controller = new AbortController();
    const request = async () => {
      controller.abort();
      return { method: "POST", url: ORIGIN };
    };
    const { signal } = controller;
    expect(await anExecutor({ fetch, request }).execute(anAction(), anAttempt({ signal }))).toEqual({
      ok: false,
      code: "aborted_before_send",
    });
    expect(calls).toEqual([]);
  });

  it("S4.6 is not applied when the request is never ready: the abort ends the wait", async () => {
    const { fetch, calls } = fakeFetch();
    const controller = new AbortController();
    const { signal } = controller;
    const request = () => {
      queueMicrotask(() => controller.abort());
      return new Promise<never>(() => {});
    };
    const outcome = anExecutor({ fetch, request }).execute(anAction(), anAttempt({ signal }));
    expect([await outcome, calls]).toEqual([{ ok: false, code: "aborted_before_send" }, []]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("is not applied when the attempt was aborted while its trace was asked for", async () => {
    const { fetch, calls } = fakeFetch();
    const controller = new AbortController();
    const { signal } = controller;
    const outcome = anExecutor({ fetch, trace: () => void controller.abort() }).execute(
      anAction(),
      anAttempt({ signal }),
    );
    expect([await outcome, calls]).toEqual([{ ok: false, code: "aborted_before_send" }, []]);
  });

  it("is refused by the platform's blocked ports without asking it", async () => {
    const origin = "http://127.0.0.1:1";
    const executor = createHttpExecutor({
      request: () => ({ method: "POST", url: origin }),
      allowedOrigins: [origin],
      allowPrivateAddresses: true,
    });
    expect(await executor.execute(anAction(), anAttempt())).toEqual({
      ok: false,
      code: "port_blocked",
      retryable: false,
    });
  });

  it("closes its connection when the attempt is aborted", async () => {
    const controller = new AbortController();
    const connectionClosed = happening();
    const server = createServer((request) => {
      request.socket.on("close", () => connectionClosed.happened());
      controller.abort();
    });
    const origin = await listen(server);
    const executor = createHttpExecutor({
      request: () => ({ method: "POST", url: origin }),
      allowedOrigins: [origin],
      allowPrivateAddresses: true,
    });
    const outcome = await outcomeOf(executor.execute(anAction(), anAttempt({ signal: controller.signal })));
    await connectionClosed.once;
    await closed(server);
    expect(outcome).toEqual({ ok: "unknown", code: "aborted" });
  });
});

describe("the value of a 2xx", () => {
  const value = async (body: BodyInit | null, contentType: string, options: Partial<HttpExecutorOptions> = {}) => {
    const headers = contentType === "" ? {} : { "content-type": contentType };
    return run({ ...answering(body, { headers }), ...options });
  };

  it("is JSON by content type, else text in its charset", async () => {
    expect(await value('{"a":1}', "application/json; charset=utf-8")).toEqual({ ok: true, value: { a: 1 } });
    expect(await value('{"a":1}', "Application/Problem+JSON")).toEqual({ ok: true, value: { a: 1 } });
    expect(await value('{"a":1}', "text/plain")).toEqual({ ok: true, value: '{"a":1}' });
    expect(await value('{"a":1}', "application/json-seq")).toEqual({ ok: true, value: '{"a":1}' });
    expect(await value(new Uint8Array([0xe9]), 'text/plain; charset="iso-8859-1"')).toEqual({ ok: true, value: "é" });
  });

  it("is absent for an empty body", async () => {
    expect([await value("", "application/json"), await value(null, "")]).toEqual([{ ok: true }, { ok: true }]);
  });

  it("is absent for a HEAD, however long the body is that it does not bring", async () => {
    const head = answering(null, { headers: { "content-length": "5000000000" } });
    const bodies: string[] = [];
    const outcome: HttpExecutorOptions["outcome"] = ({ body }, usual) => {
      bodies.push(body);
      return usual;
    };
    expect(await run({ ...head, request: () => ({ method: "HEAD", url: ORIGIN }), outcome })).toEqual({ ok: true });
    expect(bodies).toEqual(["empty"]);
  });

  it("may be as long as maxResponseBytes and no longer", async () => {
    expect(await value("12345", "text/plain", { maxResponseBytes: 5 })).toEqual({ ok: true, value: "12345" });
    expect(await value("123456", "text/plain", { maxResponseBytes: 5 })).toEqual({ ok: true });
    const declared = new Response("1", { headers: { "content-length": "6" } });
    expect(await run({ fetch: async () => declared, maxResponseBytes: 5 })).toEqual({ ok: true });
  });

  it("is what `parse` makes of the bytes, and absent when it throws", async () => {
    const parse: HttpExecutorOptions["parse"] = (bytes, { status }) => [status, ...bytes];
    expect(await value("ab", "", { parse })).toEqual({ ok: true, value: [200, 97, 98] });
    const broken = () => {
      throw new Error("s3cr3t");
    };
    expect(await value("ab", "", { parse: broken })).toEqual({ ok: true });
  });

  it("is given up at once when the attempt is aborted, even by a body that ignores the signal", async () => {
    const controller = new AbortController();
    const endless = new ReadableStream({ pull: () => controller.abort() }, { highWaterMark: 0 });
    const executor = anExecutor({ fetch: async () => new Response(endless) });
    expect(await executor.execute(anAction(), anAttempt({ signal: controller.signal }))).toEqual({ ok: true });
  });

  it("S4.6 is given up with a parse that never settles when the attempt is aborted", async () => {
    const controller = new AbortController();
    const parse = () => {
      queueMicrotask(() => controller.abort());
      return new Promise<never>(() => {});
    };
    const executor = anExecutor({ ...answering("done"), parse });
    const { signal } = controller;
    expect(await executor.execute(anAction(), anAttempt({ signal }))).toEqual({ ok: true });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("an answer whose body is no web stream", () => {
  /** As node-fetch answers: a stream of Node's. */
  const foreign = (status: number, length: number) => {
    const body = Readable.from([Buffer.alloc(10)]);
    const headers = new Headers({ "content-length": String(length), "retry-after": "7" });
    return { body, fetch: async () => ({ status, headers, body }) as unknown as Response };
  };

  it("means what its status means, and is let go of", async () => {
    for (const length of [10, 100_000]) {
      const { body, fetch } = foreign(429, length);
      const retried = { ok: false, code: "http_429", retryable: true, retryAfterMs: 7000 };
      expect(await run({ fetch })).toEqual(retried);
      expect(body.destroyed).toBe(true);
      expect(await run({ fetch: foreign(400, length).fetch })).toMatchObject({ ok: false, code: "http_400" });
      expect(await run({ fetch: foreign(200, length).fetch, maxResponseBytes: 50 })).toEqual({ ok: true });
    }
  });
});

describe("an answer from behind a redirect that a fetch has followed", () => {
  const elsewhere = async () => {
    const server = createServer((request, response) => {
      if (request.url === "/login") response.end("please log in");
      else response.writeHead(302, { location: "/login" }).end();
    });
    const origin = await listen(server);
    const options = {
      allowedOrigins: [origin],
      allowPrivateAddresses: true,
      fetch: ((url, init) => fetch(url, { ...init, redirect: "follow" })) satisfies FetchFn,
    };
    return { server, origin, options };
  };

  it("is unknown, and no answer to a lookup", async () => {
    const { server, origin, options } = await elsewhere();
    const request = (method: string) => () => ({ method, url: `${origin}/orders` });
    expect(await run({ ...options, request: request("POST") })).toEqual({ ok: "unknown", code: "http_redirect" });
    expect(await run({ ...options, request: request("GET") })).toMatchObject({ ok: false, code: "http_redirect" });
    const executor = anExecutor({
      ...options,
      reconcile: { request: request("GET"), decide: () => ({ state: "applied" }) },
    });
    expect(await executor.reconcile!(anAction(), anAttempt())).toEqual({ state: "unknown" });
    await closed(server);
  });
});

describe("the outcome hook", () => {
  it("has the last word, knowing the answer and the usual outcome", async () => {
    const seen: unknown[] = [];
    const result = await run({
      ...answering('{"error":"already done"}', { status: 409, headers: { "content-type": "application/json" } }),
      outcome: ({ status, value, method, keyed, body }, usual) => {
        seen.push({ status, value, method, keyed, body }, usual);
        return { ok: true, value };
      },
    });
    expect(result).toEqual({ ok: true, value: { error: "already done" } });
    expect(seen).toEqual([
      { status: 409, value: { error: "already done" }, method: "POST", keyed: false, body: "parsed" },
      { ok: false, code: "http_409", retryable: false },
    ]);
  });

  it("is told of a problem's type, status and instance", async () => {
    const details = { type: "/problems/credit", title: "s3cr3t", status: 403, detail: "s3cr3t", instance: "/orders/7" };
    const problems: unknown[] = [];
    const outcome: HttpExecutorOptions["outcome"] = ({ problem }, usual) => {
      problems.push(problem);
      return usual;
    };
    const type = { "content-type": "application/problem+json" };
    await run({ ...answering(JSON.stringify(details), { status: 403, headers: type }), outcome });
    await run({ ...answering("{", { status: 403, headers: type }), outcome });
    expect(problems).toEqual([{ type: "/problems/credit", status: 403, instance: "/orders/7" }, undefined]);
  });

  it("can say that a 2xx is not applied, or unknown", async () => {
    const ok = answering("queued", { status: 202 });
    expect(await run({ ...ok, outcome: () => ({ ok: false, code: "queue_full" }) })).toEqual({
      ok: false,
      code: "queue_full",
    });
    expect(await run({ ...ok, outcome: () => ({ ok: "unknown", code: "queued" }) })).toEqual({
      ok: "unknown",
      code: "queued",
    });
    for (const code of ["Bearer s3cr3t", undefined, { toString: () => "fine" }] as string[]) {
      const outcome = () => ({ ok: "unknown", code }) as const;
      expect(await run({ ...ok, outcome })).toEqual({ ok: "unknown", code: "invalid_code" });
    }
  });

  it("can believe a 503 of a service that guarantees what it means, with the wait that it asks for", async () => {
    const outcome: HttpExecutorOptions["outcome"] = ({ status }, usual) =>
      status === 503 && usual.ok === "unknown" ? { ...usual, ok: false } : usual;
    const busy = answering(null, { status: 503, headers: { "retry-after": "7" } });
    expect(await run({ ...busy, outcome })).toEqual({ ok: false, code: "http_503", retryAfterMs: 7000 });
    expect(await run(busy)).toEqual({ ok: "unknown", code: "http_503" });
  });

  it("is not asked about a request that was not answered", async () => {
    const outcome = () => expect.unreachable();
    expect(await run({ fetch: () => Promise.reject(new TypeError("x")), outcome })).toEqual({
      ok: "unknown",
      code: "network_error",
    });
  });
});

describe("reconcile", () => {
  const readOrders = () => ({ method: "GET", url: `${ORIGIN}/orders` });
  const lookup = (answer: () => Response | Promise<Response>, options: Partial<HttpExecutorOptions> = {}) => {
    const { fetch, calls } = fakeFetch(answer);
    const executor = anExecutor({
      fetch,
      reconcile: {
        request: (_action, { idempotencyKey }) => ({
          method: "POST",
          url: `${ORIGIN}/search`,
          body: { key: idempotencyKey },
        }),
        decide: ({ status, value }) => {
          if (status === 200) return { state: "applied", value };
          return { state: status === 404 ? "not_applied" : "unknown" };
        },
      },
      ...options,
    });
    return { verdict: executor.reconcile!(anAction(), anAttempt({ idempotencyKey: "key-1" })), calls };
  };

  it("S3.3 gives the verdict that `decide` reads out of the answer", async () => {
    const verdicts = [new Response("receipt"), new Response("", { status: 404 }), new Response("", { status: 500 })];
    expect(await Promise.all(verdicts.map((answer) => lookup(() => answer).verdict))).toEqual([
      { state: "applied", value: "receipt" },
      { state: "not_applied" },
      { state: "unknown" },
    ]);
  });

  it("does not send the action's key as its own", async () => {
    const { verdict, calls } = lookup(() => new Response("receipt"));
    await verdict;
    expect(calls[0]!.init.body).toBe('{"key":"key-1"}');
    expect(calls[0]!.headers).not.toHaveProperty("idempotency-key");
  });

  it("S3.3 stays unknown when the lookup is not answered", async () => {
    const failing = () => Promise.reject(Object.assign(new TypeError("x"), { cause: { code: "ECONNREFUSED" } }));
    expect(await lookup(failing).verdict).toEqual({ state: "unknown" });
    const { signal } = new AbortController();
    const aborted = AbortSignal.abort();
    for (const given of [signal, aborted]) {
      const executor = anExecutor({ reconcile: { request: readOrders, decide: () => ({ state: "unknown" }) } });
      expect(await executor.reconcile!(anAction(), anAttempt({ signal: given }))).toEqual({ state: "unknown" });
    }
  });

  it("S3.3 S9.1 fails by a name when it cannot work, so that its event tells it from an honest `unknown`", async () => {
    const asking = async (reconcile: Partial<HttpReconcile>) => {
      const { fetch } = fakeFetch(() => new Response("s3cr3t"));
      const decide = () => ({ state: "applied" }) as const;
      const executor = anExecutor({ fetch, reconcile: { request: readOrders, decide, ...reconcile } });
      const error: unknown = await Promise.resolve(executor.reconcile!(anAction(), anAttempt())).catch(
        (thrown: unknown) => thrown,
      );
      expect(inspect(error, { showHidden: true, depth: null })).not.toContain("s3cr3t");
      return error;
    };
    const named = (code: string) => ({ name: "HttpLookupError", code, message: `lookup failed: ${code}` });
    const elsewhere = () => ({ method: "GET", url: "https://lookup.test/s3cr3t" });
    expect(await asking({ request: elsewhere })).toMatchObject(named("origin_not_allowed"));
    const throwing = () => {
      throw new Error("s3cr3t");
    };
    expect(await asking({ request: throwing })).toMatchObject(named("request_failed"));
    const refusing = () => Promise.reject(new NotAppliedError("no_key"));
    expect(await asking({ request: refusing })).toMatchObject(named("no_key"));
    for (const none of [{ state: "Applied" }, { state: "s3cr3t" }, "applied", true, null, undefined]) {
      expect(await asking({ decide: () => none as never })).toMatchObject(named("invalid_verdict"));
    }
    for (const state of ["applied", "not_applied", "unknown"] as const) {
      expect(await asking({ decide: () => ({ state }) })).toEqual({ state });
    }
  });
});

describe("an unknown outcome", () => {
  it("S9.1 is thrown without message, cause, URL, header or body of the failure", async () => {
    const leak = Object.assign(new TypeError("fetch https://s3cr3t failed"), {
      cause: new Error("s3cr3t"),
      headers: "s3cr3t",
    });
    const executor = anExecutor({
      fetch: () => Promise.reject(leak),
      headers: { authorization: "s3cr3t" },
      request: () => ({ method: "POST", url: `${ORIGIN}/?token=s3cr3t`, body: "s3cr3t" }),
    });
    const error: unknown = await Promise.resolve(executor.execute(anAction(), anAttempt())).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      name: "HttpUnknownError",
      code: "network_error",
      message: "outcome unknown: network_error",
    });
    expect(inspect(error, { showHidden: true, depth: null })).not.toContain("s3cr3t");
  });
});

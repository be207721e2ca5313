import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { isEocError } from "../../src/errors.js";
import { MAX_DEPTH } from "../../src/redaction/copy-value.js";
import { createRedactor, type RedactorOptions } from "../../src/redaction/redactor.js";
import { textsIn } from "./texts-in.js";

const redactor = createRedactor();
const { redact } = redactor;

describe("S9.3 the redactor", () => {
  it("works on a copy, and gives the same copy with and without a manifest", () => {
    const log = {
      password: "hunter2",
      list: [{ token: "x" }],
      date: new Date(0),
      map: new Map([["a", [1]]]),
      set: new Set([{}]),
    };
    const before = structuredClone(log);

    const copy = redact(log) as typeof log;
    expect(log).toStrictEqual(before);
    expect(copy).toStrictEqual({ ...before, password: "[REDACTED]", list: [{ token: "[REDACTED]" }] });
    expect(redactor.redactWithManifest(log).value).toStrictEqual(copy);
    for (const [name, member] of Object.entries(log)) {
      if (typeof member === "object") expect(copy[name as keyof typeof log]).not.toBe(member);
    }
    expect(copy.map.get("a")).not.toBe(log.map.get("a"));
  });

  it("does not read the input again", () => {
    const log = { a: { b: "x" } };
    const copy = redact(log) as typeof log;
    log.a.b = "y";

    expect(copy.a.b).toBe("x");
  });

  it("gives primitives back as they are, and masks a secret text at the root", () => {
    for (const value of [null, undefined, true, 0, -0, Number.NaN, 12n, "", "plain"]) expect(redact(value)).toBe(value);
    expect(redact("password=hunter2")).toBe("password=[REDACTED]");
  });

  it("masks whatever is under a secret name", () => {
    for (const value of [null, true, 1, 1n, "", "x", [], {}, new Map(), new Date(0), () => 1, Symbol("s"), undefined]) {
      expect(redact({ password: value })).toEqual({ password: "[REDACTED]" });
    }
  });

  it("walks a container under a name that is secret by accident", () => {
    const log = { authors: [{ name: "Jane", password: "x" }], keywords: ["a", "b"] };

    expect(redact(log)).toEqual({ authors: [{ name: "Jane", password: "[REDACTED]" }], keywords: ["a", "b"] });
    expect(redact({ author: "Jane" })).toEqual({ author: "[REDACTED]" });
  });

  it("leaves null, booleans and undefined under the wider vocabulary", () => {
    const log = {
      cookie: true,
      otp: null,
      jwt: undefined,
      pin: 1234,
      creds: ["a"],
      nonce: 7,
      headers: { host: "a" },
      salt: "x",
    };

    expect(redact(log)).toEqual({
      ...{ cookie: true, otp: null, jwt: undefined, pin: "[REDACTED]", creds: "[REDACTED]" },
      ...{ nonce: 7, headers: { host: "a" }, salt: "[REDACTED]" },
    });
  });

  it("masks the value that stands beside the name of a secret", () => {
    const log = [
      { name: "password", value: "x" },
      { value: ["x"], field: "api_key", note: "n" },
      { label: "jwt", Content: 12 },
      { name: "password", value: null },
      { name: "page size", value: 50 },
      { name: "max_tokens", value: 50 },
      { value: "x" },
    ];

    expect(redact(log)).toEqual([
      { name: "password", value: "[REDACTED]" },
      { value: "[REDACTED]", field: "api_key", note: "n" },
      { label: "jwt", Content: "[REDACTED]" },
      ...log.slice(3),
    ]);
  });

  it("masks the second of a pair in a list of pairs, if the first names a secret", () => {
    const pairs = [
      ["authorization", "x"],
      ["host", "y"],
      ["x-api-key", "z", "more"],
      ["password", true],
    ];

    expect(redact(pairs)).toEqual([["authorization", "[REDACTED]"], ...pairs.slice(1)]);
    expect(redact(["password", "x"])).toEqual(["password", "x"]);
  });

  it("masks secrets in keys, and keeps keys apart that become equal", () => {
    const log = {
      "token=a": 1,
      "token=b": 2,
      plain: 3,
      "token=[REDACTED]": 4,
      "redis://:x@host": { deep: "password=x" },
    };
    const copy = redact(log);

    expect(copy).toEqual({
      "token=[REDACTED]": "[REDACTED]",
      "token=[REDACTED] (2)": "[REDACTED]",
      plain: 3,
      "token=[REDACTED] (4)": "[REDACTED]",
      "redis://:[REDACTED]@host": { deep: "password=[REDACTED]" },
    });
    expect(redact(copy)).toEqual(copy);
  });

  it("does not take a key for free that another key becomes", () => {
    const own = createRedactor({ secrets: ["hunter2"] });

    expect(own.redact({ "[REDACTED]": 1, "[REDACTED] (2)": 2, hunter2: 3 })).toEqual({
      "[REDACTED]": 1,
      "[REDACTED] (2)": 2,
      "[REDACTED] (3)": 3,
    });
    expect(own.redact({ hunter2: 1, "[REDACTED]": 2 })).toEqual({ "[REDACTED]": 1, "[REDACTED] (2)": 2 });
    expect(own.redact({ a: 1, hunter2: 2, "[REDACTED] (3)": 3, "[REDACTED]": 4 })).toEqual({
      ...{ a: 1, "[REDACTED]": 2, "[REDACTED] (3)": 3, "[REDACTED] (4)": 4 },
    });
  });

  it("keeps keys named __proto__ as keys, and pollutes nothing", () => {
    const log = JSON.parse(
      '{"__proto__": {"password": "x", "polluted": 1}, "constructor": {"prototype": {"polluted": 2}}}',
    );
    const copy = redact(log) as object;

    expect(Object.keys(copy)).toEqual(["__proto__", "constructor"]);
    expect(JSON.stringify(copy)).toBe(JSON.stringify(log).replace('"x"', '"[REDACTED]"'));
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect({}).not.toHaveProperty("polluted");
  });

  it("keeps objects without a prototype so, and leaves symbols out", () => {
    const bare = Object.assign(Object.create(null), { a: 1, [Symbol("password")]: "x" });
    const copy = redact(bare) as object;

    expect(Object.getPrototypeOf(copy)).toBe(null);
    expect(Reflect.ownKeys(copy)).toEqual(["a"]);
  });

  it("does not take a secret for masked because a mask stands before it", () => {
    expect(redact("password=[REDACTED]hunter2, ?sig=[REDACTED]hunter2")).toBe("password=[REDACTED], ?sig=[REDACTED]");
    expect(redact('{"token": "[REDACTED]hunter2"}')).toBe('{"token": "[REDACTED]"}');
    expect(redact("token [REDACTED], (password=[REDACTED])")).toBe("token [REDACTED], (password=[REDACTED])");
  });

  it("redacts redacted data to the same", () => {
    const log = {
      password: ["x"],
      note: "Bearer abc123",
      e: new Error("token=1a"),
      m: new Map([["pwd", 1]]),
      f: () => 1,
      b: new Uint8Array(2),
    };
    const once = redact(log);

    expect(redact(once)).toStrictEqual(once);
    expect(redactor.redactWithManifest(once).manifest).toEqual([]);
  });
});

describe("S9.3 what the redactor makes of other objects", () => {
  it("copies maps and sets, keys included", () => {
    const inner = { token: "x" };
    const map = new Map<unknown, unknown>([
      ["password", 1],
      ["token=a", 2],
      ["token=b", 3],
      [inner, "Bearer abc123"],
      [5, inner],
      ["n", "v"],
    ]);

    expect(redact(map)).toEqual(
      new Map<unknown, unknown>([
        ...([
          ["password", "[REDACTED]"],
          ["token=[REDACTED]", "[REDACTED]"],
          ["token=[REDACTED] (3)", "[REDACTED]"],
        ] as const),
        ...([
          [{ token: "[REDACTED]" }, "Bearer [REDACTED]"],
          [5, { token: "[REDACTED]" }],
          ["n", "v"],
        ] as const),
      ]),
    );
    expect(redact(new Set(["Bearer abc123", "Bearer abc456", inner, 1]))).toEqual(
      new Set(["Bearer [REDACTED]", { token: "[REDACTED]" }, 1]),
    );
  });

  it("copies dates, invalid ones too", () => {
    expect(redact([new Date(5), new Date(Number.NaN)])).toEqual([new Date(5), new Date(Number.NaN)]);
  });

  it("keeps the name and the masked message of an error, and nothing else", () => {
    class HttpError extends Error {
      override name = "HttpError";
      config = { headers: { authorization: "x" } };
    }
    const error = new HttpError("GET https://bob:hunter2@example.com failed", { cause: new Error("hunter2") });

    expect(redact({ error })).toEqual({
      error: { name: "HttpError", message: "GET https://bob:[REDACTED]@example.com failed" },
    });
    expect(redact(new TypeError("x"))).toEqual({ name: "TypeError", message: "x" });
    expect(redact(Object.assign(new Error("x"), { name: "password: hunter2" }))).toEqual({
      name: "Error",
      message: "x",
    });
    expect(redact(Object.assign(new Error("x"), { name: 7, message: { a: 1 } }))).toEqual({
      name: "Error",
      message: "",
    });
  });

  it("knows built-in objects of another realm", () => {
    expect(
      redact(runInNewContext("[new Error('token=1a'), new Map([['pwd', 'x']]), new Date(5), {pwd: 'x'}]")),
    ).toEqual([
      { name: "Error", message: "token=[REDACTED]" },
      new Map([["pwd", "[REDACTED]"]]),
      new Date(5),
      { pwd: "[REDACTED]" },
    ]);
  });

  it("replaces bytes, functions and symbols", () => {
    const bytes = [
      new Uint8Array(3),
      new Float64Array(1),
      new DataView(new ArrayBuffer(1)),
      new ArrayBuffer(2),
      new SharedArrayBuffer(2),
    ];

    expect(redact([...bytes, () => "hunter2", class Hunter2 {}, Symbol("hunter2")])).toEqual([
      ...["[BINARY]", "[BINARY]", "[BINARY]", "[BINARY]", "[BINARY]", "[FUNCTION]", "[FUNCTION]", "[SYMBOL]"],
    ]);
  });

  it("unwraps boxed primitives and regular expressions", () => {
    const boxed = [Object("Bearer abc123"), Object(1), Object(true), /password=hunter2/i];

    expect(redact(boxed)).toEqual(["Bearer [REDACTED]", 1, true, "/password=[REDACTED]"]);
  });

  it("copies the own members of other instances", () => {
    class Account {
      user = "bob";
      password = "hunter2";
      #pin = 1234;
      get pin() {
        return this.#pin;
      }
    }

    const copy = redact(new Account()) as object;
    expect(copy).toEqual({ user: "bob", password: "[REDACTED]" });
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  it("takes what toJSON says of an instance, once", () => {
    class Chatty {
      toJSON(): unknown {
        return { token: "x", again: new Url(), self: this };
      }
    }
    class Url {
      toJSON() {
        return "https://bob:hunter2@example.com/";
      }
    }
    class Endless {
      n = 1;
      toJSON() {
        return new Endless();
      }
    }

    expect(redact(new Url())).toBe("https://bob:[REDACTED]@example.com/");
    expect(redact([new URL("https://bob:hunter2@example.com")])).toEqual(["https://bob:[REDACTED]@example.com/"]);
    expect(redact({ end: new Endless() })).toEqual({ end: { n: 1 } });
    expect(redact(Object.assign(new Chatty(), { secret: 1 }))).toMatchObject({ token: "[REDACTED]" });
    expect(redact({ toJSON: () => "hunter2" })).toEqual({ toJSON: "[FUNCTION]" });
  });

  it("keeps long and sparse arrays", () => {
    const long = Array.from({ length: 100_001 }, (_, index) => index as unknown);
    long[100_000] = { pwd: "x" };
    const sparse: unknown[] = [];
    sparse[4_000_000_000] = "Bearer abc123";
    Object.assign(sparse, { extra: "x" });
    const copy = redact({ long, sparse }) as { long: unknown[]; sparse: unknown[] };

    expect(copy.long.length).toBe(100_001);
    expect(copy.long[99_999]).toBe(99_999);
    expect(copy.long[100_000]).toEqual({ pwd: "[REDACTED]" });
    expect(Object.entries(copy.sparse)).toEqual([["4000000000", "Bearer [REDACTED]"]]);
    // biome-ignore lint/suspicious/noSparseArray: a hole is the case.
    expect(redact([1, , 3])).toEqual([1, undefined, 3]);
  });
});

describe("S9.3 what the redactor survives", { timeout: 60_000 }, () => {
  it("cycles are marked, and shared objects are copied at each place", () => {
    const shared = { token: "x" };
    const log: Record<string, unknown> = { first: shared, second: [shared] };
    log["self"] = log;
    log["map"] = new Map([["up", log]]);
    log["set"] = new Set([log]);

    expect(redact(log)).toEqual({
      first: { token: "[REDACTED]" },
      second: [{ token: "[REDACTED]" }],
      self: "[CIRCULAR]",
      map: new Map([["up", "[CIRCULAR]"]]),
      set: new Set(["[CIRCULAR]"]),
    });
  });

  it("goes as deep as the limit, whatever the nesting is made of", () => {
    for (const wrap of [
      (value: unknown) => ({ n: value }),
      (value: unknown) => [value],
      (value: unknown) => new Map([["n", value]]),
    ]) {
      let deep: unknown = { password: "hunter2" };
      for (let depth = 0; depth < 100_000; depth++) deep = wrap(deep);
      let copy = redact(deep);
      let depth = 0;
      for (; typeof copy === "object" && copy !== null; depth++) {
        copy = copy instanceof Map ? copy.get("n") : Object.values(copy)[0];
      }
      expect([depth, copy]).toEqual([MAX_DEPTH + 1, "[TOO_DEEP]"]);
    }
  });

  it("leaves the depth of ordinary data alone, so that the copy can be written as JSON", () => {
    let deep: unknown = { password: "hunter2" };
    for (let depth = 0; depth < MAX_DEPTH; depth++) deep = [deep];

    expect(JSON.stringify(redact(deep))).toBe(JSON.stringify(deep).replace("hunter2", "[REDACTED]"));
  });

  it("stops at a bound where shared references or getters would go on for ever", () => {
    let shared: unknown = [];
    for (let level = 0; level < 40; level++) shared = [shared, shared];
    class Endless {
      constructor() {
        for (const name of ["left", "right"]) {
          Object.defineProperty(this, name, { enumerable: true, get: () => new Endless() });
        }
      }
    }

    for (const value of [shared, new Endless()]) {
      const { value: copy, manifest } = redactor.redactWithManifest(value);
      expect(textsIn(copy)).toContain("[TRUNCATED]");
      expect(manifest).toContainEqual(expect.objectContaining({ by: "value", rule: "truncated" }));
    }
  });

  it("getters, proxies and impostors that throw are marked", () => {
    const fail = () => {
      throw new Error("hunter2");
    };
    const thrower = (target: object, ...traps: string[]) =>
      new Proxy(target, Object.fromEntries(traps.map((trap) => [trap, fail])));
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const liar = (length: unknown) =>
      new Proxy([], { get: (target, key) => (key === "length" ? length : Reflect.get(target, key)) });

    expect(
      redact([
        {
          get a() {
            return fail();
          },
          b: 1,
          get password() {
            return fail();
          },
        },
        {
          name: "n",
          get value() {
            return fail();
          },
        },
        {
          get name() {
            return fail();
          },
          value: "v",
        },
        thrower({}, "ownKeys"),
        thrower({}, "getPrototypeOf"),
        thrower({ a: 1 }, "get"),
        thrower([1, 2], "get"),
        thrower(new Map(), "get"),
        new Proxy(new Map(), {}),
        new Proxy(new Date(0), {}),
        revoked.proxy,
        ...["Map", "Set", "Date", "String", "Number", "Boolean"].map((tag) => ({
          __proto__: {},
          [Symbol.toStringTag]: tag,
        })),
        Object.defineProperty(new Error(), "message", { get: fail }),
        new (class {
          toJSON = fail;
        })(),
        liar({ valueOf: fail }),
        liar(Number.NaN),
        liar(-1),
        liar(2),
        liar(1e308),
      ]),
    ).toEqual([
      { a: "[UNREADABLE]", b: 1, password: "[REDACTED]" },
      { name: "n", value: "[UNREADABLE]" },
      { name: "[UNREADABLE]", value: "v" },
      ...["[UNREADABLE]", "[UNREADABLE]"],
      { a: "[UNREADABLE]" },
      ...["[UNREADABLE]", "[UNREADABLE]", "[UNREADABLE]", "[UNREADABLE]", "[UNREADABLE]"],
      ...Array.from({ length: 6 }, () => "[UNREADABLE]"),
      ...["[UNREADABLE]", "[UNREADABLE]", "[UNREADABLE]"],
      ...[[], [], [undefined, undefined], []],
    ]);
  });

  it("a pattern of the user's that overflows the engine's stack masks the whole text", () => {
    const own = createRedactor({ valuePatterns: [/(?:.|\n)*x/] });

    expect(own.redact("a".repeat(2 ** 26))).toBe("[REDACTED]");
  });
});

describe("the redactor's options", () => {
  it("mask also by the user's own names, patterns and secrets, with the user's own mask", () => {
    const own = createRedactor({
      keys: ["customer_ref"],
      allowKeys: ["max_tokens"],
      valuePatterns: [/\bCUST-\d+/y, /[a-z]+@corp/i],
      secrets: ["correct horse"],
      mask: "***",
    });
    const log = {
      customerRef: true,
      max_tokens: 5,
      token: 1,
      note: "CUST-1 and CUST-22 wrote to JANE@corp: correct horse",
    };

    expect(own.redact(log)).toEqual({
      customerRef: "***",
      max_tokens: 5,
      token: "***",
      note: "*** and *** wrote to ***: ***",
    });
    expect(own.redact(own.redact(log))).toEqual(own.redact(log));
  });

  it("take a mask of any characters, also of those that end a secret", () => {
    for (const mask of ["** not shown **", "<gone>", "'x'", "a=b", "$&"]) {
      const { redact: own } = createRedactor({ mask });
      expect(own("/x?sig=abc&y=1")).toBe(`/x?sig=${mask}&y=1`);
      expect(own(own("password=abc; n=1"))).toBe(`password=${mask}; n=1`);
    }
  });

  it("do not change the user's patterns, nor what is masked already", () => {
    const pattern = /[A-Z]+/g;
    pattern.lastIndex = 3;
    const own = createRedactor({ valuePatterns: [pattern] });

    expect(own.redact("ab CD [REDACTED]")).toBe("ab [REDACTED] [REDACTED]");
    expect(pattern.lastIndex).toBe(3);
  });

  it.each<[string, unknown]>([
    ["keys is not an array", { keys: "password" }],
    ["keys[1] is not a name with a letter or digit in it", { keys: ["a", "--"] }],
    ["keys[0] is not a name with a letter or digit in it", { keys: [7] }],
    ["allowKeys[0] is not a name with a letter or digit in it", { allowKeys: [""] }],
    ["valuePatterns[0] is not a regular expression that leaves the empty text alone", { valuePatterns: ["x"] }],
    ["valuePatterns[0] is not a regular expression that leaves the empty text alone", { valuePatterns: [/x*/] }],
    ["secrets[0] is not a string", { secrets: [1234] }],
    ["mask is not a string with something in it", { mask: "" }],
    ["mask is not a string with something in it", { mask: 7 }],
    ["mask itself looks like a secret", { mask: "password=x" }],
  ])("are refused when wrong: %s", (message, options) => {
    let refusal: unknown;
    try {
      createRedactor(options as RedactorOptions);
    } catch (error) {
      refusal = error;
    }

    expect(isEocError(refusal)).toBe(true);
    expect(refusal).toMatchObject({ code: "invalid_option", message });
  });

  it("remember a bounded number of keys, and judge every other one the same", () => {
    const log = Object.fromEntries(
      Array.from({ length: 5000 }, (_, n) => [n % 2 === 0 ? `field_${n}` : `token_${n}`, n]),
    );
    const copy = redact([log, log, { [`${"k".repeat(200)}_password`]: 1 }]) as Record<string, unknown>[];

    expect(copy[0]).toEqual(copy[1]);
    expect(Object.values(copy[0] ?? {}).filter((value) => value === "[REDACTED]")).toHaveLength(2500);
    expect(Object.values(copy[2] ?? {})).toEqual(["[REDACTED]"]);
  });
});

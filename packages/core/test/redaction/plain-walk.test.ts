import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor } from "../../src/redaction/redactor.js";

const { redact, redactWithManifest } = createRedactor({ secrets: ["271828", "correct horse"] });

/** The copy that is made by frames, which any value can take. */
const theLongWay = (value: unknown) => redactWithManifest(value).value;

function nested(depth: number, leaf: unknown): unknown {
  return depth === 0 ? leaf : { in: nested(depth - 1, leaf) };
}

function inACycle(): unknown {
  const outer: Record<string, unknown> = { password: "a", list: [] };
  outer["self"] = outer;
  (outer["list"] as unknown[]).push(outer, { outer });
  return outer;
}

const throwing = (name: string) => Object.defineProperty({ a: "token=abc123" }, name, { enumerable: true, get: fail });

function fail(): never {
  throw new Error("unreadable");
}

const usual = {
  "texts, numbers and nothing": { a: "x", b: 1, c: null, d: undefined, e: true, f: 2n, g: "password=hunter2" },
  "secret names": { password: "p", auth: { a: 1 }, key: ["a"], pwd: null, session: { id: 1 }, otp: 5, nonce: "n" },
  "a declared number": { a: 271828, b: [271828, 3], c: "correct horse" },
  lists: [1, ["a", "b"], ["password", "x"], [["password", "x"]], [["password", null]], [[["token", { a: 1 }]]]],
  "a list with holes": { list: Object.assign([1, 2, 3], { length: 5 }) },
  "a name beside its value": [
    { name: "password", value: "x" },
    { value: ["x"], name: "token" },
    { name: "colour", value: "x" },
    { data: { password: "x", plain: "y" } },
    { field: "token", data: null },
  ],
  "a shared object": (() => {
    const shared = { password: "x", a: ["y"] };
    return { one: shared, two: shared, three: [shared] };
  })(),
  "no prototype": Object.assign(Object.create(null), { a: { secret: "x" } }),
};

const unusual = {
  "a cycle": inACycle(),
  "a deep one": nested(40, { password: "x", list: [["password", "x"]] }),
  "a very deep one": nested(1100, "x"),
  "a getter that throws": { a: throwing("b"), password: throwing("c") },
  "names with secrets in them": { a: 1, "token=abc123 xyz": { "token=abc123 xyz": 1, "token=def456 xyz": 2 } },
  "names like a mask": { "[REDACTED]": 1, "token=abc123": 2 },
  __proto__: JSON.parse('{"a":{"__proto__":{"password":"x"}},"__proto__":1}'),
  instances: {
    map: new Map([["password", "x"]]),
    set: new Set([["token", "x"]]),
    date: new Date(5),
    error: new Error("e"),
  },
  "a pair in a map": new Map<unknown, unknown>([["a", [["password", "x"]]]]),
  "an instance in a pair": [
    ["password", new Date(1)],
    ["password", new Map([["a", 1]])],
  ],
  "functions and symbols": [() => 1, Symbol("s"), { f() {} }],
  "a proxy that lies": {
    list: new Proxy([1, 2], { get: (list, key) => (key === "length" ? "2" : Reflect.get(list, key)) }),
  },
  "a proxy that throws": { a: new Proxy({}, { ownKeys: fail }), b: new Proxy({}, { getPrototypeOf: fail }) },
  "a long list": Object.assign([], { length: 200_000, 7: "token=abc123" }),
};

describe("S9.3 plain data is copied by recursion", () => {
  for (const [name, value] of Object.entries({ ...usual, ...unusual })) {
    it(`and comes out as on the long way: ${name}`, () => {
      const copy = redact(value);

      expect(copy).toStrictEqual(theLongWay(value));
      expect(copy).not.toBe(value);
    });
  }

  it("whatever it is", () => {
    const key = fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom("password", "auth", "name", "value", "data", "key", "session", "__proto__", "token=a1b2c3"),
    );
    const value = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 20, depthSize: "medium" },
        fc.constantFrom<unknown>("password", "token=a1b2c3", "harmless", 271828, 5, null, undefined, true, new Date(1)),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.array(fc.tuple(key, tie("value")), { maxLength: 2 }),
        fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: false }),
        fc.dictionary(key, tie("value"), { maxKeys: 2 }).map((members) => new Map(Object.entries(members))),
      ),
    })).value;

    fc.assert(
      fc.property(value, (some) => {
        expect(redact(some)).toStrictEqual(theLongWay(some));
      }),
      { numRuns: 2000 },
    );
  });

  it("keeps what every object inherits out of the copies", () => {
    const { prototype } = Object;
    let copy: unknown;
    Object.defineProperty(prototype, "inherited", { value: "x", enumerable: true, configurable: true, writable: true });
    try {
      copy = redact({ a: { b: "c" } });
    } finally {
      Reflect.deleteProperty(prototype, "inherited");
    }
    expect(Object.keys(copy as object)).toEqual(["a"]);
  });
});

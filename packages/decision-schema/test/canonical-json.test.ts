import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, isSchemaError } from "../src/index.ts";
import { decodeVector } from "./vectors.ts";

const rfc = JSON.parse(readFileSync(new URL("./vectors/rfc8785.json", import.meta.url), "utf8"));

function doubleOf(hex: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${hex}`));
  return view.getFloat64(0);
}

function issueOf(value: unknown) {
  try {
    canonicalJson(value);
  } catch (error) {
    if (isSchemaError(error) && error.code === "invalid_json") return error.issues[0];
    throw error;
  }
  throw new Error("accepted");
}

// Numbers and strings as the RFC wants them, since JSON.parse(JSON.stringify(−0)) is 0 and fc makes lone surrogates on request only.
const json = () => fc.jsonValue({ stringUnit: "binary", maxDepth: 6 });

describe("canonicalJson", () => {
  it("writes the sample of RFC 8785, section 3.2.2, as the bytes of section 3.2.4", () => {
    expect(Buffer.from(canonicalJson(JSON.parse(rfc.sample)), "utf8").toString("hex")).toBe(rfc.sampleBytes);
  });

  it("sorts the keys of section 3.2.3 by UTF-16 code units", () => {
    const text = canonicalJson(JSON.parse(rfc.sorting));
    expect(text.match(/(?<=:")[^"]+/g)).toEqual(rfc.sortedValues);
  });

  it.each(rfc.numbers as [string, string][])("writes the double %s of appendix B as %s", (hex, text) => {
    expect(canonicalJson(doubleOf(hex))).toBe(text);
    expect(canonicalJson([{ n: doubleOf(hex) }])).toBe(`[{"n":${text}}]`);
  });

  it.each(rfc.notNumbers as string[])("refuses the double %s of appendix B", (hex) => {
    expect(issueOf(doubleOf(hex))).toMatchObject({ path: "", expected: "a finite number" });
  });

  it("means what JSON means: parsing it gives the value back", () => {
    fc.assert(
      fc.property(json(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("is one text for one value: parsing and writing it again changes nothing", () => {
    fc.assert(
      fc.property(json(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it("writes every double so that it is read back exactly", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(JSON.parse(canonicalJson(number)) === number).toBe(true);
      }),
    );
  });

  it("writes objects with keys that may be indexes as it writes all others", () => {
    expect(canonicalJson({ b: 1, 10: 2, 9: 3, "": 4, a: { 2: 1, 10: [{ 1: 0 }] } })).toBe(
      '{"":4,"10":2,"9":3,"a":{"10":[{"1":0}],"2":1},"b":1}',
    );
    fc.assert(
      fc.property(json(), (value) => {
        expect(canonicalJson({ 0: value })).toBe(`{"0":${canonicalJson(value)}}`);
      }),
    );
  });

  it("sorts few keys and many alike", () => {
    const names = fc.uniqueArray(
      fc.string({ unit: "binary", maxLength: 3 }).filter((name) => !/[\ud800-\udfff]/u.test(name)),
    );
    fc.assert(
      fc.property(fc.oneof(names, fc.uniqueArray(fc.string(), { minLength: 20, maxLength: 40 })), (keys) => {
        const text = canonicalJson(Object.fromEntries(keys.map((key) => [key, 1])));
        expect(text).toBe(`{${keys.toSorted().map((key) => `${JSON.stringify(key)}:1`)}}`);
      }),
    );
  });

  it("writes what the value holds, whatever JSON.stringify was told to write instead", () => {
    for (const prototype of [Object.prototype, Array.prototype]) {
      Object.defineProperty(prototype, "toJSON", { value: () => "other", configurable: true });
      try {
        expect(canonicalJson({ b: [1], a: {} })).toBe('{"a":{},"b":[1]}');
      } finally {
        Reflect.deleteProperty(prototype, "toJSON");
      }
    }
  });

  it("skips members that are undefined and keys that are symbols", () => {
    expect(canonicalJson({ b: undefined, a: 1, [Symbol("s")]: 2 })).toBe('{"a":1}');
  });

  it("keeps an own key named __proto__ and pollutes nothing", () => {
    const hostile = JSON.parse('{"z":1,"__proto__":{"polluted":true}}');
    expect(canonicalJson(hostile)).toBe('{"__proto__":{"polluted":true},"z":1}');
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("takes objects without a prototype and lists with their own iterator for what they hold", () => {
    const list = Object.assign([1, 2], { [Symbol.iterator]: () => [9][Symbol.iterator]() });
    expect(canonicalJson(Object.assign(Object.create(null), { list }))).toBe('{"list":[1,2]}');
  });

  it("writes 1000 levels and refuses more, however deep", () => {
    const nest = (depth: number) => decodeVector({ $nest: { kind: "dict", depth, key: "k", leaf: 1 } });
    expect(canonicalJson(nest(1000))).toHaveLength(1000 * 6 + 1);
    expect(issueOf(nest(1001))).toMatchObject({ expected: "fewer nested levels and no cycle", received: "object" });
    expect(issueOf(nest(100_000))!.path.length).toBeLessThan(300);
  });

  it("refuses values that share parts so often that writing them would never end", () => {
    let value: unknown = "leaf";
    for (let level = 0; level < 100; level++) value = [value, value];
    expect(issueOf(value)).toMatchObject({ expected: "at most 1000000 values" });
  });

  const cycle: Record<string, unknown> = {};
  cycle["self"] = [cycle];
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  it.each([
    ["undefined", undefined, "", "JSON", "undefined"],
    ["undefined in a list", { a: [1, undefined] }, "a[1]", "JSON", "undefined"],
    ["a gap in a list", { a: new Array(1) }, "a[0]", "JSON", "undefined"],
    ["NaN", [{ "x y": Number.NaN }], '[0]["x y"]', "a finite number", "NaN"],
    ["Infinity", { a: Number.NEGATIVE_INFINITY }, "a", "a finite number", "-Infinity"],
    ["a bigint", { a: 1n }, "a", "JSON", "bigint"],
    ["a symbol", { a: Symbol("secret") }, "a", "JSON", "symbol"],
    ["a function", { a: { toJSON: () => 1 } }, "a.toJSON", "JSON", "function"],
    ["a lone surrogate", ["\ud800x"], "[0]", "a string without lone surrogates", "string"],
    ["a lone surrogate in a key", { "a\udc00": 1 }, '["a\\udc00"]', "a key without lone surrogates", "number"],
    ["a date", { at: new Date(0) }, "at", "a plain object", "object"],
    ["a map", new Map(), "", "a plain object", "object"],
    ["a boxed string", { a: new String("x") }, "a", "a plain object", "object"],
    ["a class instance", { a: new (class Secret {})() }, "a", "a plain object", "object"],
    [
      "a throwing getter",
      Object.defineProperty({}, "a", { enumerable: true, get: fail }),
      "",
      "a value that can be read",
      "object",
    ],
    ["a revoked proxy", revoked.proxy, "", "a value that can be read", "object"],
  ])("refuses %s, naming the place and the type", (_name, value, path, expected, received) => {
    expect(issueOf(value)).toEqual({ path, expected, received });
  });

  it("refuses a cycle", () => {
    expect(issueOf(cycle)).toMatchObject({ expected: "fewer nested levels and no cycle" });
  });
});

function fail(): never {
  throw new Error("hunter2");
}

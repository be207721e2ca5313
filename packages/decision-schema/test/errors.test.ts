import { describe, expect, it } from "vitest";
import * as z from "zod";
import { isSchemaError, SchemaError, toIssues } from "../src/index.ts";

const issues = (schema: z.ZodType, input: unknown) => toIssues(schema.safeParse(input).error!, input);

describe("toIssues", () => {
  it("writes paths that can be read", () => {
    const schema = z.object({ list: z.array(z.object({ "a b": z.string(), "": z.string() })), $ok_1: z.string() });
    expect(issues(schema, { list: [{ "a b": 1, "": 1 }], $ok_1: 1 }).map(({ path }) => path)).toEqual([
      'list[0]["a b"]',
      'list[0][""]',
      "$ok_1",
    ]);
  });

  it("says what was expected, whatever kind of schema refuses", () => {
    const expectations = (schema: z.ZodType, input: unknown) => issues(schema, input).map(({ expected }) => expected);
    expect(expectations(z.int(), 1.5)).toEqual(["int"]);
    expect(expectations(z.literal([1n, "a", null]), 5)).toEqual(['1 | "a" | null']);
    expect(expectations(z.string().min(2), "a")).toEqual(["length >= 2"]);
    expect(expectations(z.string().max(2), "abc")).toEqual(["length <= 2"]);
    expect(expectations(z.number().min(2), 1)).toEqual([">= 2"]);
    expect(expectations(z.number().max(2), 3)).toEqual(["<= 2"]);
    expect(
      expectations(
        z.custom((value) => value === 1, "the number one"),
        2,
      ),
    ).toEqual(["the number one"]);
  });

  it("gives one issue per unknown key, with its path", () => {
    expect(issues(z.strictObject({ in: z.strictObject({}) }), { in: { a: 1, b: 2 } })).toEqual([
      { path: "in.a", expected: "no such key" },
      { path: "in.b", expected: "no such key" },
    ]);
  });

  it.each([
    [null, "null"],
    [[], "array"],
    [Number.NaN, "NaN"],
    [5, "number"],
    [() => 0, "function"],
    [new Map(), "object"],
  ])("says that %o was received as %s, when it is given the input", (value, received) => {
    expect(issues(z.object({ a: z.string() }), { a: value })).toEqual([{ path: "a", expected: "string", received }]);
    expect(toIssues(z.object({ a: z.string() }).safeParse({ a: value }).error!)).toEqual([
      { path: "a", expected: "string" },
    ]);
  });

  it("goes without the type where the input does not let itself be read", () => {
    const { error } = z.object({ a: z.object({ b: z.string() }) }).safeParse({ a: { b: 1 } });
    const hostile = Object.defineProperty({}, "a", {
      get: () => {
        throw new Error("hunter2");
      },
    });
    expect(toIssues(error!, hostile)).toEqual([{ path: "a.b", expected: "string" }]);
  });

  it("says of what is of another type only that, though zod measures whatever has a length", () => {
    const schema = z.object({ id: z.string().min(1).max(2) });
    const { error } = schema.safeParse({ id: [] });
    expect(error!.issues.map(({ code }) => code)).toEqual(["invalid_type", "too_small"]);
    expect(issues(schema, { id: [] })).toEqual([{ path: "id", expected: "string", received: "array" }]);
    expect(issues(schema, { id: { length: Number.NaN } })).toHaveLength(1);
    expect(issues(schema, { id: "" })).toEqual([{ path: "id", expected: "length >= 1", received: "string" }]);
  });

  it("gives at most 50", () => {
    expect(issues(z.array(z.string()), new Array(1000).fill(1))).toHaveLength(50);
    const unknown = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`k${n}`, n]));
    expect(issues(z.strictObject({}), unknown)).toHaveLength(50);
  });
});

describe("SchemaError", () => {
  it("is an error with a code, issues and a message made of them", () => {
    const error = new SchemaError("invalid_json", [
      { path: "", expected: "JSON", received: "bigint" },
      { path: "a[0]", expected: "no such key" },
    ]);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "SchemaError", code: "invalid_json" });
    expect(error.message).toBe("invalid_json: input: expected JSON, received bigint; a[0]: expected no such key");
  });

  it("is recognised by its brand, also when another copy of the package made it", () => {
    const ofAnotherCopy = Object.assign(new Error(), { [Symbol.for("@eoc/decision-schema/SchemaError")]: true });
    expect(isSchemaError(new SchemaError("invalid_json", []))).toBe(true);
    expect(isSchemaError(ofAnotherCopy)).toBe(true);
  });

  it.each([null, undefined, "invalid_json", new Error("invalid_json"), { code: "invalid_json", issues: [] }])(
    "is not %o",
    (value) => {
      expect(isSchemaError(value)).toBe(false);
    },
  );

  it("is not a revoked proxy, and that does not throw", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(isSchemaError(proxy)).toBe(false);
  });
});

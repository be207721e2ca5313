import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import * as z from "zod";
import {
  canonicalJson,
  checkJson,
  createFinalDecision,
  createProposal,
  digestDecision,
  ExecutionContextSchema,
  FinalDecisionSchema,
  isCompatible,
  isSchemaError,
  MAX_JSON_DEPTH,
  MismatchInfoSchema,
  PacketV2Schema,
  ProposalSchema,
  packetFromDict,
  parseVersion,
  sha256Hex,
  toIssues,
  validateExternal,
} from "../src/index.ts";
import { decodeVector } from "./vectors.ts";

const nest = (kind: "dict" | "list", depth: number) => decodeVector({ $nest: { kind, depth, key: "k", leaf: 1 } });

const cycle: { self?: unknown } = {};
cycle.self = [cycle];

const hostile: [string, unknown][] = [
  ["__proto__ keys", JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')],
  ["a cycle", cycle],
  ["100k nested objects", nest("dict", 100_000)],
  ["100k nested lists", nest("list", 100_000)],
  ["a lone surrogate", { "\udfff": "\ud800" }],
  ["NaN", { n: Number.NaN }],
  ["a bigint", { n: 2n ** 64n }],
  ["a function", { toJSON: () => "hunter2" }],
  ["a huge gap", { list: new Array(2 ** 32 - 1) }],
  ["a prototype chain", Object.create({ action: "ACT", params: { polluted: true } })],
  ["a long key", { ["k".repeat(1_000_000)]: () => 0 }],
];

// Every way in, with the hostile value in every place that takes one.
const waysIn: [string, (value: unknown) => unknown][] = [
  ["FinalDecisionSchema", (value) => FinalDecisionSchema.parse(value)],
  ["FinalDecisionSchema.params", (params) => FinalDecisionSchema.parse({ action: "ACT", params })],
  ["FinalDecisionSchema.actions", (actions) => FinalDecisionSchema.parse({ action: "ACT", actions })],
  ["FinalDecisionSchema.actions[0]", (value) => FinalDecisionSchema.parse({ action: "ACT", actions: [value] })],
  ["FinalDecisionSchema.x", (x) => FinalDecisionSchema.parse({ action: "ACT", x })],
  ["MismatchInfoSchema.metadata", (metadata) => MismatchInfoSchema.parse({ metadata })],
  [
    "ProposalSchema.features_summary",
    (value) => ProposalSchema.parse({ action: "ACT", confidence: 0, features_summary: value }),
  ],
  ["PacketV2Schema", (value) => PacketV2Schema.parse(value)],
  ["ExecutionContextSchema", (value) => ExecutionContextSchema.parse(value)],
  ["createFinalDecision", (value) => createFinalDecision(value as never)],
  ["createProposal", (value) => createProposal(value as never)],
  ["packetFromDict", (value) => packetFromDict(value)],
  [
    "packetFromDict external",
    (external) =>
      packetFromDict({ run_id: "r", step: 0, input: {}, external, mdm: {}, final_action: {}, latency_ms: 0 }),
  ],
  ["digestDecision", (value) => digestDecision(value as never)],
  ["digestDecision params", (params) => digestDecision({ action: "ACT", params } as never)],
  ["canonicalJson", (value) => canonicalJson(value)],
  ["checkJson", (value) => checkJson(value)],
  [
    "validateExternal",
    (value) => validateExternal(value, { requireRegistryForPrefixes: ["__proto__", "constructor"] }),
  ],
  ["isCompatible", (value) => isCompatible(value as string, { major: 0 })],
  ["parseVersion", (value) => parseVersion(value as string)],
];

afterEach(() => {
  const clean = Object.getOwnPropertyNames(Object.prototype).filter((name) => name === "polluted" || name === "k");
  expect(clean).toEqual([]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

describe.each(waysIn)("%s", (_name, take) => {
  it.each(hostile)("answers %s with a result or a typed error", (_what, value) => {
    try {
      take(value);
    } catch (error) {
      if (!isSchemaError(error) && !(error instanceof z.ZodError)) throw error;
      const issues = error instanceof z.ZodError ? toIssues(error, value) : error.issues;
      expect(issues.length).toBeGreaterThan(0);
      expect(JSON.stringify(issues)).not.toContain("hunter2");
      for (const { path } of issues) expect(path.length).toBeLessThan(300);
    }
  });
});

describe("nesting", () => {
  it.each(["dict", "list"] as const)(
    `is accepted up to ${MAX_JSON_DEPTH} levels of params and not beyond: %s`,
    (kind) => {
      const accepts = (depth: number) =>
        FinalDecisionSchema.safeParse({ action: "ACT", params: { p: nest(kind, depth) } }).success;
      expect([1, MAX_JSON_DEPTH - 1, MAX_JSON_DEPTH, 100_000].map(accepts)).toEqual([true, true, false, false]);
    },
  );

  it("of everything that a schema accepts can be digested", () => {
    const params = { p: nest("dict", MAX_JSON_DEPTH - 1) };
    expect(
      digestDecision({ action: "ACT", actions: [{ action: "ACT", params }], x: { y: params["p"] } } as never),
    ).toHaveLength(64);
  });
});

describe("checkJson", () => {
  it("finds nothing in JSON, and only what canonicalJson refuses", () => {
    const value = fc.anything({
      withBigInt: true,
      withDate: true,
      withSparseArray: true,
      withNullPrototype: true,
      withMap: true,
      maxDepth: 4,
    });
    fc.assert(
      fc.property(value, (candidate) => {
        const issues = checkJson(candidate);
        let refused = false;
        try {
          canonicalJson(candidate);
        } catch {
          refused = true;
        }
        expect(issues.length).toBe(refused ? 1 : 0);
      }),
    );
  });

  it("gives up after a million values", () => {
    let value: unknown = 1;
    for (let level = 0; level < 100; level++) value = { left: value, right: value };
    expect(checkJson(value)).toMatchObject([{ expected: "at most 1000000 values" }]);
  });

  it("takes a value from another realm for what it is", async () => {
    const { runInNewContext } = await import("node:vm");
    expect(checkJson(runInNewContext("({ list: [1, { a: null }] })"))).toEqual([]);
    expect(checkJson(runInNewContext("({ at: new Date(0) })"))).toHaveLength(1);
  });
});

describe("sha256Hex", () => {
  it("agrees for no two texts that differ only in lone surrogates, since it takes none", () => {
    for (const text of ["\ud800", "\udc00\ud800", "a\udfffb"]) expect(() => sha256Hex(text)).toThrow(/lone surrogates/);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { ExecutionContextSchema, FinalDecisionSchema, readContext, readDecision } from "../src/index.ts";
import { readVectors } from "./vectors.ts";

const text = fc.oneof(
  fc.constantFrom("", "a", "HOLD", "ACT", "once", "none", "x".repeat(257)),
  fc.string(),
  fc.string({ unit: "binary" }),
);
const number = fc.oneof(fc.constantFrom(0, -0, -1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY), fc.nat());
const scalar = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.constantFrom(null, undefined, 1n, Symbol("s"), () => 0),
);
const key = fc.oneof(fc.constantFrom("a", "b", "__proto__", "\ud800", "toJSON"), fc.string());
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(key, tie("json"), { maxKeys: 3 }),
    fc.constantFrom(new Date(0), new Map(), Object.create(null), Object.create({ inherited: 1 })),
  ),
}));

/** Mostly what belongs there, and now and then anything. */
const mostly = (...good: readonly unknown[]) =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: json });
const record = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc
    .tuple(fc.record(fields, { requiredKeys: [] }), fc.oneof(fc.constant({}), fc.dictionary(key, json, { maxKeys: 2 })))
    .map(([known, unknown]) => ({ ...unknown, ...known }));
const params = fc.oneof(
  fc.dictionary(key, json, { maxKeys: 3 }),
  mostly({}, null, undefined, { n: [1, { deep: "x" }] }),
);
const action = mostly("ACT", "HOLD", "EXIT", "CANCEL", "STOP");
const duration = mostly(0, 5, null, undefined);
const texts = mostly([], ["a"], null, undefined, ["a", "b"]);
const decision = record({
  action,
  allowed: mostly(true, false, undefined),
  reasons: texts,
  actions: fc.oneof(
    mostly(undefined, null, []),
    fc.array(
      record({
        action,
        id: mostly("a", "b", "c", null, undefined),
        params,
        effect: mostly("once", "idempotent", "none", null),
        idempotency_key: mostly("k", null, undefined),
      }),
      { maxLength: 3 },
    ),
  ),
  mismatch: fc.oneof(
    mostly(undefined, null),
    record({ flags: texts, reason_codes: texts, throttle_refresh_ms: duration, metadata: params }),
  ),
  throttle_ms: duration,
  cooldown_ms: duration,
  params,
});
const context = record({ now_ms: mostly(5, null), ops_cooldown_until_ms: mostly(7, undefined), session_id: json });

/** Whether all of it is frozen, down to the leaves. */
function isDeepFrozen(value: unknown): boolean {
  return (
    typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(isDeepFrozen))
  );
}

/** What only the schema takes: a key that the copy could not carry as it is, text that is not well-formed in a key, an unusual prototype. */
function isUnusual(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype && prototype !== Array.prototype) return true;
  return Object.keys(value).some(
    (name) =>
      name === "__proto__" || /[\ud800-\udfff]/u.test(name) || isUnusual((value as Record<string, unknown>)[name]),
  );
}

function agrees(schema: z.ZodType, read: (value: unknown) => unknown, value: unknown): "taken" | "left" | "refused" {
  const judged = schema.safeParse(value);
  const taken = read(value);
  if (taken === undefined) {
    expect(!judged.success || isUnusual(value)).toBe(true);
    return judged.success ? "left" : "refused";
  }
  expect(judged.success).toBe(true);
  expect(taken).toEqual(judged.data);
  expect(isDeepFrozen(taken)).toBe(true);
  return "taken";
}

describe("readDecision and readContext", () => {
  for (const [name, schema, read, arbitrary] of [
    ["decision", FinalDecisionSchema, readDecision, fc.oneof({ weight: 9, arbitrary: decision }, json)],
    ["context", ExecutionContextSchema, readContext, fc.oneof({ weight: 9, arbitrary: context }, json)],
  ] as const) {
    it(`take what the schema takes of a ${name}, copied and frozen, and nothing else`, () => {
      const seen = { taken: 0, left: 0, refused: 0 };
      fc.assert(
        fc.property(arbitrary, (value) => {
          seen[agrees(schema, read, value)]++;
        }),
        { numRuns: 4000, seed: 11 },
      );
      expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(400);
    });
  }

  it("agree with the schema on the reference's decisions", () => {
    const { section } = readVectors(new URL("./vectors/types.json", import.meta.url));
    const inputs = ["cases", "upstream_gaps", "python_quirks"].flatMap(section).map(({ input }) => input["fields"]);
    for (const input of inputs) agrees(FinalDecisionSchema, readDecision, input);
    expect(inputs.length).toBeGreaterThan(50);
  });

  it.each([
    [
      "a getter that throws",
      Object.defineProperty({ action: "ACT" }, "params", {
        enumerable: true,
        get: () => {
          throw new Error("hunter2");
        },
      }),
    ],
    [
      "a proxy that throws",
      new Proxy(
        { action: "ACT" },
        {
          ownKeys: () => {
            throw new Error("hunter2");
          },
        },
      ),
    ],
    [
      "a revoked proxy",
      (() => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      })(),
    ],
    [
      "a cycle",
      (() => {
        const loop: Record<string, unknown> = { action: "ACT" };
        loop["params"] = { loop };
        return loop;
      })(),
    ],
    ["a list with a huge gap", { action: "ACT", actions: new Array(2 ** 32 - 1) }],
    ["a list in params with a huge gap", { action: "ACT", params: { list: new Array(2 ** 31) } }],
  ])("leave %s to the schema", (_, value) => {
    expect(readDecision(value)).toBeUndefined();
    expect(readContext(value)).toBeUndefined();
  });

  it("read every member once, so that what was judged is what is kept", () => {
    let reads = 0;
    const twoFaced = Object.defineProperty({ action: "ACT" }, "params", {
      enumerable: true,
      get: () => ({ cents: reads++ === 0 ? 1 : 1_000_000 }),
    });
    expect(readDecision(twoFaced)).toMatchObject({ params: { cents: 1 } });
    expect(reads).toBe(1);
  });

  it("keep nothing of the caller's: later changes do not show", () => {
    const given = { action: "ACT" as const, params: { list: [{ n: 1 }] }, note: { deep: ["x"] } };
    const taken = readDecision(given);
    given.params.list[0]!.n = 2;
    given.note.deep.push("y");
    expect(taken).toEqual({
      action: "ACT",
      allowed: true,
      reasons: [],
      params: { list: [{ n: 1 }] },
      note: { deep: ["x"] },
    });
  });
});

import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  digestDecision,
  type FinalDecisionInput,
  FinalDecisionSchema,
  isSchemaError,
  sha256Hex,
} from "../src/index.ts";

const full: FinalDecisionInput = {
  action: "ACT",
  allowed: true,
  reasons: ["approved"],
  actions: [
    { action: "CANCEL", id: "a", params: { order: "o-1" }, effect: "idempotent", idempotency_key: "k" },
    { action: "ACT", id: "b", params: { n: 1, deep: [{ x: true }] } },
  ],
  mismatch: { flags: ["f"], reason_codes: ["c"], throttle_refresh_ms: 5, metadata: { m: 1 } },
  throttle_ms: 10,
  cooldown_ms: 20,
  params: { p: 1 },
  unknown_field: { u: [1, 2] },
};

function shuffled(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, random));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, shuffled(member, random)] as const);
  return Object.fromEntries(entries.sort(() => random() - 0.5));
}

/** Every copy of `value` with one leaf changed or one member more, and where. */
function* changes(value: unknown, path: string): Generator<{ path: string; changed: unknown }> {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      for (const { path: where, changed } of changes(item, `${path}[${i}]`))
        yield { path: where, changed: value.with(i, changed) };
    }
    yield { path: `${path}.length`, changed: value.slice(0, -1) };
  } else if (typeof value === "object" && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      for (const { path: where, changed } of changes(member, `${path}.${key}`))
        yield { path: where, changed: { ...value, [key]: changed } };
    }
    yield { path: `${path} + a key`, changed: { ...value, another: 0 } };
    yield { path: `${path} + __proto__`, changed: JSON.parse(`${JSON.stringify(value).slice(0, -1)},"__proto__":1}`) };
  } else if (typeof value === "string") {
    const others: Record<string, string> = { ACT: "EXIT", CANCEL: "STOP", idempotent: "none" };
    yield { path, changed: others[value] ?? `${value}x` };
  } else yield { path, changed: typeof value === "number" ? value + 1 : !value };
}

const json = fc.jsonValue({ maxDepth: 3 });
const jsonObject = fc.dictionary(fc.string(), json, { maxKeys: 4 });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const decisions: fc.Arbitrary<FinalDecisionInput> = fc
  .record(
    {
      action: fc.constantFrom("HOLD", "ACT", "EXIT", "CANCEL", "STOP"),
      allowed: fc.boolean(),
      reasons: optional(fc.array(fc.string())),
      actions: optional(
        fc.array(fc.record({ action: fc.constant("ACT"), params: jsonObject }, { requiredKeys: ["action"] })),
      ),
      mismatch: optional(
        fc.record({ flags: fc.array(fc.string()), metadata: optional(jsonObject) }, { requiredKeys: [] }),
      ),
      throttle_ms: optional(fc.nat()),
      params: optional(jsonObject),
      extra: json,
    },
    { requiredKeys: ["action"] },
  )
  .map((decision) => decision as FinalDecisionInput);

describe("sha256Hex", () => {
  it.each(["", "abc", "€ 😀 \u0000", "x".repeat(10_000)])("agrees with node:crypto", (text) => {
    expect(sha256Hex(text)).toBe(createHash("sha256").update(text, "utf8").digest("hex"));
  });

  it("refuses a lone surrogate, which UTF-8 would turn into another text", () => {
    expect(() => sha256Hex("\ud800")).toThrow(expect.objectContaining({ code: "invalid_text" }));
  });
});

describe("digestDecision", () => {
  it("S1.8 is the SHA-256 of the canonical JSON, so that other languages can compute it", () => {
    const canonical = '{"action":"ACT","allowed":true,"params":{"b":1},"reasons":[]}';
    expect(digestDecision({ params: { b: 1 }, action: "ACT" })).toBe(sha256Hex(canonical));
  });

  it("is equal in any key order, at any depth", () => {
    fc.assert(
      fc.property(decisions, fc.gen(), (decision, gen) => {
        const other = shuffled(decision, () => gen(fc.double, { min: 0, max: 1, noNaN: true }));
        expect(digestDecision(other as FinalDecisionInput)).toBe(digestDecision(decision));
      }),
    );
  });

  it("is equal for a decision and what the schema reads from it", () => {
    fc.assert(
      fc.property(decisions, (decision) => {
        expect(digestDecision(FinalDecisionSchema.parse(decision))).toBe(digestDecision(decision));
      }),
    );
  });

  const short: FinalDecisionInput = { action: "ACT", actions: [{ action: "ACT" }], mismatch: {} };
  const item = { id: null, params: null, effect: null, idempotency_key: null };
  it.each<[string, FinalDecisionInput]>([
    ["allowed", { ...short, allowed: true }],
    ["empty reasons", { ...short, reasons: [] }],
    ["null reasons", { ...short, reasons: null }],
    ["null for absent", { ...short, throttle_ms: null, cooldown_ms: null, params: null }],
    ["undefined for absent", { ...short, throttle_ms: undefined, params: undefined, extra: undefined }],
    ["null in an action", { ...short, actions: [{ action: "ACT", ...item }] }],
    [
      "null in the mismatch",
      { ...short, mismatch: { flags: null, reason_codes: [], throttle_refresh_ms: null, metadata: null } },
    ],
  ])("is equal when a default is written out: %s", (_name, written) => {
    expect(digestDecision(written)).toBe(digestDecision(short));
  });

  it("is equal for −0 and 0, and for 1 and 1.0", () => {
    expect(digestDecision({ action: "ACT", throttle_ms: -0, params: { n: -0 } })).toBe(
      digestDecision({ action: "ACT", throttle_ms: 0, params: { n: 0 } }),
    );
    expect(digestDecision(JSON.parse('{"action":"ACT","params":{"n":1.0}}'))).toBe(
      digestDecision({ action: "ACT", params: { n: 1 } }),
    );
  });

  it("is different for a change of any value in any place", () => {
    const digests = new Map([[digestDecision(full), "the decision itself"]]);
    const places = [...changes(full, "decision")];
    expect(places.length).toBeGreaterThan(40);
    for (const { path, changed } of places) {
      const digest = digestDecision(changed as FinalDecisionInput);
      expect(digests.get(digest), path).toBeUndefined();
      digests.set(digest, path);
    }
  });

  it.each<[string, FinalDecisionInput, FinalDecisionInput]>([
    ["an empty list of actions and none", { action: "ACT", actions: [] }, { action: "ACT" }],
    ["empty params and none", { action: "ACT", params: {} }, { action: "ACT" }],
    ["null in an unknown key and no such key", { action: "ACT", extra: null }, { action: "ACT" }],
    ["null in params and nothing", { action: "ACT", params: { a: null } }, { action: "ACT", params: {} }],
    [
      "an effect and the default left to the policy",
      { action: "ACT", actions: [{ action: "ACT", effect: "once" }] },
      { action: "ACT", actions: [{ action: "ACT" }] },
    ],
    [
      "the order of actions",
      { action: "ACT", actions: [{ action: "ACT" }, { action: "STOP" }] },
      { action: "ACT", actions: [{ action: "STOP" }, { action: "ACT" }] },
    ],
    ["a number and its text", { action: "ACT", params: { n: 1 } }, { action: "ACT", params: { n: "1" } }],
  ])("is different for %s", (_name, one, other) => {
    expect(digestDecision(one)).not.toBe(digestDecision(other));
  });

  it("refuses what is not a decision, with the schema's issues", () => {
    expect(() => digestDecision({ action: "BUY" } as never)).toThrow(
      expect.objectContaining({ code: "invalid_decision", issues: [expect.objectContaining({ path: "action" })] }),
    );
  });

  it("refuses a decision that answers once and then throws", () => {
    let reads = 0;
    const shifty = {
      action: "ACT" as const,
      get mismatch() {
        if (reads++ > 0) throw new Error("hunter2");
        return {};
      },
    };
    expect(() => digestDecision(shifty)).toThrow(expect.toSatisfy(isSchemaError));
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  EXTERNAL_KEY_REGISTRY,
  isValidContextKey,
  isValidExternalKey,
  isValidTraceKey,
  RESERVED_NAMESPACES,
  type ValidateExternalOptions,
  validateExternal,
} from "../src/index.ts";
import { readVectors, type VectorCase } from "./vectors.ts";

const vectors = readVectors(new URL("./vectors/trace_keys.json", import.meta.url));

function run({ input }: VectorCase): unknown {
  const { op, key, mode, require_registry_for_prefixes } = input;
  switch (op) {
    case "is_valid_trace_key":
      return isValidTraceKey(key);
    case "is_valid_context_key":
      return isValidContextKey(key);
    case "is_valid_external_key":
      return isValidExternalKey(key, mode as "both" | undefined);
    default: {
      const entries = input["external_entries"] as [unknown, unknown][] | undefined;
      return validateExternal(entries ? new Map(entries) : input["external"], {
        mode: mode as "both" | undefined,
        requireRegistryForPrefixes: require_registry_for_prefixes as string[] | undefined,
      });
    }
  }
}

describe("trace_keys.json", () => {
  it("has the operations that this file knows", () => {
    const all = [...vectors.section("cases"), ...vectors.section("python_quirks")];
    expect(all).toHaveLength(643 + 55);
    expect(new Set(all.map(({ input }) => input["op"]))).toEqual(
      new Set(["is_valid_trace_key", "is_valid_context_key", "is_valid_external_key", "validate_external_dict"]),
    );
  });

  it("agrees on the registered keys and the reserved namespaces", () => {
    const { registered_keys, registered_key_owners, registered_key_introduced_in, reserved_namespaces } =
      vectors.reference;
    const theirs = Object.entries(EXTERNAL_KEY_REGISTRY).filter(([, { owner }]) => owner !== "@eoc/core");
    expect(theirs.map(([key]) => key).sort()).toEqual(registered_keys);
    expect(Object.fromEntries(theirs.map(([key, { owner }]) => [key, owner]))).toEqual(registered_key_owners);
    expect(Object.fromEntries(theirs.map(([key, entry]) => [key, entry.introduced_in]))).toEqual(
      registered_key_introduced_in,
    );
    expect(RESERVED_NAMESPACES).toEqual(reserved_namespaces);
  });

  describe("cases", () => {
    it.each(vectors.section("cases"))("$name", (vector) => {
      expect(run(vector)).toEqual(vector.expected.value);
    });
  });

  describe("Python quirks", () => {
    const quirks = (category: string) =>
      vectors.section("python_quirks").filter((quirk) => quirk.category === category);
    const newlines = quirks("dollar_newline");
    const newlineDictionaries = quirks("dollar_newline_validate");
    const offType = quirks("non_string_argument");
    const agreeing = ["non_string_keys", "integer_like_keys", "string_as_prefixes"].flatMap(quirks);

    it("handles every one of them", () => {
      const handled = [newlines, newlineDictionaries, offType, agreeing].map((cases) => cases.length);
      expect(handled.reduce((sum, count) => sum + count)).toBe(vectors.section("python_quirks").length);
    });

    it.each(newlines)("refuses a key that ends in a newline: $name", (vector) => {
      expect(run(vector)).toBe(false);
    });

    it.each(newlineDictionaries)("reports every key that ends in a newline: $name", (vector) => {
      const errors = run(vector) as string[];
      const newlineKeys = Object.keys(vector.input["external"] as object).filter((key) => key.endsWith("\n"));
      expect(newlineKeys).toHaveLength(3);
      for (const key of newlineKeys) {
        expect(errors).toContainEqual(expect.stringMatching(/^INV-T1:invalid_(context_|trace_)?key_format:/));
        expect(errors.filter((error) => error.endsWith(`_key_format:${key}`))).toHaveLength(1);
      }
    });

    it.each(offType)("answers false for what is no string: $name", (vector) => {
      expect(run(vector)).toBe(false);
    });

    it.each(agreeing)("agrees, with a Map for keys that an object cannot hold: $name", (vector) => {
      expect(run(vector)).toEqual(vector.expected.value);
    });
  });
});

describe("EXTERNAL_KEY_REGISTRY", () => {
  it("registers valid trace keys of reserved namespaces, each described", () => {
    for (const [key, { description, introduced_in }] of Object.entries(EXTERNAL_KEY_REGISTRY)) {
      expect(isValidTraceKey(key)).toBe(true);
      expect(RESERVED_NAMESPACES).toContain(key.split(".")[0]);
      expect(introduced_in).toMatch(/^0\.2\.\d+$/);
      expect(description).toMatch(/^[A-Z].*\.$/);
    }
  });

  it("registers what @eoc/trace writes", () => {
    const names = "status reason plan_hash execution_id unknown_count replayed_count halt_latency_ms cooldown_until_ms";
    const external = Object.fromEntries(names.split(" ").map((name) => [`exec.${name}`, 0]));
    expect(validateExternal(external, { mode: "trace", requireRegistryForPrefixes: RESERVED_NAMESPACES })).toEqual([]);
  });
});

describe("validateExternal", () => {
  it("takes an object's own keys only", () => {
    expect(validateExternal(Object.create({ "Not Valid": 1 }))).toEqual([]);
  });

  it("takes undefined for an absent dictionary", () => {
    expect(validateExternal(undefined, { mode: "trace" })).toEqual([]);
  });

  it("gives one error per wrong key, in the order of the keys, whatever the keys are", () => {
    const options = fc.record<ValidateExternalOptions>({
      mode: fc.constantFrom("context", "trace", "both"),
      requireRegistryForPrefixes: fc.subarray([...RESERVED_NAMESPACES, "__proto__"]),
    });
    const key = fc.oneof(
      fc.string(),
      fc.stringMatching(/^(exec|ops|__proto__|a)\.[a-z_]{1,8}$/),
      fc.constant("__proto__"),
    );
    fc.assert(
      fc.property(fc.uniqueArray(key), options, (keys, given) => {
        const errors = validateExternal(new Map(keys.map((name) => [name, 1])), given);
        const wrong = keys.filter((name) => validateExternal(new Map([[name, 1]]), given).length === 1);
        expect(errors.map((error) => error.replace(/^INV-T1:[a-z_]+:/, ""))).toEqual(wrong);
      }),
    );
  });
});

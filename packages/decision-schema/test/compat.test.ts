import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isCompatible, isSchemaError, parseVersion, SCHEMA_VERSION, type VersionRange } from "../src/index.ts";
import { readVectors, type VectorCase } from "./vectors.ts";

const vectors = readVectors(new URL("./vectors/compat.json", import.meta.url));

function compatible({ input }: VectorCase): boolean {
  const { schema_version, schema_version_parts, expected_major, min_minor, max_minor } = input;
  const version = Array.isArray(schema_version_parts) ? schema_version_parts.join("") : schema_version;
  return isCompatible(
    version as string,
    { major: expected_major, minMinor: min_minor, maxMinor: max_minor } as VersionRange,
  );
}

describe("compat.json", () => {
  it("has the operations that this file knows", () => {
    const all = [...vectors.section("cases"), ...vectors.section("python_quirks")];
    expect(all).toHaveLength(243 + 59);
    expect(new Set(all.map(({ input }) => input["op"]))).toEqual(
      new Set(["is_compatible", "parse_version", "get_current_version"]),
    );
  });

  describe("cases", () => {
    it.each(vectors.section("cases"))("$name", (vector) => {
      const { input, expected } = vector;
      if (input["op"] === "get_current_version") expect(SCHEMA_VERSION).toBe(expected.value);
      else if (input["op"] === "is_compatible") expect(compatible(vector)).toBe(expected.value);
      else if (expected.raises) expect(() => parseVersion(input["version"] as string)).toThrow("invalid_version");
      else expect(Object.values(parseVersion(input["version"] as string))).toEqual(expected.value);
    });
  });

  describe("Python quirks: what only Python's int() reads is no version", () => {
    it.each(vectors.section("python_quirks"))("$name", (vector) => {
      const { op, version } = vector.input;
      if (op === "is_compatible") expect(compatible(vector)).toBe(false);
      else expect(() => parseVersion(version as string)).toThrow(expect.toSatisfy(isSchemaError));
    });
  });
});

describe("parseVersion", () => {
  it("reads back what it is given", () => {
    const part = fc.maxSafeNat();
    fc.assert(
      fc.property(part, part, part, (major, minor, patch) => {
        expect(parseVersion(`${major}.${minor}.${patch}`)).toEqual({ major, minor, patch });
      }),
    );
  });

  it("says what it expected, not what it was given", () => {
    expect(() => parseVersion("hunter2")).toThrow(
      "invalid_version: input: expected a version such as 0.2.2, received string",
    );
  });
});

describe("isCompatible", () => {
  it("answers for any string, and with true only for what starts with the major", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.\-+ ]*$/)), fc.nat(3), (version, major) => {
        if (isCompatible(version, { major })) expect(version).toMatch(new RegExp(`^0*${major}(\\.|$)`));
      }),
    );
  });

  it.each([Number.NaN, 1.5, "0", true])("is false when a bound is %s", (bound) => {
    expect(isCompatible("0.2.2", { major: 0, minMinor: bound as number })).toBe(false);
    expect(isCompatible("1.2.2", { major: 1, maxMinor: bound as number })).toBe(false);
  });
});

import { describe, expect, it } from "vitest";
import { readVectors, type VectorCase } from "../../../decision-schema/test/vectors.js";
import { createRedactor } from "../../src/redaction/redactor.js";
import { textsIn } from "./texts-in.js";

interface LogCase extends VectorCase {
  readonly input: { readonly log_data?: unknown; readonly log_data_entries?: readonly (readonly [unknown, unknown])[] };
  readonly secrets?: readonly string[];
  readonly required?: "must" | "should";
}

const vectors = readVectors(new URL("../vectors/redaction.json", import.meta.url));
const section = (name: string) => vectors.section(name) as readonly LogCase[];
const { redact } = createRedactor();

/** What survived of the secrets planted in a case. */
function survivors({ secrets = [] }: LogCase, output: unknown): string[] {
  const texts = textsIn(output);
  return secrets.filter((secret) => texts.some((text) => text.includes(secret)));
}

describe("S9.3 the reference's vectors", () => {
  it.each(section("cases"))("gives exactly what the reference gives: $name", ({ input, expected }) => {
    expect(redact(input.log_data)).toStrictEqual(expected.value);
  });

  it.each(section("upstream_leaks"))("masks what the reference leaks ($required): $name", (leak) => {
    expect(survivors(leak, redact(leak.input.log_data))).toEqual([]);
  });

  it.each(section("strictness_dependent"))("lets no secret out of a container: $name", (dependent) => {
    expect(survivors(dependent, redact(dependent.input.log_data))).toEqual([]);
  });

  it.each(section("python_quirks"))("takes what the reference fails on: $name", (quirk) => {
    const log = quirk.input.log_data ?? new Map(quirk.input.log_data_entries);
    expect(survivors(quirk, redact(log))).toEqual([]);
  });
});

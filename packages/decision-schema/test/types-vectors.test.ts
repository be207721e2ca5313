import { describe, expect, it } from "vitest";
import {
  ActionSchema,
  clampConfidence,
  createFinalDecision,
  createMismatchInfo,
  createProposal,
  ensureNonEmptyReasons,
  type FinalDecisionInput,
  finalDecisionToDict,
  isSchemaError,
  type MismatchInfoInput,
  mismatchInfoToDict,
  type ProposalInput,
  packetFromDict,
  packetToDict,
  proposalToDict,
  SCHEMA_VERSION,
  toParams,
} from "../src/index.ts";
import { readVectors, type VectorCase } from "./vectors.ts";

const vectors = readVectors(new URL("./vectors/types.json", import.meta.url));

// These operations belong to other packages, whose tests run the same file.
const opsOfOthers: Readonly<Record<string, string>> = {
  attempt: "@eoc/core",
  plan: "@eoc/core",
  policy_defaults: "@eoc/core",
  report_external: "@eoc/trace",
  report_wire: "@eoc/trace",
  add_execution_trace: "@eoc/trace",
};

const ops: Readonly<Record<string, (input: VectorCase["input"]) => unknown>> = {
  proposal: ({ fields }) => proposalToDict(createProposal(fields as ProposalInput)),
  final_decision: ({ fields }) => finalDecisionToDict(createFinalDecision(fields as FinalDecisionInput)),
  mismatch_info: ({ fields }) => mismatchInfoToDict(createMismatchInfo(fields as MismatchInfoInput)),
  packet: ({ fields }) => packetToDict(packetFromDict(fields)),
  packet_from_dict: ({ data }) => packetToDict(packetFromDict(data)),
  packet_from_dict_input_after: ({ data }) => packetToDict(packetFromDict(data)),
  packet_from_dict_twice: ({ data }) => {
    failureOf(() => packetFromDict(data));
    return packetToDict(packetFromDict(data));
  },
  to_params: ({ of, fields }) =>
    toParams(
      of === "proposal" ? createProposal(fields as ProposalInput) : createFinalDecision(fields as FinalDecisionInput),
    ),
  action: ({ value }) => ActionSchema.parse(value),
  clamp_confidence: ({ value }) => clampConfidence(value as number),
  proposal_with_clamped_confidence: ({ value }) =>
    proposalToDict(createProposal({ action: "ACT", confidence: clampConfidence(value as number) })),
  ensure_non_empty_reasons: ({ value }) => ensureNonEmptyReasons(value as string[] | null),
};

function ours(section: string): VectorCase[] {
  return vectors.section(section).filter(({ input }) => !Object.hasOwn(opsOfOthers, input["op"] as string));
}

function run({ input }: VectorCase): unknown {
  return ops[input["op"] as string]!(input);
}

function failureOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

// −0 equals 0 in the vectors.
function withoutNegativeZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe("types.json", () => {
  it("skips nothing but the operations of other packages", () => {
    const skipped = ["cases", "upstream_gaps", "python_quirks"].map(
      (section) => vectors.section(section).length - ours(section).length,
    );
    expect(skipped).toEqual([27, 0, 2]);
    expect(ours("cases")).toHaveLength(156);
    expect(ours("upstream_gaps")).toHaveLength(30);
    expect(ours("python_quirks")).toHaveLength(5);
  });

  it("agrees on the actions and the version", () => {
    expect(ActionSchema.options).toEqual(vectors.reference["actions"]);
    expect(SCHEMA_VERSION).toBe(vectors.reference["schema_version"]);
  });

  describe("cases", () => {
    it.each(ours("cases"))("$name", (vector) => {
      const { value, raises, key_order, roundtrip_equal } = vector.expected;
      if (raises) {
        expect(failureOf(() => run(vector))).toBeInstanceOf(Error);
        return;
      }
      const result = run(vector);
      expect(withoutNegativeZero(result)).toEqual(withoutNegativeZero(value));
      if (key_order) expect(Object.keys(result as object)).toEqual(key_order);
      if (roundtrip_equal) expect(packetFromDict(result)).toEqual(packetFromDict(vector.input["data"]));
    });
  });

  describe("upstream gaps: the port refuses what the documents exclude", () => {
    it.each(ours("upstream_gaps"))("$name", (vector) => {
      const before = structuredClone(vector.input);
      if (vector.name === "from_dict input after: full") expect(run(vector)).toEqual(vector.expected.value);
      else expect(failureOf(() => run(vector))).toSatisfy(isSchemaError);
      expect(vector.input).toEqual(before);
    });
  });

  describe("Python quirks: a boolean is no number, only a list is a list", () => {
    it.each(ours("python_quirks"))("refuses $name", (vector) => {
      expect(failureOf(() => run(vector))).toMatchObject({ code: "invalid_proposal", issues: [{ path: /./ }] });
    });
  });
});

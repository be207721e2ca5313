import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ActionItemSchema,
  ActionSchema,
  clampConfidence,
  createFinalDecision,
  createMismatchInfo,
  createProposal,
  ExecutionContextSchema,
  ensureNonEmptyReasons,
  FinalDecisionSchema,
  finalDecisionToDict,
  MismatchInfoSchema,
  mismatchInfoToDict,
  PacketV2Schema,
  ProposalSchema,
  packetFromDict,
  packetToDict,
  proposalToDict,
  SchemaError,
  toIssues,
  toParams,
} from "../src/index.ts";

const packet = { run_id: "r", step: 1, input: {}, external: {}, mdm: {}, final_action: {}, latency_ms: 2 };
const proposal = { action: "ACT", confidence: 0.5 } as const;

function issuesOf(schema: typeof FinalDecisionSchema, input: unknown) {
  const { error } = schema.safeParse(input);
  return error ? toIssues(error, input) : [];
}

describe("FinalDecisionSchema", () => {
  it("fills in the defaults and leaves absent fields absent", () => {
    expect(FinalDecisionSchema.parse({ action: "ACT" })).toEqual({ action: "ACT", allowed: true, reasons: [] });
  });

  it.each([null, "false", 0, 1, {}])("S1.6 refuses %j for allowed", (allowed) => {
    expect(issuesOf(FinalDecisionSchema, { action: "ACT", allowed })).toMatchObject([
      { path: "allowed", expected: "boolean" },
    ]);
  });

  it("S1.4 takes an empty list of actions", () => {
    expect(FinalDecisionSchema.parse({ action: "ACT", actions: [] }).actions).toEqual([]);
  });

  it.each(["throttle_ms", "cooldown_ms"])("takes whole milliseconds from 0 for %s", (field) => {
    for (const good of [0, -0, 1, 2 ** 40, null])
      expect(issuesOf(FinalDecisionSchema, { action: "ACT", [field]: good })).toEqual([]);
    for (const bad of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "5", true]) {
      expect(issuesOf(FinalDecisionSchema, { action: "ACT", [field]: bad })).toHaveLength(1);
    }
  });

  it("refuses two actions with one id, and takes any number without", () => {
    const actions = [
      { action: "ACT", id: "a" },
      { action: "ACT" },
      { action: "ACT", id: null },
      { action: "ACT", id: "a" },
    ];
    expect(issuesOf(FinalDecisionSchema, { action: "ACT", actions })).toEqual([
      { path: "actions[3].id", expected: "an id of its own", received: "string" },
    ]);
    expect(issuesOf(FinalDecisionSchema, { action: "ACT", actions: actions.slice(0, 3) })).toEqual([]);
  });

  it("names every wrong place at once, with types and never with values", () => {
    const input = {
      action: "hunter2",
      reasons: ["ok", 5],
      actions: [{ action: "ACT", params: { nested: [1, () => "hunter2"] }, effect: "hunter2", id: "" }],
      mismatch: [],
      throttle_ms: -5,
      params: "hunter2",
      extra: { at: new Date() },
    };
    const issues = issuesOf(FinalDecisionSchema, input);
    expect(issues).toEqual([
      { path: "action", expected: '"HOLD" | "ACT" | "EXIT" | "CANCEL" | "STOP"', received: "string" },
      { path: "reasons[1]", expected: "string", received: "number" },
      { path: "actions[0].id", expected: "length >= 1", received: "string" },
      { path: "actions[0].params.nested[1]", expected: "JSON", received: "function" },
      { path: "actions[0].effect", expected: '"once" | "idempotent" | "none"', received: "string" },
      { path: "mismatch", expected: "object", received: "array" },
      { path: "throttle_ms", expected: ">= 0", received: "number" },
      { path: "params", expected: "object", received: "string" },
      { path: "extra.at", expected: "a plain object", received: "object" },
    ]);
    expect(new SchemaError("invalid_decision", issues).message).not.toContain("hunter2");
  });
});

describe("ActionItemSchema", () => {
  it("takes an action with nothing but its name", () => {
    expect(ActionItemSchema.parse({ action: "EXIT" })).toEqual({ action: "EXIT" });
  });

  it.each(["id", "idempotency_key"])("takes 1 to 256 well-formed characters for %s", (field) => {
    const accepts = (value: unknown) => ActionItemSchema.safeParse({ action: "ACT", [field]: value }).success;
    expect(["x", "x".repeat(256), null, undefined].map(accepts)).toEqual([true, true, true, true]);
    expect(["", "x".repeat(257), "\ud800", 5].map(accepts)).toEqual([false, false, false, false]);
  });

  it("hands on params as they are, keys named __proto__ included", () => {
    const params = JSON.parse('{"__proto__":{"a":1},"constructor":2}');
    expect(ActionItemSchema.parse({ action: "ACT", params }).params).toBe(params);
  });
});

describe("ExecutionContextSchema", () => {
  it("takes any keys with JSON values", () => {
    const context = { now_ms: 1.5, ops_deny_actions: "0", "acme.x": [1, { y: null }], ops_cooldown_until_ms: null };
    expect(ExecutionContextSchema.parse(context)).toEqual(context);
    expect(ExecutionContextSchema.safeParse({ x: 1n }).success).toBe(false);
  });

  it.each(["now_ms", "ops_cooldown_until_ms"])("refuses a %s that cannot be compared", (key) => {
    for (const value of ["1000", true, Number.NaN, {}])
      expect(ExecutionContextSchema.safeParse({ [key]: value }).success).toBe(false);
  });

  it.each([null, undefined, [], "x", 5])("refuses %j", (context) => {
    expect(ExecutionContextSchema.safeParse(context).success).toBe(false);
  });
});

describe("unknown keys", () => {
  const schemas = {
    ActionItemSchema: [ActionItemSchema, { action: "ACT" }],
    ProposalSchema: [ProposalSchema, proposal],
    MismatchInfoSchema: [MismatchInfoSchema, {}],
    FinalDecisionSchema: [FinalDecisionSchema, { action: "ACT" }],
    PacketV2Schema: [PacketV2Schema, packet],
    ExecutionContextSchema: [ExecutionContextSchema, {}],
  } as const;

  it.each(Object.entries(schemas))("survive %s", (_name, [schema, fields]) => {
    fc.assert(
      fc.property(fc.stringMatching(/^x_[a-z]{0,8}$/), fc.jsonValue(), (key, value) => {
        expect(schema.parse({ ...fields, [key]: value })).toMatchObject({ ...fields, [key]: value });
      }),
    );
  });

  it("survive the round trip to the wire form, after the known ones", () => {
    const extra = { x_future: { a: [1] } };
    const decision = FinalDecisionSchema.parse({
      ...extra,
      action: "ACT",
      actions: [{ action: "ACT", ...extra }],
      mismatch: extra,
    });
    expect(FinalDecisionSchema.parse(finalDecisionToDict(decision))).toMatchObject(decision);
    expect(Object.keys(finalDecisionToDict(decision)).slice(-2)).toEqual(
      ["x_future", "actions"].toSorted().toReversed(),
    );
    expect(mismatchInfoToDict(MismatchInfoSchema.parse(extra))).toMatchObject(extra);
    expect(proposalToDict(ProposalSchema.parse({ ...proposal, ...extra }))).toMatchObject(extra);
    const kept = packetFromDict({ ...extra, ...packet }, { unknownKeys: "keep" });
    expect(packetFromDict(packetToDict(kept), { unknownKeys: "keep" })).toEqual(kept);
    const { schema_version: _, ...unversioned } = packetFromDict(packet);
    expect(packetFromDict(packetToDict(unversioned))).toEqual(packetFromDict(packet));
    expect(kept).toMatchObject(extra);
  });

  it("are refused where an author writes a value, since there they are misspelt", () => {
    const misspelt = { throttleMs: 5 };
    const issues = [{ path: "throttleMs", expected: "no such key" }];
    expect(() => createFinalDecision({ action: "ACT", ...misspelt })).toThrow(
      expect.objectContaining({ code: "invalid_decision", issues }),
    );
    const actions = [
      { action: "ACT" as const, params: { any: 1 } },
      { action: "ACT" as const, idempotencyKey: "k" },
    ];
    expect(() => createFinalDecision({ action: "ACT", actions, mismatch: { flag: [] } })).toThrow(
      expect.objectContaining({
        issues: [
          { path: "actions[1].idempotencyKey", expected: "no such key" },
          { path: "mismatch.flag", expected: "no such key" },
        ],
      }),
    );
    expect(() => createProposal({ ...proposal, ...misspelt })).toThrow(
      expect.objectContaining({ code: "invalid_proposal", issues }),
    );
    expect(() => createMismatchInfo(misspelt)).toThrow(expect.objectContaining({ code: "invalid_mismatch", issues }));
  });
});

describe("packetFromDict", () => {
  it("fills in the version and an absent mismatch", () => {
    expect(packetFromDict(packet)).toEqual({ ...packet, mismatch: null, schema_version: "0.2.2" });
  });

  it.each([null, undefined, 5, "x", [], () => packet])("refuses %o with an issue", (data) => {
    expect(() => packetFromDict(data)).toThrow(
      expect.objectContaining({ code: "invalid_packet", issues: [expect.anything()] }),
    );
  });

  it("names each missing field", () => {
    expect(() => packetFromDict({ run_id: "r" })).toThrow(
      expect.objectContaining({
        issues: ["step", "input", "external", "mdm", "final_action", "latency_ms"].map((path) =>
          expect.objectContaining({ path }),
        ),
      }),
    );
  });

  it.each(["0.2", "0.2.0", "0.2.99", "0.2.3-rc.1"])("reads version %s", (schema_version) => {
    expect(packetFromDict({ ...packet, schema_version }).schema_version).toBe(schema_version);
  });

  it.each(["0.1.9", "0.3.0", "1.2.0", "9.9.9", "", "latest", null, 2])("refuses version %j", (schema_version) => {
    expect(() => packetFromDict({ ...packet, schema_version })).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ path: "schema_version" })] }),
    );
  });

  it("never changes its input, whatever that is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (input, extra) => {
        const data = Object.freeze({ ...packet, input, extra });
        const before = JSON.stringify(data);
        for (const options of [{}, { unknownKeys: "keep" }] as const) {
          try {
            packetToDict(packetFromDict(data, options));
          } catch (error) {
            expect(error).toBeInstanceOf(SchemaError);
          }
        }
        expect(JSON.stringify(data)).toBe(before);
      }),
    );
  });
});

describe("small functions", () => {
  it("toParams gives a copy that may be changed", () => {
    const decision = createFinalDecision({ action: "ACT", params: { a: 1 } });
    toParams(decision)["a"] = 2;
    expect(decision.params).toEqual({ a: 1 });
  });

  it("ensureNonEmptyReasons gives a list of its own", () => {
    const reasons = ["a"];
    expect(ensureNonEmptyReasons(reasons)).not.toBe(reasons);
    expect(ensureNonEmptyReasons([])).toEqual(["unknown"]);
    expect(ensureNonEmptyReasons(undefined)).toEqual(["unknown"]);
  });

  it("clampConfidence makes every number but NaN a confidence", () => {
    fc.assert(
      fc.property(fc.double(), (score) => {
        const { success } = ProposalSchema.safeParse({ action: "ACT", confidence: clampConfidence(score) });
        expect(success).toBe(!Number.isNaN(score));
      }),
    );
  });

  it("ActionSchema knows its options", () => {
    expect(ActionSchema.options).toEqual(["HOLD", "ACT", "EXIT", "CANCEL", "STOP"]);
  });
});

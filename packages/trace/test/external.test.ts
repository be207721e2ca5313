import { validateExternal } from "@eoc/decision-schema";
import { describe, expect, it } from "vitest";
import { addExecutionTrace } from "../src/index.js";
import { casesOf, reportFromFields } from "./reference.js";
import { anAttempt, aReport } from "./support.js";

const full = aReport({
  status: "denied",
  reason: "kill_switch",
  haltLatencyMs: 3.2,
  cooldownUntilMs: 99,
  failClosed: true,
});

describe("addExecutionTrace", () => {
  for (const { name, input, expected } of casesOf("add_execution_trace")) {
    it(`agrees with the reference: ${name}`, () => {
      const before = JSON.stringify(input.external);
      const after = addExecutionTrace(input.external, reportFromFields(input.report), { profile: "reference" });
      expect(after).toStrictEqual(expected.value);
      expect(JSON.stringify(input.external)).toBe(before);
    });
  }

  for (const { name, input, expected } of casesOf("report_external")) {
    it(`agrees with the reference: ${name}`, () => {
      const keys = addExecutionTrace({}, reportFromFields(input.fields), { profile: "reference" });
      expect(keys).toStrictEqual(expected.value);
      expect(Object.keys(keys)).toEqual(expected.key_order);
    });
  }

  it("S10 sets exec.fail_closed for an unknown outcome in the reference profile only", () => {
    const report = aReport({ attempts: [anAttempt({ status: "unknown" })] });
    expect(addExecutionTrace({}, report, { profile: "reference" })).toMatchObject({ "exec.fail_closed": true });
    expect(addExecutionTrace({}, report)).toMatchObject({ "exec.fail_closed": false });
  });

  it("adds in the extended profile what the report has", () => {
    expect(addExecutionTrace({ now_ms: 1 }, full)).toMatchObject({
      now_ms: 1,
      "exec.status": "denied",
      "exec.reason": "kill_switch",
      "exec.plan_hash": full.planHash,
      "exec.execution_id": "run-42",
      "exec.unknown_count": 0,
      "exec.replayed_count": 0,
      "exec.halt_latency_ms": 3,
      "exec.cooldown_until_ms": 99,
    });
    const bare = addExecutionTrace({}, aReport());
    for (const key of ["exec.reason", "exec.halt_latency_ms", "exec.cooldown_until_ms"]) {
      expect(bare).not.toHaveProperty([key]);
    }
  });

  it("keeps nothing that an earlier execution said and this one does not", () => {
    const before = addExecutionTrace({ "ops.note": 1 }, full);
    expect(addExecutionTrace(before, aReport())).toEqual(addExecutionTrace({ "ops.note": 1 }, aReport()));
    const reference = addExecutionTrace(before, aReport(), { profile: "reference" });
    expect(reference).toEqual(addExecutionTrace({ "ops.note": 1 }, aReport(), { profile: "reference" }));
    expect(Object.keys(reference).filter((key) => key.startsWith("exec."))).toHaveLength(7);
  });

  for (const profile of ["reference", "extended"] as const) {
    it(`writes only registered trace keys in the ${profile} profile`, () => {
      const keys = addExecutionTrace(null, full, { profile });
      expect(validateExternal(keys, { requireRegistryForPrefixes: ["exec"], mode: "trace" })).toEqual([]);
      expect(validateExternal(keys, { requireRegistryForPrefixes: ["exec."], mode: "both" })).toEqual([]);
    });
  }

  it("keeps the caller's own context as it is, for whoever decides next", () => {
    const context = { session_token: "c4n4ry-0001", max_tokens: 512 };
    expect(addExecutionTrace(context, aReport())).toMatchObject(context);
  });

  it("refuses a profile that there is not", () => {
    expect(() => addExecutionTrace({}, full, { profile: "ref" as "reference" })).toThrow(
      'profile must be one of extended, reference, not "ref"',
    );
  });
});

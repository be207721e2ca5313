import { createRedactor, type Redactor } from "@eoc/core";
import {
  EXTERNAL_KEY_REGISTRY,
  type FinalDecision,
  isSchemaError,
  PacketV2Schema,
  packetToDict,
  validateExternal,
} from "@eoc/decision-schema";
import { describe, expect, it } from "vitest";
import { type BuildPacketInput, buildPacket, buildPacketWithManifest } from "../src/index.js";
import { aReport, aRow } from "./support.js";

const decision = { action: "ACT", allowed: true, reasons: ["ok"], params: { amount: 5 } } as FinalDecision;

const anInput = (fields: Partial<BuildPacketInput> = {}): BuildPacketInput => ({
  runId: "run-42",
  step: 3,
  input: { order: { id: "o-1" } },
  context: { now_ms: 1_700_000_000_000, ops_state: "GREEN", ops_score: 0.9, max_tokens: 512 },
  decision,
  report: aReport({ totalLatencyMs: 12.7 }),
  ...fields,
});

describe("buildPacket", () => {
  it("is a packet of the contract", () => {
    const packet = buildPacket(anInput());
    expect(PacketV2Schema.parse(packet)).toEqual(packet);
    expect(packet).toMatchObject({
      run_id: "run-42",
      step: 3,
      latency_ms: 12,
      mdm: {},
      mismatch: null,
      schema_version: "0.2.2",
    });
    expect(Object.keys(packetToDict(packet))).toHaveLength(9);
  });

  it("has the decision and the proposal in wire form", () => {
    const mismatch = { flags: ["f"], reason_codes: ["c"] };
    const proposal = { action: "ACT" as const, confidence: 0.8, reasons: ["r"] };
    const packet = buildPacket(anInput({ decision: { ...decision, mismatch, cooldown_ms: 100 }, proposal }));
    const wireMismatch = { ...mismatch, throttle_refresh_ms: null, metadata: null };
    expect(packet.final_action).toEqual({
      ...decision,
      mismatch: wireMismatch,
      throttle_ms: null,
      cooldown_ms: 100,
    });
    expect(packet.mismatch).toEqual(wireMismatch);
    expect(packet.mdm).toEqual({ ...proposal, params: null, run_id: null, features_summary: {} });
  });

  it("has the context and the exec keys as external, valid by the registry", () => {
    for (const profile of ["reference", "extended"] as const) {
      const { external } = buildPacket(anInput({ profile }));
      expect(external).toMatchObject({ ops_state: "GREEN", "exec.total_latency_ms": 12, "exec.attempt_count": 1 });
      expect("exec.status" in external).toBe(profile === "extended");
      expect(validateExternal(external, { requireRegistryForPrefixes: ["exec"] })).toEqual([]);
    }
  });

  it("keeps nothing that the context says of an earlier execution", () => {
    const context = {
      now_ms: 1,
      ...buildPacket(anInput({ report: aReport({ status: "denied", reason: "kill_switch" }) })).external,
    };
    for (const profile of ["reference", "extended"] as const) {
      const { external } = buildPacket(anInput({ context, profile }));
      expect(external).not.toHaveProperty(["exec.reason"]);
      expect("exec.status" in external).toBe(profile === "extended");
    }
  });

  it("S9 masks by default, on copies, and says what", () => {
    const input = anInput({
      input: { headers: { authorization: "Bearer c4n4ry-0001-abcdef" }, note: "fine" },
      decision: { ...decision, params: { password: "c4n4ry-0002" } },
      proposal: { action: "ACT", confidence: 1, reasons: [], params: { api_key: "c4n4ry-0003" } },
      context: { session_token: "c4n4ry-0004" },
    });
    const before = JSON.stringify(input);
    const { packet, manifest } = buildPacketWithManifest(input);
    expect(JSON.stringify(packet)).not.toContain("c4n4ry");
    expect(packet.input).toMatchObject({ note: "fine" });
    expect(JSON.stringify(input)).toBe(before);
    const pointers = manifest.map(({ pointer }) => pointer);
    expect(pointers).toEqual([
      "/external/session_token",
      "/final_action/params/password",
      "/input/headers/authorization",
      "/mdm/params/api_key",
    ]);
    expect(JSON.stringify(manifest)).not.toContain("c4n4ry");
  });

  it("leaves numbers of the context alone whose names are those of quantities", () => {
    const context = { now_ms: 1_700_000_000_000, ops_score: 0.9, max_tokens: 512, token_price: 1.5, auth_count: 0 };
    const { packet, manifest } = buildPacketWithManifest(anInput({ context }));
    expect(packet.external).toMatchObject(context);
    expect(manifest).toEqual([]);
  });

  it("S9 masks numbers that may be secrets, and quantities that are no numbers", () => {
    const context = { pin: 1234, api_key: 5678, token_price: "c4n4ry-0007", nested: { password: 9 } };
    const { packet, manifest } = buildPacketWithManifest(anInput({ context }));
    expect(JSON.stringify(packet.external)).not.toMatch(/1234|5678|c4n4ry|:9/);
    expect(manifest).toHaveLength(4);
  });

  it("S9 masks a declared number under the name of a quantity", () => {
    const redactor = createRedactor({ secrets: ["4111222233"] });
    const context = { token_count: 4_111_222_233, key_count: 94_111_222_233, max_tokens: 512 };
    const { packet, manifest } = buildPacketWithManifest(anInput({ context, redactor }));
    expect(packet.external).toMatchObject({ token_count: "[REDACTED]", key_count: "[REDACTED]", max_tokens: 512 });
    expect(manifest.map(({ pointer }) => pointer)).toEqual(["/external/key_count", "/external/token_count"]);
  });

  it("S9 counts no passwords, secrets or pins", () => {
    const names = ["max_password", "total_secret", "min_pin", "max_pin_tokens", "otp_count", "token_pwd_size"];
    const context = Object.fromEntries(names.map((name) => [name, 99_887_766]));
    const { packet, manifest } = buildPacketWithManifest(anInput({ context }));
    expect(JSON.stringify(packet)).not.toContain("99887766");
    expect(manifest.map(({ pointer }) => pointer)).toEqual(names.map((name) => `/external/${name}`).sort());
  });

  it("tells a quantity from one of the same name further down", () => {
    const context = { nested: { token_count: 5 }, "nested/token_count": 6, "a~/b_token_count": 7 };
    const { packet, manifest } = buildPacketWithManifest(anInput({ context }));
    expect(packet.external).toMatchObject({ ...context, nested: { token_count: "[REDACTED]" } });
    expect(manifest.map(({ pointer }) => pointer)).toEqual(["/external/nested/token_count"]);
  });

  it("masks a quantity when the redactor was told to", () => {
    const redactor = createRedactor({ keys: ["max_tokens"] });
    const { packet, manifest } = buildPacketWithManifest(anInput({ redactor }));
    expect(packet.external["max_tokens"]).toBe("[REDACTED]");
    expect(manifest.map(({ pointer }) => pointer)).toEqual(["/external/max_tokens"]);
  });

  it("masks idempotency keys by their name, as the reference's vectors demand, unless the redactor spares it", () => {
    const keyed = { ...decision, actions: [{ action: "ACT" as const, idempotency_key: "refund:order-7" }] };
    const keyIn = (redactor?: Redactor) => {
      const { final_action } = buildPacket(anInput({ decision: keyed, ...(redactor && { redactor }) }));
      return (final_action["actions"] as Record<string, unknown>[])[0]!["idempotency_key"];
    };
    expect(keyIn()).toBe("[REDACTED]");
    const allowKeys = ["idempotency_key"];
    expect(keyIn(createRedactor({ allowKeys }))).toBe("refund:order-7");
    expect(keyIn(createRedactor({ allowKeys, secrets: ["order-7"] }))).toBe("refund:[REDACTED]");
  });

  it("keeps what EOC measured from a redactor that masks everything", () => {
    const names = Object.keys(EXTERNAL_KEY_REGISTRY);
    const redactor = createRedactor({ keys: [...names, "step", "latency_ms"] });
    const report = aReport({ cooldownUntilMs: 99 });
    const { packet, manifest } = buildPacketWithManifest(anInput({ context: {}, report, redactor }));
    expect(packet).toMatchObject({ step: 3, latency_ms: 5 });
    const { "exec.execution_id": id, ...external } = packet.external;
    expect(id).toBe("[REDACTED]");
    expect(external).toEqual({
      "exec.total_latency_ms": 5,
      "exec.success_count": 1,
      "exec.failed_count": 0,
      "exec.skipped_count": 0,
      "exec.denied_count": 0,
      "exec.attempt_count": 1,
      "exec.fail_closed": false,
      "exec.status": "success",
      "exec.plan_hash": report.planHash,
      "exec.unknown_count": 0,
      "exec.replayed_count": 0,
      "exec.cooldown_until_ms": 99,
    });
    expect(manifest.map(({ pointer }) => pointer)).toEqual(["/external/exec.execution_id"]);
  });

  it("S9 masks a declared secret in the ids that the caller chose", () => {
    const redactor = createRedactor({ secrets: ["c4n4ry-0005"] });
    const report = aReport({ executionId: "run-c4n4ry-0005" });
    const { packet, manifest } = buildPacketWithManifest(
      anInput({ runId: "run-c4n4ry-0005", context: {}, report, redactor }),
    );
    expect(JSON.stringify([packet, manifest])).not.toContain("c4n4ry");
    expect(manifest.map(({ pointer }) => pointer)).toEqual(["/external/exec.execution_id", "/run_id"]);
  });

  it("S9 masks a secret under an exec key that is not EOC's", () => {
    const { external } = buildPacket(anInput({ context: { "exec.api_key": "c4n4ry-0008" } }));
    expect(external["exec.api_key"]).toBe("[REDACTED]");
  });

  it("S9.2 never holds an executor's value", () => {
    const report = aReport({ actions: [aRow({ value: "c4n4ry-0006" })] });
    expect(JSON.stringify(buildPacket(anInput({ report })))).not.toContain("c4n4ry");
  });

  it("keeps __proto__ an ordinary key", () => {
    const context = JSON.parse('{"__proto__":{"polluted":1},"a":1}') as Record<string, unknown>;
    const { external } = buildPacket(anInput({ context }));
    expect(Object.keys(external)).toContain("__proto__");
    expect((external as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("throws a typed error for what is no decision, proposal or packet", () => {
    const codeOf = (fields: Partial<BuildPacketInput>) => {
      try {
        buildPacket(anInput(fields));
      } catch (error) {
        if (isSchemaError(error)) return error.code;
      }
      return undefined;
    };
    expect(codeOf({ decision: { action: "RUN" } as never })).toBe("invalid_decision");
    expect(codeOf({ proposal: { action: "ACT", confidence: 2 } as never })).toBe("invalid_proposal");
    expect(codeOf({ step: 1.5 })).toBe("invalid_packet");
    expect(codeOf({ input: "text" as never })).toBe("invalid_packet");
  });
});

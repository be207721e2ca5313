import { describe, expect, it } from "vitest";
import { execute } from "../../src/index.js";
import { aDecision, readVectors } from "../support.js";

const vectors = readVectors(new URL("../vectors/ops_signal.json", import.meta.url));

interface Step {
  context: Record<string, unknown>;
  execute: { denied_count: number; success_count: number; executor_calls: number };
}

async function deny(context: Record<string, unknown>) {
  let calls = 0;
  const report = await execute(aDecision(), context, {}, () => {
    calls++;
    return { ok: true };
  });
  return { denied_count: report.deniedCount, success_count: report.successCount, executor_calls: calls };
}

describe("S2.1 the ops signal in a context", () => {
  const cases = vectors.section("cases");
  for (const { name, expected } of cases) {
    const steps = (expected["steps"] ?? []) as Partial<Step>[];
    it(name, async () => {
      for (const { context, execute: theirs } of steps) {
        if (context === undefined || theirs === undefined) continue;
        // Deliberate: RED and a running cooldown deny by themselves.
        const denies =
          theirs.denied_count === 1 ||
          context["ops_state"] === "RED" ||
          ((context["ops_cooldown_until_ms"] ?? 0) as number) > ((context["now_ms"] ?? Date.now()) as number);
        expect(await deny(context)).toEqual(
          denies
            ? { denied_count: 1, success_count: 0, executor_calls: 0 }
            : { denied_count: 0, success_count: 1, executor_calls: 1 },
        );
      }
    });
  }

  it("is compared in enough steps", () => {
    const compared = cases.flatMap(({ expected }) =>
      ((expected["steps"] ?? []) as Partial<Step>[]).filter((s) => s.execute),
    );
    expect(compared.length).toBeGreaterThan(200);
  });

  const denying: [string, Record<string, unknown>][] = [
    ["ops_deny_actions true", { ops_deny_actions: true }],
    ["ops_deny_actions of any other kind", { ops_deny_actions: "false" }],
    ["an empty list as ops_deny_actions", { ops_deny_actions: [] }],
    ["ops_state RED alone", { ops_state: "RED" }],
    ["a cooldown later than now_ms", { ops_cooldown_until_ms: 1001, now_ms: 1000 }],
    ["a cooldown later than the clock, without now_ms", { ops_cooldown_until_ms: 8.64e15 }],
  ];
  for (const [what, context] of denying) {
    it(`denies on ${what}`, async () => {
      expect(await deny(context)).toEqual({ denied_count: 1, success_count: 0, executor_calls: 0 });
    });
  }

  const allowing: [string, Record<string, unknown>][] = [
    ["false", { ops_deny_actions: false }],
    ["null", { ops_deny_actions: null }],
    ["0", { ops_deny_actions: 0 }],
    ["an empty string", { ops_deny_actions: "" }],
    ["a cooldown that has just ended", { ops_cooldown_until_ms: 1000, now_ms: 1000 }],
    ["any other state", { ops_state: "YELLOW" }],
  ];
  for (const [what, context] of allowing) {
    it(`allows on ${what}`, async () => {
      expect(await deny(context)).toEqual({ denied_count: 0, success_count: 1, executor_calls: 1 });
    });
  }
});

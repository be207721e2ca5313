import { describe, expect, it } from "vitest";
import { execute, planExecution } from "../src/index.js";

describe("planExecution", () => {
  it("takes a decision as execute does, and makes the plan of the execution", async () => {
    for (const decision of [
      { action: "ACT" as const },
      { action: "ACT" as const, params: { cents: 7, nested: [{ a: 1 }] } },
      {
        action: "ACT" as const,
        actions: [{ action: "EXIT" as const, id: null, params: null, effect: "none" as const }],
      },
    ]) {
      const plan = planExecution(decision, {});
      const report = await execute(decision, {}, {}, () => ({ ok: true }));
      expect(plan.planHash).toBe(report.planHash);
      expect(plan.actions.map(({ id }) => id)).toEqual(report.actions.map(({ id }) => id));
    }
  });

  it("keeps a copy that nobody can change", () => {
    const decision = { action: "ACT" as const, params: { list: [1] } };
    const plan = planExecution(decision, {});
    decision.params.list.push(2);
    expect(plan.actions[0]?.params).toEqual({ list: [1] });
    expect(Object.isFrozen(plan.actions) && Object.isFrozen(plan.actions[0]?.params["list"])).toBe(true);
  });

  it("refuses what execute refuses, and says where", async () => {
    const wrong = { action: "ACT", actions: [{ action: "BUY" }] } as never;
    expect(() => planExecution(wrong, {})).toThrow(
      expect.objectContaining({
        name: "EocError",
        code: "invalid_decision",
        message: expect.stringMatching(/^invalid decision: actions\[0\]\.action must be /),
        issues: [expect.objectContaining({ path: "actions[0].action" })],
      }),
    );
    expect(await execute(wrong, {}, {}, () => ({ ok: true }))).toMatchObject({ reason: "invalid_decision" });
    expect(() => planExecution(undefined as never, {})).toThrow(/^invalid decision: decision must be /);
    const misspelt = { action: "ACT" as const, actions: [{ action: "ACT" as const, idempotencyKey: "k" }] };
    expect(() => planExecution(misspelt, {})).toThrow(
      expect.objectContaining({ issues: [{ path: "actions[0].idempotencyKey", expected: "idempotency_key" }] }),
    );
    expect(
      planExecution({ ...misspelt, actions: [{ action: "ACT", idempotencyKey: undefined }] }, {}).actions,
    ).toHaveLength(1);
  });
});

import { isEocError } from "@eoc/core";
import { ExecutionContextSchema, FinalDecisionSchema } from "@eoc/decision-schema";
import { aContext, aDecision, aPlan, aPolicy } from "@eoc/testkit";
import { describe, expect, it } from "vitest";

describe("the builders", () => {
  it("give a valid decision that is allowed to act, each time a new one", () => {
    expect(aDecision()).toEqual({ action: "ACT", allowed: true, reasons: ["signal_detected"] });
    expect(FinalDecisionSchema.parse(aDecision())).toEqual(aDecision());
    expect(aDecision().reasons).not.toBe(aDecision().reasons);
    expect(aDecision({ allowed: false, throttle_ms: 5 })).toMatchObject({
      action: "ACT",
      allowed: false,
      throttle_ms: 5,
    });
  });

  it("give a valid context in which nothing is denied", () => {
    expect(ExecutionContextSchema.parse(aContext())).toEqual(aContext());
    expect(aContext({ ops_state: "RED" })).toMatchObject({ ops_state: "RED" });
  });

  it("give a complete policy with the overrides in their sections", () => {
    const policy = aPolicy({ retry: { maxRetries: 1 } });
    expect(policy.retry).toMatchObject({ maxRetries: 1, initialBackoffMs: 100 });
    expect(Object.isFrozen(policy)).toBe(true);
  });

  it("refuse an invalid policy", () => {
    let thrown: unknown;
    try {
      aPolicy({ retry: { maxRetries: -1 } });
    } catch (error) {
      thrown = error;
    }
    expect(isEocError(thrown) && thrown.code).toBe("invalid_policy");
  });

  it("give the plan of a decision under a policy", () => {
    const plan = aPlan({ actions: [{ action: "EXIT", id: "sell" }] }, { defaultEffect: "idempotent" });
    expect(plan.actions).toMatchObject([{ id: "sell", index: 0, action: "EXIT", effect: "idempotent" }]);
    expect(aPlan().actions).toMatchObject([{ id: "action-0", action: "ACT", effect: "once" }]);
  });
});

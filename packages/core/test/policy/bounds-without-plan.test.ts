import { describe, expect, it } from "vitest";
import { definePolicy, explainPolicy, planExecution } from "../../src/index.js";
import { aDecision } from "../support.js";

describe("explainPolicy without a plan", () => {
  it.each([{}, { retry: { maxRetries: 0 } }, { rateLimit: { perAction: { ACT: { limit: 1, windowMs: 60_000 } } } }])(
    "gives the bounds of a plan with one ACT: %j",
    (policy) => {
      const one = planExecution(aDecision(), definePolicy(policy));
      expect(explainPolicy(policy)).toEqual(explainPolicy(policy, one));
      expect(explainPolicy(policy).maxDispatches).toBeGreaterThan(0);
    },
  );
});

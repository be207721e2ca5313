import {
  definePolicy,
  type ExecutionPlan,
  type ExecutionPolicy,
  type ExecutionPolicyInput,
  planExecution,
} from "@eoc/core";
import type { ExecutionContext, FinalDecision } from "@eoc/decision-schema/read";

/** A valid decision that is allowed to act; `overrides` replace whole fields. */
export function aDecision(overrides: Partial<FinalDecision> = {}): FinalDecision {
  return { action: "ACT", allowed: true, reasons: ["signal_detected"], ...overrides };
}

/** A valid policy: the defaults, with `overrides` per section. */
export function aPolicy(overrides: ExecutionPolicyInput = {}): ExecutionPolicy {
  return definePolicy(overrides);
}

/** A valid context in which nothing is denied. */
export function aContext(overrides: Partial<ExecutionContext> = {}): ExecutionContext {
  return { ...overrides };
}

/** The plan of {@link aDecision} under {@link aPolicy}. */
export function aPlan(decision: Partial<FinalDecision> = {}, policy: ExecutionPolicyInput = {}): ExecutionPlan {
  return planExecution(aDecision(decision), aPolicy(policy));
}

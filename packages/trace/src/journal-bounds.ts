import { definePolicy, type ExecutionPolicyInput, type FinalDecisionInput, planExecution } from "@eoc/core";
import type { JournalBounds } from "./journal-record.js";
import { recordPolicy } from "./policy-record.js";

/**
 * What executions of `decision` under `policy` may do; undefined where `execute` refuses one of the two.
 * @param knownDigest of the policy that the opening record has, which need not be written again
 */
export function boundsOf(
  decision: FinalDecisionInput,
  input: ExecutionPolicyInput,
  knownDigest: string | undefined,
): Omit<JournalBounds, "executionId"> | undefined {
  try {
    const policy = definePolicy(input);
    const { actions, planHash } = planExecution(decision, policy);
    const effects = actions.map(({ effect }) => effect);
    const recorded = recordPolicy(policy);
    const { policyDigest } = recorded;
    return {
      type: "journal.bounds",
      planHash,
      effects,
      ...(policyDigest === knownDigest ? { policyDigest } : recorded),
    };
  } catch {
    return undefined;
  }
}

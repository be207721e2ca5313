import type { ExecutionPolicyInput } from "@eoc/core";
import type { Scenario } from "../scenario/scenario.js";
import type { PlaySetup } from "./play-setup.js";

/** A scenario's file as the page plays it; `policy` is what the file says, without what the terminal adds to it. */
export function setupOfScenario(scenario: Scenario, policy: ExecutionPolicyInput, seed: string): PlaySetup {
  const { name, decision, context, reconcile, world, haltAfterMs, restartAfterMs } = scenario;
  return {
    name,
    decision,
    context,
    policy,
    reconcile,
    world,
    seed,
    restartAfterMs,
    ...(haltAfterMs === undefined ? undefined : { haltAtMs: haltAfterMs }),
  };
}

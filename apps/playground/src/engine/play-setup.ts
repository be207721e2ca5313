import { type ExecutionPlan, type ExecutionPolicyInput, planExecution } from "@eoc/core";
import type { ExecutionContext, FinalDecision } from "@eoc/decision-schema";
import type { WorldScript } from "../scenario/reply.js";

/** Everything that a run on the page follows from: the same setup gives the same run, to the last event. */
export interface PlaySetup {
  readonly name: string;
  readonly decision: FinalDecision;
  readonly context: ExecutionContext;
  readonly policy: ExecutionPolicyInput;
  /** Whether the executor asks the world what became of a request of unknown outcome. */
  readonly reconcile: boolean;
  readonly world: WorldScript;
  /** Draws the latencies of the network, and keys the jitter. */
  readonly seed: string;
  /** Throws the kill switch so long after the start. */
  readonly haltAtMs?: number;
  readonly restartAfterMs: number;
}

/** When all virtual time begins: 14 November 2023, as testkit has it. */
export const START_MS = 1_700_000_000_000;

/** The plan as naive retry takes it: without keys, and empty where nothing is to be done. */
export function naivePlan({ decision, policy }: PlaySetup): ExecutionPlan {
  const { actions, planHash } = planExecution(decision, policy);
  const wanted = decision.allowed ? actions.filter(({ action }) => action !== "HOLD") : [];
  return { planHash, actions: wanted.map(({ idempotencyKey: _, ...action }) => action) };
}

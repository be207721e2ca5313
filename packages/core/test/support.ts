import { createScriptedExecutor } from "../../testkit/src/scripted-executor.js";
import type { ScriptedStep } from "../../testkit/src/scripted-step.js";
import { createVirtualClock, type VirtualClock } from "../../testkit/src/virtual-clock.js";
import { createWorld } from "../../testkit/src/world.js";
import {
  definePolicy,
  type ExecuteOptions,
  type ExecutionEvent,
  type ExecutionPolicyInput,
  execute,
  type FinalDecisionInput,
} from "../src/index.js";

export { readVectors, type VectorCase } from "../../decision-schema/test/vectors.js";
// Core cannot depend on testkit, which depends on core: its tests reach testkit's sources through this file.
export { aContext, aDecision, aPlan, aPolicy } from "../../testkit/src/builders.js";
export { createFakeKillSwitch } from "../../testkit/src/fake-kill-switch.js";
export {
  hangs,
  rejects,
  returns,
  succeeds,
  succeedsLate,
  throws,
} from "../../testkit/src/scripted-step.js";
export { createScriptedExecutor, createVirtualClock, createWorld, type ScriptedStep, type VirtualClock };

/** The types of events, with what tells them apart, in order. */
export function storyOf(events: readonly ExecutionEvent[]): string[] {
  return events.map((event) => {
    const action = "actionIndex" in event ? ` ${event.actionIndex}` : "";
    const attempt = "attemptNumber" in event ? `/${event.attemptNumber}` : "";
    return `${event.type}${action}${attempt}`;
  });
}

export interface Bench {
  readonly clock: VirtualClock;
  readonly world: ReturnType<typeof createWorld>;
  readonly events: ExecutionEvent[];
}

/** A decision of so many ACTs, or as given. */
export function plan(actions: number | NonNullable<FinalDecisionInput["actions"]>): FinalDecisionInput {
  const list =
    typeof actions === "number" ? Array.from({ length: actions }, () => ({ action: "ACT" as const })) : actions;
  return { action: "ACT", actions: list };
}

/** Runs one execution in virtual time, by a script, and says everything that came of it. */
export async function runScript(
  steps: readonly ScriptedStep[] | Parameters<typeof createScriptedExecutor>[0],
  setup: {
    decision?: FinalDecisionInput;
    context?: Record<string, unknown>;
    policy?: ExecutionPolicyInput;
    reconcile?: Parameters<typeof createScriptedExecutor>[1] extends infer O
      ? O extends { reconcile?: infer R }
        ? R
        : never
      : never;
    /** Options that may need the clock. */
    options?: ExecuteOptions | ((bench: Bench) => ExecuteOptions);
    /** Happens at so many milliseconds. */
    at?: Record<number, (bench: Bench) => void>;
    clock?: VirtualClock;
  } = {},
) {
  const clock = setup.clock ?? createVirtualClock();
  const world = createWorld();
  const events: ExecutionEvent[] = [];
  const bench = { clock, world, events };
  const executor = createScriptedExecutor(steps, {
    clock,
    world,
    ...(setup.reconcile === undefined ? undefined : { reconcile: setup.reconcile }),
  });
  const given = typeof setup.options === "function" ? setup.options(bench) : (setup.options ?? {});
  for (const [ms, act] of Object.entries(setup.at ?? {})) clock.setTimer(() => act(bench), Number(ms));
  const report = await clock.run(() =>
    execute(setup.decision ?? { action: "ACT" }, setup.context ?? {}, definePolicy(setup.policy), executor, {
      clock,
      executionId: "exec-1",
      onEvent: (event) => events.push(event),
      ...given,
    }),
  );
  return { report, executor, calls: executor.calls, ...bench };
}

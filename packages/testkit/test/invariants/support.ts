import {
  definePolicy,
  type ExecuteOptions,
  type ExecutionContext,
  type ExecutionEvent,
  type ExecutionPolicyInput,
  execute,
  type FinalDecisionInput,
  planExecution,
} from "@eoc/core";
import {
  createScriptedExecutor,
  createVirtualClock,
  createWorld,
  type Recorded,
  type ScriptedExecutorOptions,
  type ScriptedStep,
  type StepFor,
  type VirtualClock,
  type World,
} from "@eoc/testkit";

export interface Setup {
  decision?: FinalDecisionInput;
  context?: ExecutionContext;
  policy?: ExecutionPolicyInput;
  steps: readonly ScriptedStep[] | StepFor;
  reconcile?: NonNullable<ScriptedExecutorOptions["reconcile"]>;
  options?: (bench: { clock: VirtualClock; world: World }) => ExecuteOptions;
  world?: World;
}

/** Runs one execution, and what comes after it, in virtual time, and records everything. */
export async function record(
  setup: Setup,
): Promise<Required<Pick<Recorded, "events">> & Recorded & { clock: VirtualClock }> {
  const { decision = { action: "ACT" }, context = {}, policy = {}, steps, reconcile, options } = setup;
  const clock = createVirtualClock();
  const world = setup.world ?? createWorld();
  const events: ExecutionEvent[] = [];
  const executor = createScriptedExecutor(steps, { clock, world, ...(reconcile === undefined ? {} : { reconcile }) });
  const report = await clock.run(() =>
    execute(decision, context, policy, executor, {
      clock,
      executionId: "execution",
      onEvent: (event) => events.push(event),
      ...options?.({ clock, world }),
    }),
  );
  await clock.runUntilIdle();
  const plan = planExecution(decision as never, definePolicy(policy));
  return { plan, policy, events, report, world, clock };
}

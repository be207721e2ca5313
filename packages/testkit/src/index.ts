// Time.

// Inputs.
export { aContext, aDecision, aPlan, aPolicy } from "./builders.js";
export { DeadlockError, isDeadlockError, type Waiting, type WaitingTimer } from "./deadlock-error.js";
// Ports.
export {
  createFakeKillSwitch,
  type FakeKillSwitch,
  type KillSwitchRead,
  type ScriptedRead,
} from "./fake-kill-switch.js";
// Executors and the world they act on.
export { createFlakyExecutor, type FlakyExecutorOptions, type FlakyRates } from "./flaky-executor.js";
export { type NaiveOutcome, naiveRetry } from "./naive-retry.js";
export {
  createScriptedExecutor,
  type ScriptedCall,
  type ScriptedExecutor,
  type ScriptedExecutorOptions,
  type StepFor,
} from "./scripted-executor.js";
export { hangs, rejects, returns, type ScriptedStep, succeeds, succeedsLate, throws } from "./scripted-step.js";
export { createVirtualClock, type SleepOptions, type VirtualClock, type VirtualClockOptions } from "./virtual-clock.js";
export { createWorld, type World, type WorldEffect, type WorldOptions } from "./world.js";

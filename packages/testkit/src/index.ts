// Time.

export { DeadlockError, isDeadlockError, type Waiting, type WaitingTimer } from "./deadlock-error.js";
export { createVirtualClock, type SleepOptions, type VirtualClock, type VirtualClockOptions } from "./virtual-clock.js";

// Inputs.

export { aContext, aDecision, aPlan, aPolicy } from "./builders.js";

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
export { createWorld, type World, type WorldEffect, type WorldOptions } from "./world.js";

// Ports.

export {
  createFakeKillSwitch,
  type FakeKillSwitch,
  type KillSwitchRead,
  type ScriptedRead,
} from "./fake-kill-switch.js";
export type { Fault, FaultName, FaultRates, FaultSpec } from "./fault.js";
export {
  type Faults,
  type Faulty,
  type FaultyMethod,
  type FaultyOptions,
  faulty,
  type MethodFaults,
} from "./faulty.js";
export type { FaultyCall, UpcomingCall } from "./faulty-call.js";

// Checks.

export { checkInvariants, type Recorded } from "./invariants/check-invariants.js";
export type { InvariantId, Violation } from "./invariants/violation.js";

// Search.

export type { Choice } from "./explore/choices.js";
export { type ExploreOptions, type ExploreResult, explore } from "./explore/explore.js";
export type { ExploreFailure } from "./explore/failure.js";
export type { ExploredExecution, FaultMenus, Lab, LabExecution, Moments } from "./explore/lab.js";
export type { ExploredRun } from "./explore/trial.js";

// Contracts.

export type { ContractBench, ContractCase, UnderTest } from "./contracts/contract-case.js";
export type { ContractTiming } from "./contracts/contract-time.js";
export type { ExecutorUnderTest, OutsideWorld } from "./contracts/executor/executor-desk.js";
export { type ExecutorCapabilities, executorContract } from "./contracts/executor-contract.js";
export type { StoreUnderTest } from "./contracts/idempotency-store/store-desk.js";
export { idempotencyStoreContract, type StoreCapabilities } from "./contracts/idempotency-store-contract.js";
export { type JournalCapabilities, type JournalUnderTest, journalContract } from "./contracts/journal-contract.js";
export type { KillSwitchUnderTest } from "./contracts/kill-switch/switch-desk.js";
export { type KillSwitchCapabilities, killSwitchContract } from "./contracts/kill-switch-contract.js";
export type { RateLimiterUnderTest } from "./contracts/rate-limiter/limiter-desk.js";
export { type RateLimiterCapabilities, rateLimiterContract } from "./contracts/rate-limiter-contract.js";

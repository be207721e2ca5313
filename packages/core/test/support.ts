// Core cannot depend on testkit, which depends on core: its tests reach testkit's sources through this file.
export { aContext, aDecision, aPlan, aPolicy } from "../../testkit/src/builders.js";
export { createFakeKillSwitch } from "../../testkit/src/fake-kill-switch.js";
export { createScriptedExecutor } from "../../testkit/src/scripted-executor.js";
export {
  hangs,
  rejects,
  returns,
  type ScriptedStep,
  succeeds,
  succeedsLate,
  throws,
} from "../../testkit/src/scripted-step.js";
export { createVirtualClock, type VirtualClock } from "../../testkit/src/virtual-clock.js";
export { createWorld } from "../../testkit/src/world.js";
export { readVectors, type VectorCase } from "../../decision-schema/test/vectors.js";

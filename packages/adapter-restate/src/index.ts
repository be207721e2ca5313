import { checkRuntime } from "./node-version.js";

checkRuntime(Promise, globalThis.process?.versions?.node);

export { EFFECT_IN_DOUBT } from "./driver/executor-desk.js";
export { type DurableRequest, type DurableSetup, executeDurably } from "./execute-durably.js";
export type { DurableExecuteOptions, DurablePorts, DurableSettings } from "./options.js";
export {
  createRestateExecution,
  type RestateExecutionOptions,
  type RestateExecutionRequest,
} from "./restate-execution.js";

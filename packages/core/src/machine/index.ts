export { PermitLine, type Ticket } from "../local/permit-line.js";
export { rateRequests } from "../policy/rate-requests.js";
export { reportOf } from "../report/summary.js";
export type { AbortCause, Command, KeyOutcome } from "./commands.js";
export type { ClaimAnswer, GateAnswer, Input, PermitAnswer } from "./inputs.js";
export { step } from "./machine.js";
export { errorTypeOf, judgeResult, judgeThrown, type Settlement, safeCode } from "./outcome.js";
export { type MachineSnapshot, restore, snapshot } from "./snapshot.js";
export { type ActionState, type AttemptState, type Facts, type Machine, type Phase, startMachine } from "./state.js";

import type { PlannedAction } from "../plan.js";

/** What a gate is told about the attempt that it may refuse. */
export interface GateInfo {
  executionId: string;
  actionIndex: number;
  /** 0 is the first dispatch of the action. */
  attempt: number;
}

/**
 * A gate's answer. `code` becomes the row's `errorCode`. With `retryAfterMs` the action waits so long, at least a millisecond, and the gate is
 * asked again, as often as the deadline allows; without it, and where it is over the policy's `maxRetryAfterMs`, the action ends.
 */
export type GateVerdict = { allow: true } | { allow: false; code: string; retryAfterMs?: number };

/** A check of your own before every dispatch. Throwing, hanging or returning anything else denies (fail closed). */
export type Gate = (action: PlannedAction, info: GateInfo) => GateVerdict | Promise<GateVerdict>;

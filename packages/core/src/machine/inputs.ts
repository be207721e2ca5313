import type { HaltCause } from "../report/events.js";
import type { Settlement } from "./outcome.js";

interface Stamp {
  /** Monotonic milliseconds since the execution started. Never less than that of the input before. */
  at: number;
  /** Wall clock at that moment. Needed only where an approval expires (S1.8). */
  wallMs?: number;
}

interface ActionStamp extends Stamp {
  action: number;
}

/** What came of a command, or happened by itself. Stamped with the time at which it happened. */
export type Input =
  | (Stamp & { type: "start" })
  /** Answers `yield`: whatever happened in the meantime has been fed. */
  | (Stamp & { type: "resume" })
  /** The timer set last came due. `action` −1 is the execution's own. */
  | (ActionStamp & { type: "timer" })
  | (Stamp & { type: "halt"; cause: HaltCause })
  | (ActionStamp & { type: "key_derived"; key?: string })
  | (ActionStamp & { type: "bulkhead"; verdict: "entered" | "queued" | "full" | "unavailable" })
  | (ActionStamp & { type: "claim"; verdict: ClaimAnswer })
  | (ActionStamp & { type: "gates"; verdict: GateAnswer })
  | (ActionStamp & { type: "permit"; verdict: PermitAnswer })
  /** Nobody is before the action in the line for permits any more. */
  | (ActionStamp & { type: "permit_turn" })
  | (ActionStamp & { type: "intent"; ok: boolean })
  /** `heldUntil`, here and below: nothing is known of the claim for any later time; on the scale of `at`. Without it the claim counts as held. */
  | (ActionStamp & { type: "key_started"; verdict: "done" | "stale" | "unavailable"; heldUntil?: number })
  | (ActionStamp & { type: "switch"; verdict: "open" | "halted" | "unavailable"; heldUntil?: number })
  | (ActionStamp & { type: "settled"; attempt: number; settlement: Settlement })
  | (ActionStamp & { type: "reconciled"; verdict: "applied" | "not_applied" | "unknown"; errorType?: string })
  | (ActionStamp & { type: "retry_budget"; verdict: "granted" | "exhausted" | "unavailable" })
  | (ActionStamp & { type: "recorded"; ok: boolean })
  | (Stamp & { type: "listener_failed"; errorType: string });

/** What the idempotency store said to a claim (S7.2); `unavailable`: nothing that can be used, or not in time. */
export type ClaimAnswer =
  | { state: "claimed"; token: string | number }
  | { state: "completed"; valueOmitted?: boolean }
  | { state: "in_progress" | "conflict" | "unknown" | "unavailable" };

/** What the gates said to an attempt; `unavailable`: one of them failed, or did not answer in time. */
export type GateAnswer =
  | { state: "allowed" }
  | { state: "unavailable" }
  | { state: "denied"; code: string; retryAfterMs?: number };

/** `behind`: somebody else has to be served before, and cannot be for `retryAfterMs` (S6.3). */
export type PermitAnswer =
  | { state: "granted" }
  | { state: "unavailable" }
  | { state: "refused" | "behind"; retryAfterMs: number };

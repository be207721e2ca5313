import type { Finding } from "./findings.js";

/** A dispatch that was intended and has no end in the journal: what was in flight when the journal stopped. */
export interface OpenIntent {
  executionId: string;
  actionIndex: number;
  /** The action's own id, else `action-<index>`. */
  actionId: string;
  action: string;
  attemptNumber: number;
  /** What the outside world can be asked by, where the action had one. */
  idempotencyKey?: string;
  /** When it was intended, and when dispatched, by the events. */
  intendedAtMs: number;
  startedAtMs?: number;
  /** Whether the dispatch itself was recorded. When not, it may have happened all the same. */
  dispatched: boolean;
  /** Where its intent is. */
  line: number;
  seq: number;
}

export interface PairingFinding extends Finding<"PASS" | "OPEN" | "FAIL"> {
  /** Dispatches without an end, in the order of their intents. */
  openIntents: readonly OpenIntent[];
}

import type { Finding } from "./findings.js";

/**
 * A dispatch that may or may not have been applied: it was in flight when the journal stopped, or ended with an unknown outcome that
 * nothing has settled. A late answer, reconcile, also of another execution that finds the key in doubt, and a settlement
 * (`JsonlJournal.settle`) end the doubt.
 */
export interface OpenIntent {
  executionId: string;
  actionIndex: number;
  /** The action's own id, else `action-<index>`. */
  actionId: string;
  /** Empty where it is in a file that was not given. */
  action: string;
  attemptNumber: number;
  /** What the outside world can be asked by, where the action had one. */
  idempotencyKey?: string;
  /** When it was intended, and when dispatched, by the events. */
  intendedAtMs: number;
  startedAtMs?: number;
  /** Whether the dispatch itself was recorded. When not, it may have happened all the same. */
  dispatched: boolean;
  /** Its end is on record, and nobody knows what it came to. Absent for what was in flight. */
  outcome?: "unknown";
  /** Where its intent is. */
  line: number;
  seq: number;
}

/** An execution without an end, of a writer that a restart has replaced, in which nothing is in doubt. */
export interface CutShort {
  executionId: string;
  /** Where it started. */
  line: number;
  seq: number;
}

/**
 * Whether everything begun has its end: `OPEN` where something has none. What has ended with an unknown outcome has its end, and leaves
 * the verdict `PASS`: whether something is in doubt `openIntents` says, whatever the verdict.
 */
export interface PairingFinding extends Finding<"PASS" | "OPEN" | "FAIL"> {
  /** Dispatches that may or may not have been applied, in the order of their intents. */
  openIntents: readonly OpenIntent[];
  /** Executions that a restart cut short, with nothing in doubt: nobody has to find out anything. They leave nothing `OPEN`. */
  cutShort: readonly CutShort[];
}

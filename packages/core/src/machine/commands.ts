import type { ExecutionEvent } from "../report/events.js";

/** Why an attempt is aborted (S4.2). */
export type AbortCause = "attempt_timeout" | "deadline" | "halt" | "cancelled";

/** What becomes of an action's idempotency key. */
export type KeyOutcome = "complete" | "release" | "unknown";

interface ActionCommand {
  action: number;
}

/** Calls of the outside are cut off at `limitAt`, on the scale of the inputs' `at`. */
interface LimitedCommand extends ActionCommand {
  limitAt: number;
}

/** What a driver is to do, in this order. Each comment names the input that answers. */
export type Command =
  /** Make the action's idempotency key → `key_derived`. */
  | (ActionCommand & { type: "derive_key" })
  /** Take or queue for a shared slot → `bulkhead`, once more when a queued one gets in. */
  | (ActionCommand & { type: "enter_bulkhead" })
  /** Leave the queue. */
  | (ActionCommand & { type: "abandon_bulkhead" })
  /** Give the shared slot back. */
  | (ActionCommand & { type: "leave_bulkhead" })
  /** → `claim`. With `takeOver`, a key in doubt is claimed too. */
  | (LimitedCommand & { type: "claim_key"; takeOver: boolean })
  /** Ask the gates one after the other, up to the first that does not allow → `gates`. */
  | (LimitedCommand & { type: "ask_gates"; attempt: number })
  /** → `permit` */
  | (LimitedCommand & { type: "acquire_permit" })
  /**
   * Stand in the line for permits, or keep the place there, until `leave_line`. The limiter refused, and may be asked again at `at`;
   * or, if `behind`, somebody else may be served then → `permit_turn`, as soon as nobody is before.
   */
  | (ActionCommand & { type: "join_line"; at: number; behind: boolean })
  /** Leave it; `granted` a permit, those behind may come earlier. */
  | (ActionCommand & { type: "leave_line"; granted: boolean })
  /** Hand the permit back. */
  | (ActionCommand & { type: "cancel_permit" })
  /** Show and append the event durably → `intent`. */
  | (LimitedCommand & { type: "intend"; event: ExecutionEvent })
  /** → `key_started` */
  | (LimitedCommand & { type: "start_key" })
  /** → `switch` */
  | (LimitedCommand & { type: "read_switch" })
  /** Stamp the permit, call the executor, set the timer at `limitAt` unless it has settled by then → `settled`. */
  | (LimitedCommand & { type: "dispatch"; attempt: number })
  /** Abort the attempt's signal. */
  | (ActionCommand & { type: "abort"; attempt: number; cause: AbortCause })
  /** Ask the outside world what became of the attempt → `reconciled`. */
  | (LimitedCommand & { type: "reconcile"; attempt: number })
  /** → `retry_budget` */
  | (ActionCommand & { type: "take_retry" })
  /** Tell the retry budget of a success. */
  | { type: "refill_retries" }
  /** Write the key's outcome → `recorded`. */
  | (LimitedCommand & { type: "record_key"; outcome: KeyOutcome })
  /** → `timer` at `at`. Replaces the action's timer. `action` −1 is the execution's own. */
  | (ActionCommand & { type: "set_timer"; at: number })
  | (ActionCommand & { type: "clear_timer" })
  /** Show and append the event; nothing answers. */
  | { type: "emit"; event: ExecutionEvent }
  /** Feed everything that has happened in the meantime, then `resume`. */
  | { type: "yield" }
  /** All rows are final: flush the journal, at the longest until `limitAt`, and hand the report out. */
  | { type: "finish"; limitAt: number };

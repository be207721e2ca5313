import type { ExecutionContext } from "@eoc/decision-schema/read";
import { step } from "../machine/machine.js";
import type { Machine } from "../machine/state.js";
import type { ExecuteOptions } from "../options.js";
import type { Clock } from "../ports/clock.js";
import type { ExecuteFn, ReconcileFn } from "../ports/executor.js";
import type { HaltCause } from "../report/events.js";
import type { Attempt } from "./attempt.js";
import type { Pump } from "./pump.js";

/** What was given for the execution, checked and frozen. */
export interface PreparedExecution {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly context: Readonly<ExecutionContext>;
  readonly execute: ExecuteFn;
  readonly reconcile: ReconcileFn | undefined;
  readonly options: ExecuteOptions;
}

/** What ended the wait of a whole execution for a slot; `broken` when there was no telling the time any longer. */
export type WaitEnd = "slot" | "deadline" | "halt" | "broken";

/** An attempt that was begun before there was a driver. */
export interface UnderWay {
  readonly attempt: Attempt;
  readonly at: number;
  /** It queued for its slot of the bulkhead. */
  readonly waited: boolean;
  /** When the caller's cancel was obeyed: it was aborted then. */
  readonly cancelledAt: number | undefined;
  /** The end of its time, or of its grace. */
  readonly limitAt: number;
  /** Its limit is ahead, has come, or cannot be told since the clock failed; undefined where its answer comes at once. */
  readonly limit: "ahead" | "reached" | "untold" | undefined;
  /** What has not been obeyed yet. */
  readonly halt: HaltCause | undefined;
  /** Of the promise that was given for the report; undefined where there is none, or it is used up. */
  readonly wake: ((self: Pump) => void) | undefined;
}

/** What a driver is to do that could not tell the time while the execution waited. */
export function breakDown(): never {
  throw new Error("the clock failed while the execution waited");
}

/** Brings a new machine to where its first action queues for a shared slot. What these steps ask for is done. */
export function queueAgain(machine: Machine): void {
  step(machine, { type: "start", at: 0 });
  step(machine, { type: "bulkhead", action: 0, verdict: "queued", at: 0 });
  step(machine, { type: "resume", at: 0 });
}

/** The same to where its only action is with the executor, since `at`, and has been told to stop. */
export function dispatchAgain(machine: Machine, { at, waited, cancelledAt }: UnderWay): void {
  if (waited) queueAgain(machine);
  else step(machine, { type: "start", at: 0 });
  if (machine.facts.hasBulkhead) step(machine, { type: "bulkhead", action: 0, verdict: "entered", at });
  if (cancelledAt !== undefined) step(machine, { type: "halt", cause: "cancelled", at: cancelledAt });
}

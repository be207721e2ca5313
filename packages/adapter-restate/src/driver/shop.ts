import type { Clock, ExecuteFn, ExecutionContext, ReconcileFn } from "@eoc/core";
import type { Machine } from "@eoc/core/machine";
import type { DurablePorts } from "../options.js";

/** What the live parts of an execution work with. */
export interface Shop {
  readonly machine: Machine;
  readonly context: Readonly<ExecutionContext>;
  readonly execute: ExecuteFn;
  readonly reconcile: ReconcileFn | undefined;
  readonly ports: DurablePorts;
  readonly clock: Clock;
  readonly storeValues: boolean;
  readonly haltWatchMs: number;
  /** On the wall clock: when nothing of this execution can be left, whatever happens. */
  readonly lastsUntilMs: number;
  /** Whole milliseconds since the execution started, on this process's wall clock: the one scale that processes share. */
  now(): number;
  /** Executors are looked at again: a cancel has come. */
  poke(): void;
}

/** How long an intent may be acted on: whoever finds it older makes a new one first. */
export function intentLifeMs({ machine }: Shop): number {
  return 2 * machine.policy.timeout.portTimeoutMs;
}

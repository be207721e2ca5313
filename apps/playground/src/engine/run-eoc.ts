import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  type ExecutionEvent,
  type ExecutionReport,
  type Executor,
  execute,
  type Journal,
  type ReconcileFn,
} from "@eoc/core";
import type { WorldEffect } from "@eoc/testkit";
import type { Met } from "./network.js";
import type { PlaySetup } from "./play-setup.js";
import { openSimulation } from "./simulation.js";

/** How long the world takes to say what became of a request. */
export const RECONCILE_MS = 30;

/** What one process saw of it. */
interface ProcessRun {
  readonly executionId: string;
  readonly startedAtMs: number;
  readonly diedAtMs?: number;
  readonly events: readonly ExecutionEvent[];
}

/** What came of a setup under EOC. Times are virtual milliseconds since the start. */
export interface EocRun {
  readonly report: ExecutionReport;
  /** One, and another where the first died. */
  readonly processes: readonly ProcessRun[];
  readonly effects: readonly WorldEffect[];
  readonly met: readonly Met[];
}

/** Gives the journal of process number `process`; by default none is kept. */
export type OpenJournal = (process: number) => Journal | undefined;

/** The id of the execution of process number `process`. */
export function executionIdOf(name: string, process: number): string {
  return process === 0 ? name : `${name}-again`;
}

/** Executes a setup's decision on a virtual clock of its own, and waits for what arrives after the report. */
export async function runEoc(setup: PlaySetup, openJournal: OpenJournal = () => undefined): Promise<EocRun> {
  const { clock, world, network, begin, effects } = openSimulation(setup);
  const killSwitch = createManualKillSwitch();
  if (setup.haltAtMs !== undefined) clock.setTimer(() => killSwitch.halt("the red button"), setup.haltAtMs);
  const ports = {
    killSwitch,
    idempotencyStore: createMemoryIdempotencyStore({ clock }),
    rateLimiter: createMemoryRateLimiter(),
    seed: setup.seed,
  };
  const reconcile: ReconcileFn = async ({ id }) => {
    await clock.sleep(RECONCILE_MS);
    return { state: world.has(id) ? "applied" : "not_applied" };
  };

  const processes: ProcessRun[] = [];
  const live = async (): Promise<ExecutionReport> => {
    const process = begin();
    const number = processes.length;
    const events: ExecutionEvent[] = [];
    const run = { executionId: executionIdOf(setup.name, number), startedAtMs: clock.monotonic(), events };
    processes.push(run);
    const executor: Executor = {
      execute: (action, attempt) => process.hears(network.send(action, attempt)),
      ...(setup.reconcile ? { reconcile } : undefined),
    };
    const journal = openJournal(number);
    const report = execute(setup.decision, setup.context, setup.policy, executor, {
      ...ports,
      clock: process.clock,
      executionId: run.executionId,
      onEvent: (event) => events.push(event),
      ...(journal === undefined ? undefined : { journal }),
    });
    const death = process.death.then(async () => {
      processes[number] = { ...run, diedAtMs: clock.monotonic() };
      await clock.sleep(setup.restartAfterMs);
      return live();
    });
    return Promise.race([report, death]);
  };

  const report = await clock.run(live);
  // What is still to come: late answers, a halt that came too late.
  await clock.runUntilIdle();
  return { report, processes, effects: effects(), met: network.met };
}

import { setTimeout as sleep } from "node:timers/promises";
import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  createSystemClock,
  type ExecutionEvent,
  type ExecutionReport,
  type Executor,
  execute,
} from "@eoc/core";
import { createJsonlJournal, verifyJournal } from "@eoc/trace";
import { createFileSink, readJournalFile } from "@eoc/trace/node";
import { createMortalProcess } from "../engine/mortal-process.js";
import type { Scenario } from "../scenario/scenario.js";
import type { World } from "./world.js";
import { createWorldExecutor } from "./world-executor.js";

export interface Executed {
  readonly report: ExecutionReport;
  /** Of the process that lived to see the end. */
  readonly events: readonly ExecutionEvent[];
  /** Records in the journal, when nothing is wrong with it, it ends at its head, and it keeps to the policy on record. */
  readonly journalRecords: number | undefined;
}

/** Executes a scenario's decision against a world, with a journal in a file; once more where the scenario lets the first process die. */
export async function executeScenario(
  scenario: Scenario,
  world: World,
  origin: string,
  { journalFile, signal, seed }: { journalFile: string; signal?: AbortSignal | undefined; seed?: string | undefined },
): Promise<Executed> {
  const sink = createFileSink(journalFile);
  let journal = createJsonlJournal(sink);
  const clock = createSystemClock();
  const killSwitch = createManualKillSwitch();
  const ports = {
    killSwitch,
    idempotencyStore: createMemoryIdempotencyStore(),
    rateLimiter: createMemoryRateLimiter(),
    ...(seed === undefined ? undefined : { seed }),
    ...(signal === undefined ? undefined : { signal }),
  };
  const ended = new AbortController();
  const { haltAfterMs } = scenario;
  if (haltAfterMs !== undefined) {
    const halting = world.firstRequest.then(() => sleep(haltAfterMs, undefined, { signal: ended.signal }));
    halting.then(() => killSwitch.halt("the scenario says so")).catch(() => {});
  }
  const { execute: send, ...rest } = createWorldExecutor(scenario, world, origin);
  let events: ExecutionEvent[] = [];
  let crashed = world.crash;
  let isAgain = false;

  const live = (): Promise<ExecutionReport> => {
    const process = createMortalProcess(clock);
    const seen: ExecutionEvent[] = [];
    events = seen;
    const executor: Executor = {
      ...rest,
      execute: (action, attempt) => process.hears(Promise.resolve(send(action, attempt))),
    };
    const report = execute(scenario.decision, scenario.context, scenario.policy, executor, {
      ...ports,
      clock: process.clock,
      journal: journal.forExecution(scenario.decision, scenario.policy),
      executionId: isAgain ? `${scenario.name}-again` : scenario.name,
      onEvent: (event) => seen.push(event),
    });
    const again = crashed.then(async () => {
      process.die();
      crashed = new Promise(() => {});
      isAgain = true;
      await sleep(scenario.restartAfterMs);
      journal = createJsonlJournal(sink, { head: journal.head() });
      return live();
    });
    return Promise.race([report, again]);
  };

  try {
    const report = await live();
    await sink.close();
    const verdict = await verifyJournal(readJournalFile(journalFile), {
      head: journal.head(),
      policy: scenario.policy,
    });
    const isProven = verdict.ok && [verdict.conformance, verdict.completeness].every((each) => each.verdict === "PASS");
    return { report, events, journalRecords: isProven ? verdict.recordCount : undefined };
  } finally {
    ended.abort();
    await sink.close();
  }
}

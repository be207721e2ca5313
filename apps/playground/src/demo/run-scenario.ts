import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createHttpExecutor } from "@eoc/adapter-http";
import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  type ExecutionEvent,
  type ExecutionReport,
  execute,
} from "@eoc/core";
import { packetToDict } from "@eoc/decision-schema";
import { buildPacket, createJsonlJournal, verifyJournal } from "@eoc/trace";
import { createFileSink, readJournalFile } from "@eoc/trace/node";
import { type NaiveBelief, runNaively } from "./naive-retry.js";
import type { Expectation, Scenario } from "./scenario.js";
import type { World, WorldService } from "./world.js";

/** What came of one scenario: EOC's account, the world's ledgers, and the record that was kept. */
export interface ScenarioRun {
  readonly scenario: Scenario;
  readonly report: ExecutionReport;
  readonly events: readonly ExecutionEvent[];
  readonly world: World;
  /** The identical world that naive retry acted on, and what it believes. */
  readonly naiveWorld: World;
  readonly naiveBelief: NaiveBelief;
  readonly packetFile: string;
  readonly journalFile: string;
  /** Records in the journal, when it verifies up to its head. */
  readonly journalRecords: number | undefined;
  /** Undefined when the scenario expects nothing. */
  readonly asExpected: boolean | undefined;
}

/**
 * Executes a scenario's decision against a fresh world, keeps its packet and journal in `folder`, then lets naive retry
 * loose on an identical world.
 */
export async function runScenario(
  scenario: Scenario,
  step: number,
  service: WorldService,
  folder: string,
  signal?: AbortSignal,
): Promise<ScenarioRun> {
  const world = service.open(scenario.world);
  const journalFile = join(folder, `${scenario.name}.journal.jsonl`);
  const { report, events, journalRecords } = await executeScenario(
    scenario,
    world,
    service.origin,
    journalFile,
    signal,
  );

  const packetFile = join(folder, `${scenario.name}.packet.json`);
  const { decision, context } = scenario;
  const input = { scenario: scenario.name };
  const packet = buildPacket({ runId: report.executionId, step, input, context, decision, report });
  await writeFile(packetFile, `${JSON.stringify(packetToDict(packet), null, 2)}\n`);

  const naiveWorld = service.open(scenario.world);
  const naiveBelief = await runNaively(decision, scenario.policy, naiveWorld);
  const run = { scenario, report, events, world, naiveWorld, naiveBelief, packetFile, journalFile, journalRecords };
  return { ...run, asExpected: scenario.expect && meets(scenario.expect, run) };
}

async function executeScenario(
  scenario: Scenario,
  world: World,
  origin: string,
  journalFile: string,
  signal?: AbortSignal,
) {
  const sink = createFileSink(journalFile);
  const journal = createJsonlJournal(sink);
  const killSwitch = createManualKillSwitch();
  const ended = new AbortController();
  const { haltAfterMs } = scenario;
  if (haltAfterMs !== undefined) {
    const halting = world.firstRequest.then(() => sleep(haltAfterMs, undefined, { signal: ended.signal }));
    halting.then(() => killSwitch.halt("the scenario says so")).catch(() => {});
  }
  const events: ExecutionEvent[] = [];
  try {
    const report = await execute(
      scenario.decision,
      scenario.context,
      scenario.policy,
      executorFor(scenario, world, origin),
      {
        executionId: scenario.name,
        journal,
        killSwitch,
        idempotencyStore: createMemoryIdempotencyStore(),
        rateLimiter: createMemoryRateLimiter(),
        onEvent: (event) => events.push(event),
        ...(signal === undefined ? undefined : { signal }),
      },
    );
    await sink.close();
    const { ok, recordCount } = await verifyJournal(readJournalFile(journalFile), { head: journal.head() });
    return { report, events, journalRecords: ok ? recordCount : undefined };
  } finally {
    ended.abort();
    await sink.close();
  }
}

function executorFor({ reconcile }: Scenario, world: World, origin: string) {
  const urlOf = ({ id }: { id: string }) => `${world.url}/${encodeURIComponent(id)}`;
  return createHttpExecutor({
    request: (action) => ({ method: "POST", url: urlOf(action), body: action.params }),
    allowedOrigins: [origin],
    allowPrivateAddresses: true,
    ...(reconcile && {
      reconcile: {
        request: (action) => ({ method: "GET", url: urlOf(action) }),
        // This world applies a request as it arrives, so that nothing found means that nothing came.
        decide: ({ status, value }) => {
          if (status === 200) return { state: "applied", value };
          return { state: status === 404 ? "not_applied" : "unknown" };
        },
      },
    }),
  });
}

function meets({ status, reason, effects, naiveEffects }: Expectation, run: Omit<ScenarioRun, "asExpected">): boolean {
  return (
    run.report.status === status &&
    (reason === undefined || run.report.reason === reason) &&
    (effects === undefined || run.world.ledger.length === effects) &&
    (naiveEffects === undefined || run.naiveWorld.ledger.length === naiveEffects)
  );
}

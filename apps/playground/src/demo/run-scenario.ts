import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ExecutionEvent, ExecutionReport } from "@eoc/core";
import { packetToDict } from "@eoc/decision-schema";
import { buildPacket } from "@eoc/trace";
import type { Expectation, Scenario } from "../scenario/scenario.js";
import { executeScenario } from "./execute-scenario.js";
import { type NaiveBelief, runNaively } from "./naive-retry.js";
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
  /** Records in the journal, when nothing is wrong with it, it ends at its head, and it keeps to the policy on record. */
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
  { signal, seed }: { signal?: AbortSignal | undefined; seed?: string | undefined } = {},
): Promise<ScenarioRun> {
  const world = service.open(scenario.world, seed);
  const journalFile = join(folder, `${scenario.name}.journal.jsonl`);
  const { report, events, journalRecords } = await executeScenario(scenario, world, service.origin, {
    journalFile,
    signal,
    seed,
  });

  const packetFile = join(folder, `${scenario.name}.packet.json`);
  const { decision, context } = scenario;
  const input = { scenario: scenario.name };
  const packet = buildPacket({ runId: report.executionId, step, input, context, decision, report });
  await writeFile(packetFile, `${JSON.stringify(packetToDict(packet), null, 2)}\n`);

  const naiveWorld = service.open(scenario.world, seed);
  const naiveBelief = await runNaively(scenario, naiveWorld);
  const run = { scenario, report, events, world, naiveWorld, naiveBelief, packetFile, journalFile, journalRecords };
  return { ...run, asExpected: scenario.expect && meets(scenario.expect, run) };
}

function meets({ status, reason, effects, naiveEffects }: Expectation, run: Omit<ScenarioRun, "asExpected">): boolean {
  return (
    run.report.status === status &&
    (reason === undefined || run.report.reason === reason) &&
    (effects === undefined || run.world.ledger.length === effects) &&
    (naiveEffects === undefined || run.naiveWorld.ledger.length === naiveEffects)
  );
}

import { type ExecutionReport, explainPolicy, type PolicyBounds, planExecution } from "@eoc/core";
import { canonicalJson, sha256Hex } from "@eoc/decision-schema";
import { checkInvariants, type Violation, type WorldEffect } from "@eoc/testkit";
import { createJsonlJournal, explainReport, type JournalHead, reportToDict } from "@eoc/trace";
import { eocTracks } from "./eoc-tracks.js";
import { naiveTracks } from "./naive-tracks.js";
import type { Met } from "./network.js";
import { type PlaySetup, START_MS } from "./play-setup.js";
import { type EocRun, runEoc } from "./run-eoc.js";
import { type NaiveBelief, runNaive } from "./run-naive.js";
import { endOf, type Tracks } from "./tracks.js";

/** One side of the page: what happened outside, and its own account of it. */
export interface Side extends Tracks {
  readonly effects: readonly WorldEffect[];
  readonly requests: number;
  /** When it had its say. */
  readonly endMs: number;
}

/** A whole run of a setup, ready to be played. */
export interface Recording {
  readonly setup: PlaySetup;
  readonly eoc: Side & { readonly report: ExecutionReport; readonly story: string; readonly met: readonly Met[] };
  readonly naive: Side & { readonly belief: NaiveBelief };
  /** What the policy allows at worst. */
  readonly bounds: PolicyBounds;
  /** SHA-256 over the canonical JSON of the report's wire form. */
  readonly reportHash: string;
  readonly journal: { readonly lines: readonly string[]; readonly head: JournalHead };
  /** What EOC promises and did not keep. Always empty. */
  readonly violations: readonly Violation[];
  /** When the last thing happened on either side. */
  readonly endMs: number;
}

/** The hash that page and copied test compare. */
export function hashOf(report: ExecutionReport): string {
  return sha256Hex(canonicalJson(reportToDict(report)));
}

/** Runs a setup on both sides, each in a world of its own behind the same network. */
export async function record(setup: PlaySetup): Promise<Recording> {
  const lines: string[] = [];
  let journal = createJsonlJournal({ append: (line) => void lines.push(line) });
  const run = await runEoc(setup, (process) => {
    if (process > 0) {
      journal = createJsonlJournal({ append: (line) => void lines.push(line) }, { head: journal.head() });
    }
    return journal.forExecution(setup.decision, setup.policy);
  });
  const naive = await runNaive(setup);
  const [ours, theirs] = [eocTracks(run.processes, START_MS), naiveTracks(naive, setup)];
  const { report } = run;
  const eocEndMs = report.startedAtMs - START_MS + report.totalLatencyMs;
  const { seq, hash } = journal.head();
  return {
    setup,
    eoc: {
      ...ours,
      effects: run.effects,
      requests: run.met.filter(wasSent).length,
      endMs: eocEndMs,
      report,
      story: explainReport(report),
      met: run.met,
    },
    naive: {
      ...theirs,
      effects: naive.effects,
      requests: naive.met.filter(wasSent).length,
      endMs: naive.endMs,
      belief: naive.belief,
    },
    bounds: explainPolicy(setup.policy, planExecution(setup.decision, setup.policy)),
    reportHash: hashOf(report),
    journal: { lines, head: { seq, hash } },
    violations: violationsOf(run, setup),
    endMs: Math.max(
      eocEndMs,
      naive.endMs,
      endOf(ours),
      endOf(theirs),
      ...timesOf(run.effects),
      ...timesOf(naive.effects),
    ),
  };
}

/** Every promise of EOC, worked out again from the record of the process that lived. */
export function violationsOf(run: EocRun, { decision, policy }: PlaySetup): Violation[] {
  const { processes, report, effects } = run;
  const plan = planExecution(decision, policy);
  const events = processes.at(-1)!.events;
  // The ledger is the world's, of all processes.
  const ledger = processes.length === 1 ? { world: { effects } } : {};
  return checkInvariants({ plan, policy, events, report, ...ledger });
}

/** A request that was still being prepared when it was aborted never left. */
function wasSent({
  reply: { prepareMs },
  call: { abortedWith, startedAtMs, endedAtMs = Number.POSITIVE_INFINITY },
}: Met): boolean {
  return abortedWith === undefined || endedAtMs - startedAtMs >= prepareMs;
}

function timesOf(effects: readonly WorldEffect[]): number[] {
  return effects.map(({ atMs }) => atMs ?? 0);
}

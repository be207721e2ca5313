import type { Work } from "../contest.ts";
import { Hired } from "./hired.ts";
import { Results } from "./results.ts";
import { wantedBy } from "./wanted.ts";

/** How much of everything. */
export interface Effort {
  readonly form: "full" | "short";
  /** Fresh processes for each contestant, one set after the other. */
  readonly generations: number;
  readonly rounds: number;
  /** CPU time that a contestant has to warm up. */
  readonly warmMs: number;
  /** CPU time of one contestant's turn in one round, about. */
  readonly sliceMs: number;
}

/** What `pnpm bench` takes: every contestant. */
export const FULL: Effort = { form: "full", generations: 2, rounds: 9, warmMs: 600, sliceMs: 20 };

/** What CI takes: only the contestants that the shows look at. */
export const SHORT: Effort = { form: "short", generations: 1, rounds: 3, warmMs: 60, sliceMs: 6 };

/** A young generation in which everything that is measured has room, so that bytes are counted before they are collected. */
const ROOMY = ["--expose-gc", "--min-semi-space-size=128", "--max-semi-space-size=128"];

/** Measures one work: all contestants at once in processes of their own, but only one at a time is told to work. */
export async function measure(work: Work, effort: Effort): Promise<Results> {
  const results = new Results(work.name);
  const all = Object.keys(work.contestants);
  const wanted = wantedBy(work);
  const isFull = effort.form === "full";
  const names = isFull ? all : all.filter((name) => wanted.contestants.has(name));
  // A work whose operations are counted has done enough in one process.
  const generations = work.count === undefined ? effort.generations : 1;
  for (let generation = 0; generation < generations; generation++) await measureCpu(work, names, effort, results);
  for (const name of names) {
    if (isFull || wanted.measuredBeyondTime.has(name)) await measureMemory(work, name, effort, results);
  }
  return results;
}

async function measureCpu(work: Work, names: readonly string[], effort: Effort, results: Results): Promise<void> {
  const { warmMs, sliceMs, form } = effort;
  const count = work.count?.[form];
  const rounds = Math.min(effort.rounds, work.rounds ?? effort.rounds);
  const hired: Hired[] = [];
  try {
    for (const name of names) {
      const contestant = new Hired(work.name, name);
      hired.push(contestant);
      await contestant.ask({ order: "warm", warmMs, sliceMs, ...(count === undefined ? undefined : { count }) });
    }
    for (let round = 0; round < rounds; round++) {
      // Each goes first in turn.
      for (let place = 0; place < hired.length; place++) {
        const contestant = hired[(place + round) % hired.length]!;
        const { cpuNs } = await contestant.ask({ order: "slice" });
        results.of(contestant.name).cpuNs.push(cpuNs);
      }
    }
  } finally {
    for (const contestant of hired) contestant.dismiss();
  }
}

async function measureMemory(work: Work, name: string, { warmMs }: Effort, results: Results): Promise<void> {
  const contestant = new Hired(work.name, name, ROOMY);
  try {
    const measured = results.of(name);
    if (!work.withoutBytes) measured.bytes = (await contestant.ask({ order: "bytes", warmMs })).bytes;
    Object.assign(measured.gauges, (await contestant.ask({ order: "gauges" })).gauges);
  } finally {
    contestant.dismiss();
  }
}

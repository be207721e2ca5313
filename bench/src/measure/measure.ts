import type { Work } from "../contest.ts";
import { Hired } from "./hired.ts";
import { Results } from "./results.ts";

/** How much of everything. */
export interface Effort {
  /** Fresh processes for each contestant, one set after the other. */
  readonly generations: number;
  readonly rounds: (work: Work) => number;
  readonly warmMs: number;
  /** CPU time of one contestant's turn in one round, about. */
  readonly sliceMs: number;
  readonly form: "full" | "short";
}

/** What `pnpm bench` takes by default. A work whose operations are counted has done enough in one process. */
export const FULL: Effort = {
  generations: 2,
  rounds: (work) => work.rounds ?? 9,
  warmMs: 200,
  sliceMs: 20,
  form: "full",
};

/** What CI takes. */
export const SHORT: Effort = {
  generations: 1,
  rounds: (work) => Math.min(work.rounds ?? 5, 5),
  warmMs: 60,
  sliceMs: 6,
  form: "short",
};

/** A young generation in which everything that is measured has room, so that bytes are counted before they are collected. */
const ROOMY = ["--expose-gc", "--min-semi-space-size=128", "--max-semi-space-size=128"];

/** Measures one work: all contestants at once in processes of their own, but only one at a time is told to work. */
export async function measure(work: Work, effort: Effort): Promise<Results> {
  const results = new Results(work.name);
  const generations = work.count === undefined ? effort.generations : 1;
  for (let generation = 0; generation < generations; generation++) await measureCpu(work, effort, results);
  for (const name of Object.keys(work.contestants)) await measureMemory(work, name, effort, results);
  return results;
}

async function measureCpu(work: Work, effort: Effort, results: Results): Promise<void> {
  const { warmMs, sliceMs, form } = effort;
  const hired: Hired[] = [];
  try {
    for (const name of Object.keys(work.contestants)) {
      const contestant = new Hired(work.name, name);
      hired.push(contestant);
      const count = work.count?.[form];
      await contestant.ask({ order: "warm", warmMs, sliceMs, ...(count === undefined ? undefined : { count }) });
    }
    for (let round = 0; round < effort.rounds(work); round++) {
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

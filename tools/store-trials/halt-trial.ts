import { openNotes, startWorker, type TrialJob, type TrialPorts } from "./trial.ts";

export interface HaltTrialResult {
  readonly roundTripMs: Percentiles;
  readonly observedMs: Percentiles;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** Halts and clears, and measures how long after the call another process hears of each halt. */
export async function runHaltTrial(
  job: Pick<TrialJob, "module" | "url" | "place">,
  { killSwitch }: TrialPorts,
  rounds: number,
): Promise<HaltTrialResult> {
  const notes = openNotes();
  const { child, ended } = startWorker({ kind: "switch", ...job, file: notes.file });
  let heard = (_: { halted: boolean; atMs: number }) => {};
  child.on("message", (message) => heard(message as { halted: boolean; atMs: number }));
  const next = (halted: boolean) =>
    new Promise<number>((resolve) => {
      heard = (message) => {
        if (message.halted === halted) resolve(message.atMs);
      };
    });
  try {
    // The first halt says that the other process listens.
    const ready = next(true);
    await killSwitch.halt("ready?");
    await ready;
    const roundTrips: number[] = [];
    const observed: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const cleared = next(false);
      await killSwitch.clear();
      await cleared;
      const asked = performance.now();
      await killSwitch.read();
      roundTrips.push(performance.now() - asked);
      const hears = next(true);
      const haltedAtMs = performance.timeOrigin + performance.now();
      await killSwitch.halt("trial");
      observed.push((await hears) - haltedAtMs);
    }
    child.send("end");
    await ended;
    return { roundTripMs: percentiles(roundTrips), observedMs: percentiles(observed) };
  } finally {
    child.kill("SIGKILL");
    notes.remove();
  }
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    Number(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(2));
  return { p50: at(0.5), p99: at(0.99) };
}

import { openNotes, pause, startWorker, type TrialJob } from "./trial.ts";

export interface LimitTrialOptions {
  readonly job: Pick<TrialJob, "module" | "url" | "place">;
  readonly limit: number;
  readonly windowMs: number;
  /** How many windows' worth of starts are awaited, before and after what happens meanwhile. */
  readonly windows: number;
  /** By how much the clock of the second process is wrong. */
  readonly clockErrorMs?: number;
  /** Happens while both run. */
  readonly meanwhile?: () => Promise<void>;
}

export interface LimitTrialResult {
  readonly starts: number;
  /** The most starts that any window holds, wherever it is laid. */
  readonly most: number;
}

/** Two processes start what the limit lets them; counts the fullest window over both. */
export async function runLimitTrial(options: LimitTrialOptions): Promise<LimitTrialResult> {
  const { job, limit, windowMs, windows, clockErrorMs = 0, meanwhile } = options;
  const notes = openNotes();
  try {
    const shared = { kind: "limit" as const, ...job, file: notes.file, limit, windowMs };
    const workers = [startWorker(shared), startWorker({ ...shared, clockErrorMs })];
    const count = () => notes.lines("start").length;
    const until = async (starts: number) => {
      while (count() < starts && workers.some(({ child }) => child.exitCode === null)) await pause(20);
    };
    await until(windows * limit);
    await meanwhile?.();
    await until(count() + windows * limit);
    for (const { child } of workers) child.send("end");
    await Promise.all(workers.map(({ ended }) => ended));
    const starts = notes
      .lines("start")
      .map(Number)
      .sort((a, b) => a - b);
    return { starts: starts.length, most: fullestWindow(starts, windowMs) };
  } finally {
    notes.remove();
  }
}

/** Windows are half-open. Two processes' clocks agree to a millisecond. */
function fullestWindow(starts: readonly number[], windowMs: number): number {
  let most = 0;
  let first = 0;
  for (let last = 0; last < starts.length; last++) {
    while (starts[last]! - starts[first]! >= windowMs - 1) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

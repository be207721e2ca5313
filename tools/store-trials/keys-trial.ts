import type { IdempotencyEntry } from "@eoc/core";
import { openNotes, pause, startWorker, type TrialJob, type TrialPorts } from "./trial.ts";

export interface KeysTrialOptions {
  readonly job: Pick<TrialJob, "module" | "url" | "place">;
  /** Moments at which something is killed. */
  readonly kills: number;
  /** Kills it, and brings it back. Without it, the worker is killed. */
  readonly killServer?: () => Promise<void>;
  /** In [0, 1): which moment. */
  readonly random: (kill: number) => number;
  /** Longest time between two kills. */
  readonly everyMs: number;
  /** Keys for one life of a worker. */
  readonly keysPerLife: number;
  readonly ports: TrialPorts;
}

export interface KeysTrialResult {
  readonly kills: number;
  readonly begun: number;
  readonly acknowledged: number;
  readonly inDoubt: number;
  /** Each of these is a broken promise. */
  readonly begunTwice: readonly string[];
  readonly lost: readonly string[];
  readonly unlisted: readonly string[];
}

const LEASE_MS = 400;

/**
 * Has workers execute keys, the ones that were left over included, and kills them or the server at random moments. At
 * the end every key that was ever begun must have been begun once, and be completed or listed as in doubt.
 */
export async function runKeysTrial(options: KeysTrialOptions): Promise<KeysTrialResult> {
  const { job, kills, killServer, random, everyMs, keysPerLife, ports } = options;
  const notes = openNotes();
  let made = 0;
  const settled = () => new Set([...notes.lines("done"), ...notes.lines("replayed")]);
  const nextKeys = () => {
    // Everything that has no acknowledged end is tried again, then new keys.
    const ended = settled();
    const left = Array.from({ length: made }, (_, index) => `key-${index}`).filter((key) => !ended.has(key));
    const fresh = Array.from({ length: keysPerLife }, () => `key-${made++}`);
    return [...left.slice(-keysPerLife), ...fresh];
  };
  const start = () =>
    startWorker({ kind: "keys", ...job, file: notes.file, leaseMs: LEASE_MS, keys: nextKeys(), inFlight: 8 });
  let worker = start();
  try {
    for (let kill = 0; kill < kills; kill++) {
      const before = notes.lines("begun").length;
      while (notes.lines("begun").length === before && worker.child.exitCode === null) await pause(5);
      await pause(random(kill) * everyMs);
      if (killServer !== undefined) await killServer();
      else worker.child.kill("SIGKILL");
      if (killServer === undefined || worker.child.exitCode !== null) {
        await worker.ended;
        worker = start();
      }
    }
    worker.child.kill("SIGKILL");
    await worker.ended;
    await pause(2 * LEASE_MS);
    return await judge(await ports.idempotencyStore.list());
  } finally {
    worker.child.kill("SIGKILL");
    await worker.ended;
    notes.remove();
  }

  function judge(entries: readonly IdempotencyEntry[]): KeysTrialResult {
    const begun = notes.lines("begun");
    const acknowledged = new Set(notes.lines("done"));
    const stateOf = new Map(entries.map(({ key, state }) => [key, state]));
    return {
      kills,
      begun: begun.length,
      acknowledged: acknowledged.size,
      inDoubt: entries.filter(({ state }) => state === "unknown").length,
      begunTwice: [...new Set(begun.filter((key, index) => begun.indexOf(key) !== index))],
      lost: [...acknowledged].filter((key) => stateOf.get(key) !== "completed"),
      unlisted: begun.filter((key) => !["completed", "unknown"].includes(stateOf.get(key) ?? "")),
    };
  }
}

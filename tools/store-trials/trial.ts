import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock, createSystemClock, execute, IdempotencyStore, KillSwitch, RateLimiter } from "@eoc/core";

/** What a package gives its trials: its ports, and core as it sees it. */
export interface TrialModule {
  readonly execute: typeof execute;
  readonly createSystemClock: typeof createSystemClock;
  /** Opens the ports on a server; `place` is a schema, or a prefix of keys. */
  open(url: string, place: string, clock: Clock): Promise<TrialPorts>;
}

export interface TrialPorts {
  readonly idempotencyStore: IdempotencyStore & Required<Pick<IdempotencyStore, "list">>;
  readonly rateLimiter: RateLimiter;
  readonly killSwitch: KillSwitch & { halt(reason?: string): Promise<void>; clear(): Promise<void> };
  /** Also ends the connections. */
  close(): Promise<void>;
}

export interface TrialJob {
  readonly kind: "keys" | "limit" | "switch";
  /** Address of the package's trial module. */
  readonly module: string;
  readonly url: string;
  readonly place: string;
  /** What the worker appends to. */
  readonly file: string;
  readonly clockErrorMs?: number;
  readonly inFlight?: number;
  readonly keys?: readonly string[];
  readonly leaseMs?: number;
  readonly limit?: number;
  readonly windowMs?: number;
}

export interface Worker {
  readonly child: ChildProcess;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Starts a process for a job. */
export function startWorker(job: TrialJob): Worker {
  const script = new URL("worker.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, ["--no-warnings", script, JSON.stringify(job)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? code ?? "unknown"));
  });
  return { child, ended };
}

/** A file that workers append to, and its lines. */
export interface Notes {
  readonly file: string;
  lines(word: string): string[];
  remove(): void;
}

export function openNotes(): Notes {
  const folder = mkdtempSync(join(tmpdir(), "eoc-trial-"));
  const file = join(folder, "notes");
  writeFileSync(file, "");
  return {
    file,
    lines: (word) =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.startsWith(`${word} `))
        .map((line) => line.slice(word.length + 1)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

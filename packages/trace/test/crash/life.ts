import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "tsup";
import type { JournalEvent, JournalHead, JournalRecord } from "../../src/index.js";
import { readJournal } from "../../src/node.js";

const root = new URL("../../../..", import.meta.url).pathname;

/** Makes one file of the child and of the sources that it uses, and gives its path. */
export async function bundleChild(folder: string): Promise<string> {
  await build({
    entry: { child: join(root, "packages/trace/test/crash/child.ts") },
    outDir: folder,
    format: ["esm"],
    outExtension: () => ({ js: ".mjs" }),
    target: "node20",
    platform: "node",
    tsconfig: join(root, "tsconfig.json"),
    noExternal: [/.*/],
    config: false,
    silent: true,
    clean: false,
  });
  return join(folder, "child.mjs");
}

/** Where one journal and what is known of it from outside are. */
export interface Site {
  readonly journal: string;
  readonly ledger: string;
  readonly acknowledged: string;
}

export function siteIn(folder: string): Site {
  return {
    journal: join(folder, "journal.jsonl"),
    ledger: join(folder, "ledger.jsonl"),
    acknowledged: join(folder, "acknowledged.jsonl"),
  };
}

/** How the child writes: with a sync for every record, without, or in two halves with a pause between them. */
export type Mode = "synced" | "unsynced" | "halves";

/** One life of the child: it is killed so many milliseconds after it has opened its journal. */
export async function liveFor(child: string, site: Site, mode: Mode, milliseconds: number): Promise<void> {
  const args = [child, site.journal, site.ledger, site.acknowledged, mode];
  const running = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(running, "exit");
  let complaint = "";
  running.stderr.on("data", (chunk) => {
    complaint += chunk;
  });
  const begun = await Promise.race([once(running.stdout, "data").then(() => true), exited.then(() => false)]);
  if (!begun) throw new Error(`the child did not open its journal: ${complaint}`);
  await sleep(milliseconds);
  running.kill("SIGKILL");
  const [, signal] = (await exited) as [number | null, string | null];
  if (signal !== "SIGKILL") throw new Error(`the child ended by itself: ${complaint}`);
}

export interface Effect {
  executionId: string;
  index: number;
  attempt: number;
}

/** What reached the world outside. */
export const effectsOf = (site: Site) => linesOf<Effect>(site.ledger);

/** What the journal said was durable. */
export const acknowledgedBy = (site: Site) => linesOf<JournalHead>(site.acknowledged);

/** The events on record, whatever is at the end. */
export async function eventsOf(site: Site): Promise<JournalEvent[]> {
  const events: JournalEvent[] = [];
  for await (const line of readJournal(site.journal)) {
    if (line.endsWith("\n")) events.push((JSON.parse(line) as JournalRecord).event);
  }
  return events;
}

function linesOf<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  // The last one may have been cut by the kill; it has no end then.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as T);
}

// Show 4 of the journal: a file of 1,000,000 records (or as many as the argument says), verified in a process whose heap may not
// grow beyond 64 MB. Prints the heap after a collection, and the memory of the whole process, at every tenth of the way.
// Run, after a build: npx pnpm@12.21.0 --filter @eoc/trace run bench:verify [records]

import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ExecutionPolicyInput, execute, type FinalDecisionInput } from "@eoc/core";
import { createJsonlJournal, verifyJournal } from "@eoc/trace";
import { readJournalFile } from "@eoc/trace/node";

const HEAP_MB = 64;
const policy: ExecutionPolicyInput = { retry: { initialBackoffMs: 0 } };
const decision: FinalDecisionInput = { action: "ACT", actions: [{ action: "ACT", id: "pay" }, { action: "EXIT" }] };

const [task, path = "", head = ""] = process.argv.slice(2);
if (task === "verify") await verify(path, JSON.parse(head));
else await writeAndVerify(Number(task ?? 1_000_000));

async function writeAndVerify(records: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "eoc-million-"));
  try {
    const file = join(folder, "journal.jsonl");
    const started = performance.now();
    const end = await write(file, records);
    const seconds = (performance.now() - started) / 1000;
    const megabytes = statSync(file).size / 2 ** 20;
    console.log(`${end.count} records, ${megabytes.toFixed(0)} MB, written in ${seconds.toFixed(1)} s`);
    const flags = [`--max-old-space-size=${HEAP_MB}`, "--expose-gc"];
    const args = [...flags, fileURLToPath(import.meta.url), "verify", file, JSON.stringify(end)];
    process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Real executions, written in large pieces: how fast records reach a disk is another question. */
async function write(file: string, records: number) {
  const fd = openSync(file, "w");
  let pending: string[] = [];
  const flush = () => {
    writeSync(fd, pending.join(""));
    pending = [];
  };
  const append = (line: string) => {
    if (pending.push(`${line}\n`) >= 1000) flush();
  };
  const journal = createJsonlJournal({ append }, { policy });
  for (let run = 0; journal.head().count < records; run++) {
    let calls = 0;
    const executor = () => (++calls === 1 ? ({ ok: false, code: "busy" } as const) : ({ ok: true } as const));
    await execute(decision, {}, policy, executor, { journal, executionId: `run-${run}` });
  }
  flush();
  closeSync(fd);
  return journal.head();
}

async function verify(file: string, end: { seq: number; hash: string; count: number }): Promise<void> {
  const heaps: number[] = [];
  const started = performance.now();
  async function* watched() {
    let lines = 0;
    for await (const line of readJournalFile(file)) {
      if (lines++ % Math.ceil(end.count / 10) === 0) {
        globalThis.gc?.();
        const { heapUsed, rss } = process.memoryUsage();
        heaps.push(heapUsed / 2 ** 20);
        const sizes = `heap ${heaps.at(-1)!.toFixed(1)} MB, resident ${(rss / 2 ** 20).toFixed(0)} MB`;
        console.log(`  record ${String(lines - 1).padStart(8)}: ${sizes}`);
      }
      yield line;
    }
  }
  const verdict = await verifyJournal(watched(), { head: end });
  const seconds = (performance.now() - started) / 1000;
  const { integrity, continuity, pairing, conformance, completeness } = verdict;
  const verdicts = Object.entries({ integrity, continuity, pairing, conformance, completeness });
  console.log(verdicts.map(([name, { verdict: word }]) => `${name} ${word}`).join(", "));
  const rate = Math.round(verdict.recordCount / seconds);
  console.log(`${verdict.recordCount} records in ${seconds.toFixed(1)} s, ${rate} a second, heap limit ${HEAP_MB} MB`);
  console.log(`most resident at any time: ${(process.resourceUsage().maxRSS / 2 ** 10).toFixed(0)} MB`);
  const growth = heaps.at(-1)! - heaps[1]!;
  console.log(`heap at the end less heap after the first tenth: ${growth.toFixed(2)} MB`);
  if (!verdict.ok || completeness.verdict !== "PASS" || growth > 2) process.exitCode = 1;
}

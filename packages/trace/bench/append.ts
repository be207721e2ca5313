// What an append of the journal costs beside a bare loop that writes the same bytes and syncs them, in the same run; then what an
// execution with a journal costs beside as many bare writes, each with its sync. They take turns in short rounds, so that whatever
// else the machine does hits all; the median of the rounds' ratios counts.
// Run, after a build: npx pnpm@12.21.0 --filter @eoc/trace run bench:append [folder]

import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExecutionEvent, execute } from "@eoc/core";
import { createJsonlJournal } from "@eoc/trace";
import { createFileSink } from "@eoc/trace/node";

const ROUNDS = 21;
const APPENDS = { always: 100, never: 2_000 } as const;
const EVENTS_OF_ONE_ACTION = 7;
const EXECUTIONS = 256;

const event: ExecutionEvent = {
  seq: 6,
  atMs: 1_700_000_000_000,
  executionId: "3f1c9a52-7f0e-4b1e-9d4e-3a1b1f6f2c11",
  type: "attempt.intended",
  actionIndex: 0,
  attemptNumber: 0,
  action: "ACT",
  idempotencyKey: "refund-7",
};

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), "eoc-append-"));
try {
  for (const fsync of ["always", "never"] as const) await compare(fsync);
  for (const atOnce of [1, 16, 128]) await compareExecutions(atOnce);
} finally {
  rmSync(folder, { recursive: true });
}

async function compare(fsync: "always" | "never"): Promise<void> {
  const count = APPENDS[fsync];
  const line = new TextEncoder().encode(`${await aLine()}\n`);
  const times = { journal: [] as number[], bare: [] as number[], async: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.journal.push(await timed(() => appendAll(fsync, count, round)));
    times.bare.push(await timed(() => writeAll(fsync, count, line, round)));
    times.async.push(await timed(() => writeAllAsync(fsync, count, line, round)));
  }
  const rate = (all: readonly number[]) => Math.round(count / (median(all) / 1000));
  const ratio = (to: readonly number[]) => median(times.journal.map((time, round) => time / to[round]!)).toFixed(2);
  console.log(`fsync ${fsync}: ${line.length} bytes a record, ${ROUNDS} rounds of ${count}`);
  console.log(`  journal              ${String(rate(times.journal)).padStart(7)} appends/s`);
  console.log(
    `  bare loop            ${String(rate(times.bare)).padStart(7)} writes/s; a journal's append takes ${ratio(times.bare)} times as long`,
  );
  console.log(
    `  bare loop, promises  ${String(rate(times.async)).padStart(7)} writes/s; a journal's append takes ${ratio(times.async)} times as long`,
  );
}

async function compareExecutions(atOnce: number): Promise<void> {
  const line = new TextEncoder().encode(`${await aLine()}\n`);
  const times = { executions: [] as number[], bare: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.executions.push(await timed(() => executeAll(atOnce, round)));
    times.bare.push(
      await timed(() =>
        writeAllAsync("always", EXECUTIONS * EVENTS_OF_ONE_ACTION, line, ROUNDS * (atOnce + 1) + round),
      ),
    );
  }
  const rate = (all: readonly number[]) => Math.round(EXECUTIONS / (median(all) / 1000));
  const ratio = median(times.bare.map((time, round) => time / times.executions[round]!)).toFixed(2);
  console.log(`executions of one action, ${atOnce} at once, fsync always: ${ROUNDS} rounds of ${EXECUTIONS}`);
  console.log(`  with a journal       ${String(rate(times.executions)).padStart(7)} executions/s`);
  console.log(
    `  bare loop, promises  ${String(rate(times.bare)).padStart(7)} times ${EVENTS_OF_ONE_ACTION} writes/s; they take ${ratio} times as long`,
  );
}

async function executeAll(atOnce: number, round: number): Promise<void> {
  const sink = createFileSink(join(folder, `executions-${atOnce}-${round}`));
  const journal = createJsonlJournal(sink);
  let left = EXECUTIONS;
  const oneAfterTheOther = async () => {
    while (left-- > 0) {
      const { status, recordError } = await execute({ action: "ACT" }, {}, {}, async () => ({ ok: true }), { journal });
      if (status !== "success" || recordError !== undefined) throw new Error(`${status}, ${recordError}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther));
  await sink.close();
}

async function appendAll(fsync: "always" | "never", count: number, round: number): Promise<void> {
  const sink = createFileSink(join(folder, `journal-${fsync}-${round}`), { fsync });
  const journal = createJsonlJournal(sink);
  for (let index = 0; index < count; index++) await journal.append(event);
  await sink.close();
}

function writeAll(fsync: "always" | "never", count: number, line: Uint8Array, round: number): void {
  const fd = openSync(join(folder, `bare-${fsync}-${round}`), "a");
  for (let index = 0; index < count; index++) {
    writeSync(fd, line);
    if (fsync === "always") fsyncSync(fd);
  }
  closeSync(fd);
}

async function writeAllAsync(fsync: "always" | "never", count: number, line: Uint8Array, round: number): Promise<void> {
  const file = await open(join(folder, `async-${fsync}-${round}`), "a");
  for (let index = 0; index < count; index++) {
    await file.write(line);
    if (fsync === "always") await file.sync();
  }
  await file.close();
}

async function aLine(): Promise<string> {
  let last = "";
  const append = (line: string) => {
    last = line;
  };
  const journal = createJsonlJournal({ append });
  await journal.append(event);
  return last;
}

async function timed(run: () => void | Promise<void>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

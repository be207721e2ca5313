// What claim + complete costs through the store, beside the driver's own bare writes of the same rows in the same run. The two take
// turns in short rounds, so that whatever else the machine does hits both; the median of the rounds' ratios counts.
// Run, after a build: npx pnpm@12.21.0 --filter @eoc/store-sqlite run bench [folder]

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createLocalRuntime } from "@eoc/store-sqlite";

const ROUNDS = 15;
const PAIRS = { 1: 300, 50: 5_000 } as const;

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), "eoc-sqlite-"));
const runtime = await createLocalRuntime(join(folder, "eoc.db"));
const bare = openBare(join(folder, "bare.db"));
let keys = 0;

try {
  for (const inFlight of [1, 50] as const) await compare(inFlight);
} finally {
  await runtime.close();
  bare.close();
  rmSync(folder, { recursive: true });
}

async function compare(inFlight: 1 | 50): Promise<void> {
  const count = PAIRS[inFlight];
  const times = { store: [] as number[], bare: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.bare.push(await timed(() => bare.pairs(count, inFlight)));
    times.store.push(await timed(() => storePairs(count, inFlight)));
  }
  const rate = (all: readonly number[]) => String(Math.round(count / (median(all) / 1000))).padStart(7);
  const ratio = median(times.store.map((time, round) => time / times.bare[round]!)).toFixed(2);
  console.log(`${inFlight} in flight: ${ROUNDS} rounds of ${count} claim + complete`);
  console.log(
    `  node:sqlite, bare  ${rate(times.bare)} /s  (${inFlight} claims to a transaction, then ${inFlight} completes)`,
  );
  console.log(`  store              ${rate(times.store)} /s, ${ratio} times as long`);
}

async function storePairs(count: number, inFlight: number): Promise<void> {
  const { idempotencyStore } = runtime;
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const key = `store-${keys++}`;
      const claim = await idempotencyStore.claim(key, { fingerprint: "f".repeat(64), leaseMs: 30_000, nowMs: 0 });
      if (claim.state !== "claimed") throw new Error(`claim of a free key: ${claim.state}`);
      const isDone = await idempotencyStore.complete(key, claim.token, { value: "receipt-1", ttlMs: 86_400_000 });
      if (isDone === false) throw new Error("complete was refused");
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

/** The least that could be done: the same two writes, on the main thread, in synchronous transactions. */
function openBare(path: string) {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  db.exec(`CREATE TABLE keys (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, state TEXT NOT NULL, token INTEGER NOT NULL,
    until_ms REAL, value TEXT) STRICT, WITHOUT ROWID`);
  const claim = db.prepare("INSERT INTO keys VALUES (?, ?, 'claimed', ?, ?, NULL)");
  const complete = db.prepare(
    "UPDATE keys SET state = 'completed', value = ?, until_ms = ? WHERE key = ? AND token = ?",
  );
  let tokens = 0;
  return {
    pairs(count: number, together: number): void {
      for (let done = 0; done < count; done += together) {
        const first = tokens + 1;
        db.exec("BEGIN IMMEDIATE");
        for (let n = 0; n < together; n++) claim.run(`bare-${++tokens}`, "f".repeat(64), tokens, 30_000);
        db.exec("COMMIT");
        db.exec("BEGIN IMMEDIATE");
        for (let token = first; token <= tokens; token++)
          complete.run('"receipt-1"', 86_400_000, `bare-${token}`, token);
        db.exec("COMMIT");
      }
    },
    close: () => db.close(),
  };
}

async function timed(run: () => void | Promise<void>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

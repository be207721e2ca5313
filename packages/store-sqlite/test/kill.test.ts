import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { verifyJournal } from "@eoc/trace";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { openLocalRuntime } from "../src/local-runtime.js";
import { machineTime } from "../src/machine-time.js";
import { bundleChild, Child, killChildren } from "./process/children.js";
import { aFolder, handTime } from "./support.js";

/** `scripts/kill.ts` asks for more. */
const KILLS = Number(process.env["EOC_KILLS"] ?? 16);
/** Several lives with one file, so that the next one meets what the last has left behind. */
const LIVES = 8;
const AT_ONCE = 2;

let script: string;

afterEach(killChildren);

beforeAll(async () => {
  script = await bundleChild("worker");
}, 60_000);

const linesOf = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : []);

/** One life: killed so many milliseconds after it has opened its file. */
async function liveFor(place: string, first: number, milliseconds: number): Promise<void> {
  const files = ["eoc.db", "ledger", "acknowledged"].map((name) => join(place, name));
  const child = new Child(script, [...files, String(first)]);
  expect(await child.hear()).toBe("ready");
  await sleep(milliseconds);
  await child.kill();
}

/** Everything that has to hold after a kill, looked at in a copy of what it left, long after all leases. */
async function check(place: string, life: number): Promise<{ begun: number; inDoubt: number; records: number }> {
  const copy = join(place, `copy-${life}`);
  mkdirSync(copy);
  for (const end of ["", "-wal"]) copyFileSync(join(place, `eoc.db${end}`), join(copy, `eoc.db${end}`));
  const hour = 3_600_000;
  const { time } = handTime(1_700_000_000_000, machineTime().monotonicMs() + hour / 2);
  const runtime = await openLocalRuntime(join(copy, "eoc.db"), {}, { time });
  try {
    const entries = await runtime.idempotencyStore.list();
    const states = new Map(entries.map(({ key, state }) => [key, state]));
    const begun = linesOf(join(place, "ledger"));
    expect(
      begun.filter((key, index) => begun.indexOf(key) !== index),
      "begun twice",
    ).toEqual([]);
    expect(
      linesOf(join(place, "acknowledged")).filter((key) => states.get(key) !== "completed"),
      "lost",
    ).toEqual([]);
    // Nothing that was begun is forgotten: it is known to be done, or listed as in doubt, with when it was begun.
    const inDoubt = await runtime.idempotencyStore.list({ state: "unknown" });
    const known = new Set(inDoubt.filter(({ startedAtMs }) => startedAtMs !== undefined).map(({ key }) => key));
    expect(
      begun.filter((key) => states.get(key) !== "completed" && !known.has(key)),
      "not listed",
    ).toEqual([]);
    const verdict = await verifyJournal(runtime.journalLines());
    expect([verdict.ok, verdict.integrity.verdict, verdict.continuity.verdict]).toEqual([true, "PASS", "PASS"]);
    expect(verdict.tornTail).toBeUndefined();
    return { begun: begun.length, inDoubt: inDoubt.length, records: verdict.recordCount };
  } finally {
    await runtime.close();
  }
}

describe("Show 2: a process that is killed at random moments", () => {
  it(`begins nothing twice, loses nothing acknowledged, and leaves every key in doubt listed, in ${KILLS} kills`, {
    timeout: 60_000 + KILLS * 4_000,
  }, async () => {
    const totals = { kills: 0, begun: 0, inDoubt: 0, records: 0 };
    let folders = 0;
    const lane = async () => {
      while (folders++ < KILLS / LIVES) {
        const place = aFolder();
        let found = { begun: 0, inDoubt: 0, records: 0 };
        for (let life = 0; life < LIVES; life++) {
          // Back a little, so that keys of the last life are asked for again.
          await liveFor(place, Math.max(0, found.begun - 10), Math.random() * 400);
          found = await check(place, life);
          totals.kills++;
        }
        totals.begun += found.begun;
        totals.inDoubt += found.inDoubt;
        totals.records += found.records;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    if (process.env["EOC_KILLS"] !== undefined) console.log(JSON.stringify(totals));
    // Otherwise nothing was shown.
    for (const count of Object.values(totals)) expect(count).toBeGreaterThan(0);
  });
});

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openIntents, verifyJournal } from "../src/index.js";
import { createFileSink, journalFiles, readJournal } from "../src/node.js";
import {
  acknowledgedBy,
  bundleChild,
  effectsOf,
  eventsOf,
  liveFor,
  type Mode,
  type Site,
  siteIn,
} from "./crash/life.js";

/** `scripts/crash.ts` asks for more. */
const RUNS = Number(process.env["EOC_CRASH_RUNS"] ?? 24);
/** A journal lives on in the next process, so that crashes while one is opened or rotated are among them. */
const LIVES: readonly Mode[] = ["synced", "halves", "unsynced", "halves"];
const AT_ONCE = 2;

let folder: string;
let child: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "eoc-crash-"));
  child = await bundleChild(folder);
}, 30_000);

afterAll(() => rmSync(folder, { recursive: true }));

const keyOf = (executionId: string, index: number, attempt: number) => `${executionId}/${index}/${attempt}`;

/** Everything that has to hold after a crash, at any moment. */
async function check(site: Site): Promise<{ effects: number; open: number; torn: boolean }> {
  const acknowledged = acknowledgedBy(site);
  const verdict = await verifyJournal(readJournal(site.journal), { checkpoints: acknowledged });
  const { integrity, continuity, pairing, conformance, completeness } = verdict;
  expect([integrity, continuity, pairing, conformance].flatMap(({ problems }) => problems).filter(isFault)).toEqual([]);
  // No record is lost that was acknowledged.
  expect([verdict.ok, completeness.problems, completeness.provenUpTo]).toEqual([
    true,
    [],
    acknowledged.at(-1)?.seq ?? -1,
  ]);
  expect(conformance.verdict).toBe("PASS");

  // Every effect in the outside ledger has its intent; and when nothing says what came of it, it is among the open ones.
  const intended = new Set<string>();
  const ended = new Set<string>();
  for (const event of await eventsOf(site)) {
    if (event.type === "attempt.intended")
      intended.add(keyOf(event.executionId, event.actionIndex, event.attemptNumber));
    if (event.type === "attempt.finished") ended.add(keyOf(event.executionId, event.actionIndex, event.attemptNumber));
  }
  const open = await openIntents(readJournal(site.journal));
  const openKeys = new Set(open.map((one) => keyOf(one.executionId, one.actionIndex, one.attemptNumber)));
  const effects = effectsOf(site);
  for (const { executionId, index, attempt } of effects) {
    const key = keyOf(executionId, index, attempt);
    expect([key, intended.has(key)]).toEqual([key, true]);
    expect([key, ended.has(key) || openKeys.has(key)]).toEqual([key, true]);
  }
  return { effects: effects.length, open: open.length, torn: verdict.tornTail !== undefined };
}

const isFault = ({ code }: { code: string }) => code !== "left_open";

describe("Show 3: a process that is killed at random moments", () => {
  it(
    `S8.2 leaves a journal that opens, has every intent, and has lost nothing acknowledged, in ${RUNS} runs`,
    async () => {
      const totals = { effects: 0, open: 0, torn: 0, files: 0 };
      let next = 0;
      const worker = async () => {
        while (next < RUNS / LIVES.length) {
          const place = join(folder, String(next++));
          mkdirSync(place);
          const site = siteIn(place);
          let found = { effects: 0, open: 0, torn: false };
          for (const mode of LIVES) {
            await liveFor(child, site, mode, Math.random() * 150);
            found = await check(site);
            if (found.torn) totals.torn++;
          }
          const sink = createFileSink(site.journal);
          expect(sink.recovered.head?.seq ?? -1).toBeGreaterThanOrEqual(acknowledgedBy(site).at(-1)?.seq ?? -1);
          await sink.close();
          totals.effects += found.effects;
          totals.open += found.open;
          totals.files += journalFiles(site.journal).length;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      if (process.env["EOC_CRASH_RUNS"] !== undefined) console.log(`${RUNS} kills: ${JSON.stringify(totals)}`);
      // Otherwise nothing was shown.
      for (const count of Object.values(totals)) expect(count).toBeGreaterThan(0);
    },
    20_000 + RUNS * 2_000,
  );
});

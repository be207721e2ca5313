import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEEP, PATIENCE_MS } from "./depth.js";
import { problemsOf } from "./execution-invariants.js";
import { plainCase, randomCase, waitingCase } from "./random-case.js";
import { type Outcome, runCase } from "./random-execution.js";

const numRuns = DEEP ? 100_000 : 1000;
/** The deep run looks for what is new; the short one says whether what is known still holds. */
const seed = DEEP ? {} : { seed: 402953150 };

describe("execute, whatever executors, ports, listeners and people do", () => {
  it("keeps S1–S10, seen from outside", { timeout: PATIENCE_MS }, async () => {
    const seen = { dispatches: 0, effects: 0 };
    const statuses = new Set<string>();
    await fc.assert(
      fc.asyncProperty(randomCase, async (random) => {
        const outcome = await runCase(random);
        expect(problemsOf(outcome)).toEqual([]);
        for (const { calls, effects, report } of outcome.runs) {
          seen.dispatches += calls.length;
          seen.effects += effects.length;
          statuses.add(report.status);
        }
      }),
      { numRuns, ...seed },
    );
    console.log(`${3 * numRuns} random executions: ${seen.dispatches} dispatches, ${seen.effects} effects`);
    expect([...statuses].sort()).toEqual(["denied", "failed", "partial", "skipped", "success", "unknown"]);
  });

  it("S8.4 is the same again, byte by byte", { timeout: PATIENCE_MS }, async () => {
    const record = async (random: Parameters<typeof runCase>[0]) =>
      JSON.stringify((await runCase(random)).runs.map(({ report, events }) => ({ report, events })));
    await fc.assert(
      fc.asyncProperty(randomCase, async (random) => {
        expect(await record(random)).toBe(await record(random));
      }),
      { numRuns: numRuns / 10, ...seed },
    );
  });

  it("S5.4 fares the same whether it waits for a shared slot as a driver or as its arguments", {
    timeout: PATIENCE_MS,
  }, async () => {
    let waited = 0;
    await fc.assert(
      fc.asyncProperty(waitingCase, async (random) => {
        const alone = { ...random, bulkhead: { ...random.bulkhead, copied: true } };
        const outcome = await runCase(random);
        waited += outcome.runs.filter(({ report }) => report.actions[0]?.waitedMs).length;
        expect(seenOf(outcome)).toEqual(seenOf(await runCase(alone)));
      }),
      { numRuns, ...seed },
    );
    expect(waited).toBeGreaterThan(numRuns / 10);
  });

  it("S10 says the same of one action whether a machine has followed it from the start or only from where it was needed", {
    timeout: PATIENCE_MS,
  }, async () => {
    const statuses = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(plainCase, async (random) => {
        const outcome = await runCase(random);
        for (const { report } of outcome.runs) statuses.set(report.status, (statuses.get(report.status) ?? 0) + 1);
        // A port that is to be asked needs a machine, and so many retries are as good as no budget.
        const followed = { ...random, retries: 1_000_000 };
        expect(seenOf(outcome)).toEqual(seenOf(await runCase(followed)));
      }),
      { numRuns: 2 * numRuns, ...seed },
    );
    for (const status of ["success", "failed", "unknown", "denied"]) {
      expect(statuses.get(status)).toBeGreaterThan(numRuns / 10);
    }
  });
});

/** What came of a case, without what was asked of it; values are seen, and the order in which things are said. */
function seenOf({ runs, random: _, hasApplied: __, ...rest }: Outcome) {
  return {
    ...rest,
    runs: runs.map(({ controller: _, report, ...run }) => ({
      ...run,
      report: JSON.stringify(report),
      values: report.actions.map(({ value }) => value),
    })),
  };
}

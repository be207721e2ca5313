import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEEP, PATIENCE_MS } from "./depth.js";
import { problemsOf } from "./execution-invariants.js";
import { randomCase, waitingCase } from "./random-case.js";
import { runCase } from "./random-execution.js";

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
    const record = async (random: Parameters<typeof runCase>[0]) => {
      const { runs, random: _, ...rest } = await runCase(random);
      waited += runs.filter(({ report }) => report.actions[0]?.waitedMs).length;
      return { ...rest, hasApplied: undefined, runs: runs.map((run) => ({ ...run, controller: undefined })) };
    };
    await fc.assert(
      fc.asyncProperty(waitingCase, async (random) => {
        const alone = { ...random, bulkhead: { ...random.bulkhead, copied: true } };
        expect(await record(random)).toEqual(await record(alone));
      }),
      { numRuns, ...seed },
    );
    expect(waited).toBeGreaterThan(numRuns / 10);
  });
});

import type { AttemptContext, PlannedAction } from "@eoc/core";
import { aPlan, createFlakyExecutor, createVirtualClock, createWorld } from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { draw } from "../src/draw.js";

const ACTIONS = aPlan({
  actions: Array.from({ length: 40 }, (_, index) => ({
    action: "ACT" as const,
    id: `a${index}`,
    params: { size: index },
  })),
}).actions;

type Met = { outcome: string; tookMs: number };

/** What every action meets on one attempt; hanging ones are aborted after a minute. */
async function meet(
  seed: string,
  order: readonly PlannedAction[],
  attemptNumber = 0,
  rates = {},
): Promise<Map<string, Met>> {
  const clock = createVirtualClock();
  const world = createWorld();
  const executor = createFlakyExecutor({ seed, clock, world, rates });
  const met = new Map<string, Met>();
  await clock.run(async () => {
    for (const action of order) {
      const startedAtMs = clock.now();
      const controller = new AbortController();
      const cancel = clock.setTimer(() => controller.abort("hung"), 60_000);
      const effects = world.count();
      const attempt: AttemptContext = {
        signal: controller.signal,
        attempt: attemptNumber,
        deadlineMs: 0,
        context: {},
        executionId: "",
        actionIndex: action.index,
      };
      const outcome = await Promise.resolve(executor.execute(action, attempt)).then(
        (result) => JSON.stringify(result),
        (error: unknown) => String(error),
      );
      cancel();
      met.set(action.id, { outcome: `${outcome} ${world.count() - effects}`, tookMs: clock.now() - startedAtMs });
    }
  });
  return met;
}

const sorted = (met: Map<string, Met>) => [...met].sort(([a], [b]) => a.localeCompare(b));

describe("createFlakyExecutor", () => {
  it("depends on seed, action and attempt only, not on the order of the dispatches", async () => {
    const forwards = await meet("s", ACTIONS);
    const backwards = await meet("s", [...ACTIONS].reverse());
    expect(sorted(backwards)).toEqual(sorted(forwards));
    expect(sorted(await meet("other", ACTIONS))).not.toEqual(sorted(forwards));
    expect(sorted(await meet("s", ACTIONS, 1))).not.toEqual(sorted(forwards));
  });

  it("mixes every outcome, with the effects that belong to it", async () => {
    const rates = { rejects: 0.2, throws: 0.2, losesReply: 0.2, late: 0.1, hangs: 0.1 };
    const outcomes = new Set([...(await meet("mix", ACTIONS, 0, rates)).values()].map(({ outcome }) => outcome));
    expect([...outcomes].sort()).toEqual([
      "Error: flaky 0",
      "Error: reply lost 1",
      "hung 0",
      '{"ok":false,"code":"flaky"} 0',
      '{"ok":true} 1',
    ]);
  });

  it("keeps to its rates and its latencies", async () => {
    const none = { rejects: 0, throws: 0, losesReply: 0, late: 0, hangs: 0 };
    const all = [...(await meet("rates", ACTIONS, 0, none)).values()];
    expect(all.every(({ outcome, tookMs }) => outcome === '{"ok":true} 1' && tookMs >= 0 && tookMs < 200)).toBe(true);
    expect(new Set(all.map(({ tookMs }) => tookMs)).size).toBeGreaterThan(20);
    const late = [...(await meet("rates", ACTIONS, 0, { ...none, late: 1 })).values()];
    expect(late.every(({ outcome, tookMs }) => outcome === '{"ok":true} 1' && tookMs === 10_000)).toBe(true);
  });

  it("refuses rates that are no probabilities", () => {
    const clock = createVirtualClock();
    expect(() => createFlakyExecutor({ seed: 1, clock, rates: { rejects: 0.9, throws: 0.9 } })).toThrow(
      "rates must be at most 1 in all, defaults included",
    );
    expect(() => createFlakyExecutor({ seed: 1, clock, rates: { rejects: -0.1 } })).toThrow(
      "rates.rejects must be a number from 0 to 1, not -0.1",
    );
  });
});

describe("draw", () => {
  it("spreads evenly over [0, 1), also for keys that differ in one character", () => {
    const buckets = new Array<number>(10).fill(0);
    for (let index = 0; index < 10_000; index++) buckets[Math.floor(draw(`key ${index}`) * 10)]!++;
    expect(Math.min(...buckets)).toBeGreaterThan(850);
    expect(Math.max(...buckets)).toBeLessThan(1150);
  });
});

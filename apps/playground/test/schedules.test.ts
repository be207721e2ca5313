import { describe, expect, it } from "vitest";
import { record } from "../src/engine/recording.js";
import { runSchedule, scheduleSetup } from "../src/engine/schedules.js";
import { setupOfScenario } from "../src/engine/setup-of-scenario.js";
import { parseScenario } from "../src/scenario/scenario.js";

const decision = {
  action: "ACT",
  actions: [
    { action: "ACT", id: "refund-7" },
    { action: "ACT", id: "refund-8" },
  ],
};
const scenario = parseScenario("two-refunds", JSON.stringify({ decision }));
const base = setupOfScenario(scenario, { retry: { maxRetries: 3, initialBackoffMs: 60 } }, "1");

describe("random schedules", () => {
  it("S3.1 never double an effect under EOC and break no promise; naive retry doubles many", async () => {
    let [naive, eoc, violations] = [0, 0, 0];
    for (let number = 1; number <= 300; number++) {
      const schedule = await runSchedule(base, number);
      naive += schedule.doubled.naive;
      eoc += schedule.doubled.eoc;
      violations += schedule.violations;
    }
    expect([eoc, violations]).toEqual([0, 0]);
    expect(naive).toBeGreaterThan(50);
  });

  it("count what the ledger says, of actions that may be repeated too", async () => {
    const actions = ["refund-7", "refund-8"].map((id) => ({ action: "ACT", id, effect: "idempotent" }));
    const repeatable = parseScenario("repeatable", JSON.stringify({ decision: { action: "ACT", actions } }));
    const setup = setupOfScenario(repeatable, { retry: { maxRetries: 3, initialBackoffMs: 60 } }, "1");
    const again = (effects: readonly { actionId: string }[]) =>
      effects.length - new Set(effects.map(({ actionId }) => actionId)).size;
    let [eocAgain, naiveAgain] = [0, 0];
    for (let number = 1; number <= 20; number++) {
      const { doubled } = await runSchedule(setup, number);
      const { eoc, naive } = await record(scheduleSetup(setup, number));
      expect(doubled).toEqual({ eoc: again(eoc.effects), naive: again(naive.effects) });
      eocAgain += doubled.eoc;
      naiveAgain += doubled.naive;
    }
    expect(Math.min(eocAgain, naiveAgain)).toBeGreaterThan(0);
  });

  it("play again exactly as they went", async () => {
    for (const number of [3, 4, 5]) {
      const { status, attempts, doubled, setup } = await runSchedule(base, number);
      const { eoc, naive } = await record(setup);
      expect(setup).toEqual(scheduleSetup(base, number));
      expect([eoc.report.status, eoc.report.attemptCount]).toEqual([status, attempts]);
      expect(naive.effects.length - new Set(naive.effects.map(({ actionId }) => actionId)).size).toBe(doubled.naive);
    }
  });

  it("differ from one another", async () => {
    const texts = await Promise.all(
      [1, 2, 3, 4, 5].map(async (number) => JSON.stringify([...scheduleSetup(base, number).world.replies])),
    );
    expect(new Set(texts).size).toBe(5);
  });
});

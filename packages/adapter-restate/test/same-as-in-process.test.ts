import { type ExecutionEvent, execute } from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aScenario, decisionOf, executorOf, policyOf, portsOf, type Scenario } from "./scenario.js";
import { runDurably, timeless } from "./support.js";

async function inProcess(scenario: Scenario) {
  const clock = createVirtualClock();
  const events: ExecutionEvent[] = [];
  const journal: ExecutionEvent[] = [];
  const report = await clock.run(() =>
    execute(decisionOf(scenario), {}, policyOf(scenario), executorOf(scenario, clock), {
      ...portsOf(scenario, clock),
      clock,
      executionId: "e-1",
      onEvent: (event) => events.push(event),
      journal: { append: (event) => void journal.push(event) },
    }),
  );
  await clock.runUntilIdle();
  return { report, events, journal };
}

async function onTheEngine(scenario: Scenario) {
  const clock = createVirtualClock();
  const events: ExecutionEvent[] = [];
  const journal: ExecutionEvent[] = [];
  const { report } = await clock.run(() =>
    runDurably({
      clock,
      decision: decisionOf(scenario),
      policy: policyOf(scenario),
      executor: executorOf(scenario, clock),
      ports: {
        ...portsOf(scenario, clock),
        onEvent: (event) => events.push(event),
        journal: { append: (event) => void journal.push(event) },
      },
      options: { executionId: "e-1" },
    }),
  );
  await clock.runUntilIdle();
  return { report, events, journal };
}

/** No two sums of up to three of these are the same. */
const OFFSETS = [0.11, 0.23, 0.31, 0.47];

/**
 * Actions that do not depend on each other may be ended by the same moment, the deadline; which of them hears of it first
 * is nobody's promise. Each action's own events are.
 */
function comparable(scenario: Scenario, events: readonly ExecutionEvent[]): unknown {
  if (scenario.policy.onFailure !== "continue") return timeless(events);
  const streams = new Map<number, ExecutionEvent[]>();
  for (const event of events) {
    const of = "actionIndex" in event ? event.actionIndex : -1;
    streams.set(of, [...(streams.get(of) ?? []), { ...event, seq: 0 }]);
  }
  return [...streams.keys()].sort().map((of) => timeless(streams.get(of)!));
}

/** The deep run looks for what is new; the short one says whether what is known still holds. */
const SEED = process.env["EOC_DEEP"] === "1" ? {} : { seed: 402953150 };

describe("an execution of which no process dies", () => {
  it("has the same events, journal and report on the engine as in one process, apart from times", async () => {
    await fc.assert(
      fc.asyncProperty(aScenario, async (scenario) => {
        const [here, there] = [await inProcess(scenario), await onTheEngine(scenario)];
        expect(comparable(scenario, there.events)).toEqual(comparable(scenario, here.events));
        expect(comparable(scenario, there.journal)).toEqual(comparable(scenario, here.journal));
        expect(timeless([there.report as never])).toEqual(timeless([here.report as never]));
      }),
      { numRuns: 300, ...SEED },
    );
  }, 60_000);

  it("has the same events of every action where several are at the executor together", async () => {
    await fc.assert(
      fc.asyncProperty(aScenario, fc.constantFrom(2, 3), async (drawn, maxConcurrency) => {
        // What depends on which of two comes first at the same moment is left out: no two things happen at the same.
        const scenario: Scenario = {
          ...drawn,
          policy: { ...drawn.policy, maxConcurrency, onFailure: "continue" },
          with: { ...drawn.with, limiter: false, budget: false, gate: undefined },
          actions: drawn.actions.map((action, i) => ({
            ...action,
            turns: action.turns.map((turn) => ({ ...turn, afterMs: turn.afterMs + 1 + OFFSETS[i]! })),
          })),
        };
        const [here, there] = [await inProcess(scenario), await onTheEngine(scenario)];
        expect(comparable(scenario, there.events)).toEqual(comparable(scenario, here.events));
        expect(timeless([there.report as never])).toEqual(timeless([here.report as never]));
      }),
      { numRuns: 300, ...SEED },
    );
  }, 60_000);
});

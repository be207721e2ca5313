import { describe, expect, it } from "vitest";
import {
  createFakeKillSwitch,
  createFlakyExecutor,
  createScriptedExecutor,
  createVirtualClock,
  createWorld,
  executorContract,
  explore,
  faulty,
  hangs,
  idempotencyStoreContract,
  journalContract,
  killSwitchContract,
  rateLimiterContract,
  rejects,
  returns,
  succeeds,
  throws,
} from "../src/index.js";

const clock = createVirtualClock();
const nothing = (() => ({})) as never;

/** What takes options, the path at which the test misspells one, and the call with such options. */
const TAKERS: [what: string, path: string, call: (options: never) => unknown][] = [
  ["createVirtualClock", "misspelt", createVirtualClock],
  ["createWorld", "misspelt", createWorld],
  ["createFakeKillSwitch", "misspelt", (options) => createFakeKillSwitch([], options)],
  ["createScriptedExecutor", "misspelt", (options) => createScriptedExecutor([succeeds()], options)],
  ["createFlakyExecutor", "misspelt", (options: object) => createFlakyExecutor({ seed: 1, clock, ...options })],
  ["rates of a flaky executor", "rates.misspelt", (rates) => createFlakyExecutor({ seed: 1, clock, rates })],
  ["faulty", "misspelt", (options) => faulty({ read: () => 1 }, {}, options)],
  ["rates of faults", "rates.misspelt", (read) => faulty({ read: () => 1 }, { read }, { seed: 1 })],
  ["explore", "misspelt", (options: object) => explore({ executor: nothing, ...options })],
  ["succeeds", "misspelt", (options) => succeeds(1, options)],
  ["rejects", "misspelt", (options) => rejects("busy", options)],
  ["throws", "misspelt", (options) => throws(undefined, options)],
  ["returns", "misspelt", (options) => returns(1, options)],
  ["hangs", "misspelt", hangs],
  ["executorContract", "misspelt", (options) => executorContract(nothing, options)],
  ["idempotencyStoreContract", "misspelt", (options) => idempotencyStoreContract(nothing, options)],
  ["journalContract", "misspelt", (options) => journalContract(nothing, options)],
  ["killSwitchContract", "misspelt", (options) => killSwitchContract(nothing, options)],
  ["rateLimiterContract", "misspelt", (options) => rateLimiterContract(nothing, options)],
];

describe("a misspelt option", () => {
  it.each(TAKERS)("is refused by %s: a test would say something else than it seems to", async (_, path, call) => {
    await expect((async () => call({ misspelt: 0.5 } as never))()).rejects.toMatchObject({
      name: "EocError",
      code: "invalid_option",
      issues: [{ path, received: "an unknown field" }],
    });
  });
});

describe("an option that is said to be undefined", () => {
  it("is as if it were not there", async () => {
    const none = { misspelt: undefined } as never;
    expect(createVirtualClock({ startMs: undefined } as never).now()).toBe(1_700_000_000_000);
    expect(hangs(none).ignoresAbort).toBe(false);
    expect(() => createWorld(none)).not.toThrow();
    expect(executorContract(nothing, none)).toHaveLength(executorContract(nothing).length);
  });
});

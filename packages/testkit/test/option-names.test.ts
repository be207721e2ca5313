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
  succeedsLate,
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
  ["rates of faults", "faults.read.misspelt", (read) => faulty({ read: () => 1 }, { read }, { seed: 1 })],
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

const executor = () => () => ({ ok: true as const });
const port = { read: () => 1 };

/** What is called with something wrong, the path of that, and the call. */
const WRONG: [what: string, path: string, call: () => unknown][] = [
  ["explore without anything", "options", () => explore(undefined as never)],
  ["explore without an executor", "executor", () => explore({} as never)],
  ["an executor to explore", "executor", () => explore({ executor: 5 as never })],
  ["a mode", "mode", () => explore({ executor, mode: "exhaustiv" as never })],
  ["a seed", "seed", () => explore({ executor, seed: {} as never })],
  ["no runs", "runs", () => explore({ executor, runs: 0 })],
  ["runs in words", "runs", () => explore({ executor, runs: "5" as never })],
  ["a scenario", "scenario", () => explore({ executor, scenario: {} as never })],
  ["a check", "check", () => explore({ executor, check: true as never })],
  ["ports", "options", () => explore({ executor, options: {} as never })],
  ["where to print", "print", () => explore({ executor, print: "stderr" as never })],
  ["a replay", "replay", () => explore({ executor, replay: "1,2" as never })],
  ["a choice below the first", "replay[1]", () => explore({ executor, replay: [0, -1] })],
  ["a choice in words", "replay[0]", () => explore({ executor, replay: ["x"] as never })],
  ["half a choice", "replay[0]", () => explore({ executor, replay: [0.5] })],
  ["one secret for a list", "secrets", () => explore({ executor, secrets: "sk-live" as never })],
  ["a secret that is no text", "secrets[0]", () => explore({ executor, secrets: [4711] as never })],
  ["when to halt", "haltAt", () => explore({ executor, haltAt: "any events" as never })],
  ["a moment to halt", "haltAt[0]", () => explore({ executor, haltAt: [Number.NaN] })],
  ["a moment to cancel", "cancelAt[0]", () => explore({ executor, cancelAt: ["5"] as never })],
  ["no port", "port", () => faulty(undefined as never, {})],
  ["no faults", "faults", () => faulty(port, undefined as never)],
  ["a kind of fault", "faults.read[1]", () => faulty(port, { read: ["passes", "explodes" as never] })],
  ["a kind of fault in details", "faults.read[0].fault", () => faulty(port, { read: [{ fault: "x" as never }] })],
  ["a detail of a fault", "faults.read[0].reply", () => faulty(port, { read: [{ reply: 5 } as never] })],
  ["a time of a fault", "faults.read[0].replyMs", () => faulty(port, { read: [{ replyMs: -1 }] }, { clock })],
  ["a fault that is none", "faults.read[0]", () => faulty(port, { read: [7 as never] })],
  ["one fault for a list", "faults.read", () => faulty(port, { read: "throws" as never })],
  ["a fault that was chosen", "faults.read()", () => faulty(port, { read: () => "explodes" as never }).read()],
  ["a method", "faults.raed", () => faulty(port, { raed: ["throws"] } as never)],
  ["a rate", "rates.hangs", () => faulty(port, {}, { seed: 1, rates: { hangs: 1.5 } })],
  ["rates above 1", "faults.read", () => faulty(port, { read: { hangs: 0.7, throws: 0.7 } }, { seed: 1 })],
  ["a range", "rates.slowMs", () => faulty(port, {}, { seed: 1, rates: { slowMs: [5, 1] } })],
  ["rates without a seed", "seed", () => faulty(port, {}, { rates: { hangs: 0.5 } })],
  ["slow calls without a clock", "clock", () => faulty(port, { read: [{ replyMs: 5 }] })],
  ["a read", "script[1]", () => createFakeKillSwitch(["clear", "clr" as never])],
  ["a state", "script[0]", () => createFakeKillSwitch([{ haltd: true } as never])],
  ["one read for a list", "script", () => createFakeKillSwitch("halted" as never)],
  ["an empty script", "steps", () => createScriptedExecutor([])],
  ["no script", "steps", () => createScriptedExecutor(undefined as never)],
  ["a step", "steps[0]", () => createScriptedExecutor(["succeeds" as never])],
  ["steps that take time without a clock", "clock", () => createScriptedExecutor([succeeds(1, { afterMs: 5 })])],
  ["who is asked", "reconcile", () => createScriptedExecutor([succeeds()], { reconcile: "wrold" as never })],
  ["no world to ask", "world", () => createScriptedExecutor([succeeds()], { reconcile: "world" })],
  ["the time of a step", "afterMs", () => succeeds(1, { afterMs: "5" as never })],
  ["the time of a late step", "afterMs", () => succeedsLate(Number.NaN)],
  ["a flaky executor without a seed", "seed", () => createFlakyExecutor({ clock } as never)],
  ["a flaky executor without a clock", "clock", () => createFlakyExecutor({ seed: "a" } as never)],
  ["a flaky rate", "rates.rejects", () => createFlakyExecutor({ seed: 1, clock, rates: { rejects: 2 } })],
  ["flaky rates above 1", "rates", () => createFlakyExecutor({ seed: 1, clock, rates: { rejects: 0.9 } })],
  ["a latency", "latencyMs", () => createFlakyExecutor({ seed: 1, clock, latencyMs: 5 as never })],
  ["how late", "lateMs", () => createFlakyExecutor({ seed: 1, clock, lateMs: -5 })],
  ["a start", "startMs", () => createVirtualClock({ startMs: "2026" as never })],
  ["a word for real work", "realWork", () => createVirtualClock({ realWork: "off" as never })],
  ["patience", "realWorkPatienceMs", () => createVirtualClock({ realWorkPatienceMs: -1 })],
  ["how many timers", "maxTimers", () => createVirtualClock({ maxTimers: 0 })],
];

describe("what is wrong is refused, with its name:", () => {
  it.each(WRONG)("%s", async (_, path, call) => {
    await expect((async () => call())()).rejects.toMatchObject({
      name: "EocError",
      code: "invalid_option",
      message: expect.stringContaining(`${path} must be `),
      issues: [{ path }],
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

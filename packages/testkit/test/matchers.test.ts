import { createManualKillSwitch, type ExecuteOptions, execute, type FinalDecisionInput } from "@eoc/core";
import {
  checkInvariants,
  createScriptedExecutor,
  createWorld,
  explore,
  rejects,
  type ScriptedStep,
  succeeds,
  throws,
} from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import * as forJest from "../src/jest.js";
import * as forAny from "../src/matchers.js";
import * as forVitest from "../src/vitest.js";
import { record } from "./invariants/support.js";

const { matchers } = forVitest;
expect.extend(matchers);

const TWO: FinalDecisionInput = {
  action: "ACT",
  actions: [
    { action: "ACT", id: "debit" },
    { action: "ACT", id: "credit" },
  ],
};

async function run(steps: readonly ScriptedStep[], decision: FinalDecisionInput = TWO, options: ExecuteOptions = {}) {
  const world = createWorld();
  const executor = createScriptedExecutor(steps, { world });
  const report = await execute(decision, {}, { retry: { initialBackoffMs: 0 } }, executor, options);
  return { report, executor, world };
}

/** What a failed assertion says. */
const messageOf = (assertion: () => void): string => {
  try {
    assertion();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the assertion did not fail");
};

describe("the matchers of reports and rows", () => {
  it("tell success", async () => {
    const { report } = await run([succeeds()]);
    expect(report).toHaveSucceeded();
    expect(report.actions[1]).toHaveSucceeded();
    expect(report).not.toHaveFailed();
    expect(messageOf(() => expect(report).not.toHaveSucceeded())).toBe(
      "expected anything but success; got success\n\n  0  ACT debit: success, completed, dispatched once\n  1  ACT credit: success, completed, dispatched once",
    );
  });

  it("tell failure, with its code where it is given", async () => {
    const { report } = await run([rejects("declined", { retryable: false })]);
    expect(report).toHaveFailed();
    expect(report).toHaveFailed("declined");
    expect(report.actions[0]).toHaveFailed("declined");
    expect(report).not.toHaveFailed("other");
    expect(report.actions[1]).toBeSkipped("prior_action_failed");
    expect(messageOf(() => expect(report).toHaveFailed("other"))).toBe(
      "expected failed, other; got failed\n\n  0  ACT debit: failed, rejected, declined, dispatched once\n  1  ACT credit: skipped, prior_action_failed, dispatched 0 times",
    );
    expect(messageOf(() => expect(report.actions[0]).toHaveSucceeded())).toBe(
      "expected success; got failed (rejected, declined)",
    );
  });

  it("tell what is unknown, and fail-closed", async () => {
    const { report } = await run([throws(new TypeError("x"))]);
    expect(report).toBeUnknown();
    expect(report).toBeUnknown("execution_exception");
    expect(report).not.toBeUnknown("attempt_timeout");
    expect(report).toBeFailClosed();
    expect(messageOf(() => expect(report).toHaveSucceeded())).toContain("expected success; got unknown (fail closed)");
    expect(messageOf(() => expect(report).not.toBeFailClosed())).toContain("expected the report not to be fail closed");
  });

  it("tell denials and skips, with their reason where it is given", async () => {
    const killSwitch = createManualKillSwitch();
    killSwitch.halt();
    const { report: denied } = await run([succeeds()], TWO, { killSwitch });
    expect(denied).toBeDenied();
    expect(denied).toBeDenied("kill_switch");
    expect(denied).not.toBeDenied("rate_limited");
    expect(denied).not.toBeFailClosed();
    const { report: skipped } = await run([succeeds()], { action: "ACT", actions: [] });
    expect(skipped).toBeSkipped("no_actions");
    expect(messageOf(() => expect(skipped).toBeDenied())).toBe("expected denied; got skipped (no_actions)\n\nno rows");
  });

  it("refuse anything else, negated as well", () => {
    for (const other of [undefined, null, 7, "success", {}, { status: "success" }]) {
      expect(() => expect(other).not.toHaveSucceeded()).toThrow("toHaveSucceeded is for reports and their rows");
    }
  });
});

describe("toHaveDispatched", () => {
  it("counts the dispatches of a report or a scripted executor, all together or by id", async () => {
    const { report, executor } = await run([rejects("busy"), succeeds()]);
    for (const received of [report, executor]) {
      expect(received).toHaveDispatched(3);
      expect(received).toHaveDispatched({ debit: 2, credit: 1 });
      expect(received).not.toHaveDispatched({ debit: 2 });
      expect(received).not.toHaveDispatched({ debit: 2, credit: 1, other: 1 });
    }
    expect(messageOf(() => expect(report).toHaveDispatched(2))).toBe(
      "expected it to have been dispatched 2 times; it was dispatched 3 times: debit 2 times, credit once",
    );
    expect(messageOf(() => expect(report).not.toHaveDispatched({ debit: 2, credit: 1 }))).toContain(
      "expected it not to have been dispatched debit 2 times, credit once",
    );
  });

  it("takes an id that is a name of Object's own for what it is", async () => {
    const { executor } = await run([succeeds()], { action: "ACT", actions: [{ action: "ACT", id: "toString" }] });
    expect(executor).toHaveDispatched({ toString: 1 });
    expect(executor).not.toHaveDispatched({});
  });

  it("refuses anything else", () => {
    expect(() => expect({}).toHaveDispatched(0)).toThrow("is for reports and scripted executors");
  });
});

describe("toHaveEffects", () => {
  it("counts what really happened, all together or by id", async () => {
    const { world } = await run([throws(new Error("lost"), { applied: true })]);
    expect(world).toHaveEffects(1);
    expect(world).toHaveEffects({ debit: 1 });
    expect(world).toHaveEffects({ debit: 1, credit: 0 });
    expect(world).not.toHaveEffects({});
    expect(messageOf(() => expect(world).toHaveEffects({}))).toBe(
      "expected it to have happened not at all; it happened once: debit once",
    );
    expect(() => expect([]).toHaveEffects(0)).toThrow("toHaveEffects is for worlds");
  });
});

describe("toHaveNoViolations", () => {
  it("checks a recorded execution, or what was found already", async () => {
    const recorded = await record({ steps: [succeeds()] });
    expect(recorded).toHaveNoViolations();
    expect(checkInvariants(recorded)).toHaveNoViolations();
    const { events: _, ...withoutEvents } = recorded;
    expect(withoutEvents).toHaveNoViolations();
    expect({ ...withoutEvents, report: { ...recorded.report, failClosed: true } }).not.toHaveNoViolations();
    const broken = {
      ...recorded,
      policy: { rateLimit: { global: { limit: 1, windowMs: 10 } } },
      report: { ...recorded.report, failClosed: true },
    };
    expect(broken).not.toHaveNoViolations();
    expect(messageOf(() => expect(broken).toHaveNoViolations())).toMatch(
      /^2 violations of the invariants\n\nINV-EXE-1 S8.1: .*\nINV-EXE-3 S10: failClosed is true/,
    );
    expect(messageOf(() => expect(recorded).not.toHaveNoViolations())).toBe(
      "expected violations of the invariants; there are none",
    );
  });

  it("shows the message of explore", async () => {
    const executor = () => () => ({ ok: true }) as const;
    expect(await explore({ executor, runs: 2 })).toHaveNoViolations();
    const check = () => {
      throw new Error("never good enough");
    };
    const result = await explore({ executor, check, print: () => {} });
    expect(messageOf(() => expect(result).toHaveNoViolations())).toBe(result.failure!.message);
  });

  it("refuses anything else", () => {
    expect(() => expect({}).not.toHaveNoViolations()).toThrow("is for recorded executions");
  });
});

describe("the entry of the matchers", () => {
  it("exports nothing else, with types for vitest, for jest, or for nobody", () => {
    for (const entry of [forAny, forVitest, forJest]) expect({ ...entry }).toEqual({ matchers });
  });

  it("exports them for any runner's expect.extend", () => {
    expect(Object.keys(matchers).sort()).toEqual([
      "toBeDenied",
      "toBeFailClosed",
      "toBeSkipped",
      "toBeUnknown",
      "toHaveDispatched",
      "toHaveEffects",
      "toHaveFailed",
      "toHaveNoViolations",
      "toHaveSucceeded",
    ]);
  });
});

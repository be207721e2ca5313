import { definePolicy, type Executor, type ExecutorResult, NotAppliedError } from "@eoc/core";
import { aPlan, succeeds } from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { judge } from "../../src/explore/judge.js";
import type { Bench } from "../../src/explore/lab.js";
import { Observer } from "../../src/explore/observer.js";
import { record } from "../invariants/support.js";

const policy = definePolicy({ maxConcurrency: 2 });
const action = aPlan().actions[0]!;

/** Calls of an executor that ends when it is told to. */
function watched(isHalted = () => false, answer: () => ExecutorResult = () => ({ ok: false, code: "busy" })) {
  let nowMs = 0;
  const observer = new Observer(isHalted, () => nowMs);
  const ends: (() => void)[] = [];
  const executor: Executor = () =>
    new Promise<ExecutorResult>((resolve) => {
      ends.push(() => resolve(new Promise((settle) => settle(answer()))));
    });
  const watching = observer.watch(executor, policy, true);
  const call = (actionIndex: number, executionId = "e", attempt = 0) => {
    const { signal } = new AbortController();
    const execute = typeof watching === "function" ? watching : watching.execute;
    return execute(action, { actionIndex, executionId, signal, attempt, deadlineMs: 0, context: {} });
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { observer, ends, call, pass };
}

describe("an observer", () => {
  it("finds nothing in calls that keep to the policy, and counts them", async () => {
    const { observer, ends, call } = watched();
    const first = call(0);
    void call(1);
    ends[0]!();
    await first;
    void call(0);
    void call(0, "another execution");
    expect(observer.violations).toEqual([]);
    expect([observer.callsOf("e", 0), observer.callsOf("e", 1), observer.callsOf("e", 2)]).toEqual([2, 1, 0]);
  });

  it("S4.3 sees an action dispatched while the executor is still at it", () => {
    const { observer, call } = watched();
    void call(0);
    void call(0);
    expect(observer.violations).toEqual([
      expect.objectContaining({ invariant: "INV-EXE-2", clause: "S4.3", actionIndex: 0 }),
    ]);
  });

  it("S4.4 sees more dispatches at once than the policy allows", () => {
    const { observer, call } = watched();
    for (const index of [0, 1, 2]) void call(index);
    expect(observer.violations).toEqual([expect.objectContaining({ clause: "S4.4", actionIndex: 2 })]);
  });

  for (const [what, answer, waitedMs, clause] of [
    ["S3.1 sees a call after success", () => ({ ok: true }), 0, "S3.1"],
    ["S3.1 sees a call after a final rejection", () => ({ ok: false, code: "no", retryable: false }), 0, "S3.1"],
    ["S3.5 sees a call too early", () => ({ ok: false, code: "later", retryAfterMs: 50 }), 49, "S3.5"],
    ["S3.5 sees a call in time", () => ({ ok: false, code: "later", retryAfterMs: 50 }), 50, undefined],
    [
      "S3.5 sees a call after too long a wait",
      () => ({ ok: false, code: "later", retryAfterMs: 60_001 }),
      60_001,
      "S3.5",
    ],
    [
      "S3.1 sees a call after a NotAppliedError that is final",
      () => {
        throw new NotAppliedError("no", { retryable: false });
      },
      0,
      "S3.1",
    ],
    [
      "S3.1 has nothing against a call after anything else that was thrown",
      () => {
        throw new Error("no");
      },
      0,
      undefined,
    ],
  ] as const satisfies readonly [string, () => ExecutorResult, number, string | undefined][]) {
    it(what, async () => {
      const { observer, ends, call, pass } = watched(undefined, answer);
      const first = call(0) as Promise<unknown>;
      ends[0]!();
      await first.catch(() => {});
      pass(waitedMs);
      void call(0, "another execution", 1);
      expect(observer.violations).toEqual([]);
      void call(0, "e", 1);
      const expected = clause === undefined ? [] : [expect.objectContaining({ invariant: "INV-EXE-3", clause })];
      expect(observer.violations).toEqual(expected);
    });
  }

  it("S2.2 sees a dispatch after the switch has halted", () => {
    const { observer, call } = watched(() => true);
    void call(0);
    expect(observer.violations).toEqual([expect.objectContaining({ invariant: "INV-EXE-4", clause: "S2.2" })]);
  });

  it("hands on what the executor answers, throws and reconciles", async () => {
    const observer = new Observer(
      () => false,
      () => 0,
    );
    const error = new Error("x");
    const executor: Executor = {
      execute: ({ index }) => {
        if (index === 0) throw error;
        return { ok: true, value: index };
      },
      reconcile: () => ({ state: "applied" }),
    };
    const { execute, reconcile } = observer.watch(executor, policy, true) as Exclude<
      Executor,
      (...args: never[]) => unknown
    >;
    const attempt = { executionId: "e", actionIndex: 0 } as never;
    expect(() => execute(action, attempt)).toThrow(error);
    expect(execute({ ...action, index: 1 }, attempt)).toEqual({ ok: true, value: 1 });
    expect(reconcile!(action, attempt)).toEqual({ state: "applied" });
    expect(observer.violations).toEqual([]);
  });
});

describe("what an observer saw", () => {
  it("S8.1 is held against the report", async () => {
    const recorded = await record({ steps: [succeeds()] });
    const executions = [{ ...recorded, policy, options: {} }];
    const judged = (calls: number) => {
      const observer = { violations: [], callsOf: () => calls };
      return judge({ executions, observer, keepsLedger: false } as unknown as Bench, []);
    };
    expect(judged(1)).toEqual([]);
    expect(judged(2)).toEqual([
      {
        invariant: "INV-EXE-1",
        clause: "S8.1",
        message: "the executor was called 2 times, the report has 1 attempts",
        actionIndex: 0,
      },
    ]);
  });

  it("is part of the verdict", () => {
    const { observer, call } = watched();
    void call(0);
    void call(0);
    const verdict = judge({ executions: [], observer, keepsLedger: false } as unknown as Bench, []);
    expect(verdict).toEqual(observer.violations);
  });
});

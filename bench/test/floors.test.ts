import { AsyncLocalStorage } from "node:async_hooks";
import {
  definePolicy,
  type ExecuteFn,
  type ExecutionReport,
  type ExecutorResult,
  execute,
  type FinalDecisionInput,
} from "@eoc/core";
import { describe, expect, it, vi } from "vitest";
import type { Task } from "../src/floors/attempt.ts";
import { createContractFloor } from "../src/floors/contract-floor.ts";
import { createFullFloor, FloorSwitch } from "../src/floors/full-floor.ts";
import { createLeanFloor, type LeanFloorOptions } from "../src/floors/lean-floor.ts";
import { createReplayFloor } from "../src/floors/replay-floor.ts";
import { SlidingLog } from "../src/floors/sliding-log.ts";

const DONE = { ok: true, value: 7 } as const;
const BUSY = { ok: false, code: "busy" } as const;
const hangs: Task = () => new Promise(() => {});

const OPTIONS: LeanFloorOptions = { maxRetries: 3, initialBackoffMs: 0, attemptTimeoutMs: 20, slots: 2 };
const FULL = { ...OPTIONS, rateLimit: { limit: 1000, windowMs: 1000 } };

const floors = {
  "the lean floor": (options: Partial<LeanFloorOptions> = {}) => createLeanFloor({ ...OPTIONS, ...options }),
  "the contract floor": (options: Partial<LeanFloorOptions> = {}) => {
    const floor = createContractFloor({ ...OPTIONS, ...options });
    return async (task: Task) => {
      const report = await floor({ action: "ACT" }, {}, (_, attempt) => task(attempt));
      const [{ errorCode = report.status === "success" ? undefined : "cancelled", value }] = report.actions;
      const code = errorCode === "execution_exception" ? "threw" : errorCode;
      return { status: report.status, code, value, attempts: report.attempts.length };
    };
  },
  "the full floor": (options: Partial<LeanFloorOptions> = {}) => {
    const floor = createFullFloor({ ...FULL, ...options, killSwitch: new FloorSwitch() });
    return async (task: Task) => {
      const { attempts, status, code, value } = await floor({ action: "ACT" }, task);
      return { status, code, value, attempts: attempts.length };
    };
  },
};

for (const [name, create] of Object.entries(floors)) {
  describe(name, () => {
    it("takes an answer, be it a value or a promise", async () => {
      expect(await create()(() => DONE)).toMatchObject({ status: "success", attempts: 1, value: 7 });
      expect(await create()(async () => DONE)).toMatchObject({ status: "success", attempts: 1, value: 7 });
    });

    it("retries what failed, as often as it may", async () => {
      expect(await create()(async ({ number }) => (number < 2 ? BUSY : DONE))).toMatchObject({
        status: "success",
        attempts: 3,
      });
      expect(await create()(async () => BUSY)).toMatchObject({ status: "failed", attempts: 4, code: "busy" });
    });

    it("waits between attempts when it is told to", async () => {
      vi.useFakeTimers();
      const settled = vi.fn();
      const outcome = create({ initialBackoffMs: 100 })(({ number }) => (number < 2 ? BUSY : DONE));
      void outcome.then(settled);
      await vi.advanceTimersByTimeAsync(299);
      expect(settled).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      expect(settled).toHaveBeenCalled();
      vi.useRealTimers();
    });

    it("does not retry what threw, since nobody knows what it did", async () => {
      for (const task of [
        () => {
          throw new Error("no");
        },
        () => Promise.reject(new Error("no")),
      ]) {
        expect(await create()(task)).toMatchObject({ status: "unknown", attempts: 1, code: "threw" });
      }
    });

    it("limits an attempt, aborts its signal, and does not retry it", async () => {
      let aborted: unknown;
      const outcome = await create()(({ signal }) => {
        signal.addEventListener("abort", () => {
          aborted = signal.reason;
        });
        return new Promise(() => {});
      });
      expect(outcome).toMatchObject({ status: "unknown", attempts: 1, code: "attempt_timeout" });
      expect(aborted).toBe("attempt_timeout");
    });

    it("lets so many run at a time and the rest in order", async () => {
      const floor = create();
      const order: number[] = [];
      let running = 0;
      let most = 0;
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          floor(async () => {
            order.push(index);
            most = Math.max(most, ++running);
            await Promise.resolve();
            running--;
            return DONE;
          }),
        ),
      );
      expect(most).toBe(2);
      expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    it("stops all that is under way when the parent aborts, and starts nothing more", async () => {
      const controller = new AbortController();
      const floor = create({ attemptTimeoutMs: 60_000, signal: controller.signal });
      const underWay = [floor(hangs), floor(hangs), floor(hangs)];
      controller.abort();
      const outcomes = await Promise.all(underWay);
      expect(outcomes.map(({ code, attempts }) => `${code} ${attempts}`)).toEqual([
        "cancelled 1",
        "cancelled 1",
        "cancelled 0",
      ]);
    });

    it("keeps the caller's asynchronous context in queues and after timers", async () => {
      const storage = new AsyncLocalStorage<number>();
      const floor = create();
      const wrong: unknown[] = [];
      const check = (id: number) => {
        if (storage.getStore() !== id) wrong.push([id, storage.getStore()]);
      };
      await Promise.all(
        Array.from({ length: 8 }, (_, id) =>
          storage.run(id, async () => {
            await floor(({ signal, number }) => {
              check(id);
              if (number === 0) return BUSY;
              signal.addEventListener("abort", () => check(id));
              return id % 2 === 0 ? new Promise(() => {}) : DONE;
            });
            check(id);
          }),
        ),
      );
      expect(wrong).toEqual([]);
    });
  });
}

describe("the full floor", () => {
  const create = (killSwitch: FloorSwitch, limit = 1000) =>
    createFullFloor({ ...FULL, attemptTimeoutMs: 60_000, killSwitch, rateLimit: { limit, windowMs: 60_000 } });

  it("refuses what is no decision", async () => {
    const floor = create(new FloorSwitch());
    for (const decision of [undefined, null, 7, {}, { action: "FLY" }, { action: "ACT", allowed: "yes" }]) {
      expect(await floor(decision, () => DONE)).toMatchObject({ status: "denied", code: "invalid_decision" });
    }
  });

  it("dispatches nothing once halted, and stops what is under way", async () => {
    const killSwitch = new FloorSwitch();
    const floor = create(killSwitch);
    const underWay = floor({ action: "ACT" }, hangs);
    killSwitch.halt();
    expect(await underWay).toMatchObject({ status: "unknown" });
    expect(await floor({ action: "ACT" }, () => DONE)).toMatchObject({ status: "denied", code: "kill_switch" });
  });

  it("keeps its rate limit, retries included", async () => {
    const floor = create(new FloorSwitch(), 3);
    expect(await floor({ action: "ACT" }, () => BUSY)).toMatchObject({ status: "failed", code: "rate_limited" });
    expect(await floor({ action: "ACT" }, () => DONE)).toMatchObject({ status: "denied", code: "rate_limited" });
  });

  it("reports every attempt", async () => {
    const report = await create(new FloorSwitch())({ action: "ACT" }, ({ number }) => (number === 0 ? BUSY : DONE));
    expect(report.attempts.map(({ attemptNumber, status, code }) => [attemptNumber, status, code])).toEqual([
      [0, "failed", "busy"],
      [1, "success", undefined],
    ]);
    expect(report).toMatchObject({ successCount: 1, failedCount: 1 });
  });
});

describe("the contract floor", () => {
  const decision: FinalDecisionInput = {
    action: "ACT",
    reasons: ["due"],
    params: { order: "o-1", lines: [1, "two", null] },
  };
  const context = { account: "a-17" };
  const policy = definePolicy({ retry: { maxRetries: 3, initialBackoffMs: 0 } });
  const byHand = createContractFloor({ ...OPTIONS, attemptTimeoutMs: 5000 });

  /** What an executor is handed and a caller gets, without ids and times. */
  async function seen(run: (task: ExecuteFn) => Promise<object>, answer: (attempt: number) => ExecutorResult) {
    const handed: unknown[] = [];
    const report = await run(async (action, { attempt, actionIndex, context, signal }) => {
      handed.push({ action, attempt, actionIndex, context, isAborted: signal.aborted });
      handed.push([action, action.params, action.params["lines"], context].map(Object.isFrozen));
      return answer(attempt);
    });
    const { executionId, startedAtMs, ...rest } = report as ExecutionReport;
    expect([typeof executionId, typeof startedAtMs]).toEqual(["string", "number"]);
    const untimed = (rows: readonly object[]) => rows.map((row) => ({ ...row, startedAtMs: 0, latencyMs: 0 }));
    const { actions, attempts, totalLatencyMs: _, ...counted } = rest;
    const values = actions.map((row) => Object.getOwnPropertyDescriptor(row, "value"));
    return { handed, counted, values, actions: untimed(actions), attempts: untimed(attempts) };
  }

  it.each<[string, (attempt: number) => ExecutorResult]>([
    ["succeeds with a value", () => DONE],
    ["succeeds without one", () => ({ ok: true })],
    ["is busy at first", (attempt) => (attempt === 0 ? BUSY : DONE)],
    ["is busy for ever", () => BUSY],
  ])("hands over and reports what EOC does when an executor %s", async (_, answer) => {
    const floor = await seen((task) => byHand(decision, context, task), answer);

    expect(floor).toEqual(await seen((task) => execute(decision, context, policy, task), answer));
  });

  it("carries out no decision that is none, and none that cannot be copied", async () => {
    for (const wrong of [
      undefined,
      {},
      { action: "FLY" },
      { ...decision, allowed: "yes" },
      { ...decision, at: new Date() },
    ]) {
      await expect(byHand(wrong, context, () => DONE)).rejects.toThrow();
    }
  });
});

describe("the sliding log", () => {
  it("lets no window of any place hold more than its limit", () => {
    const log = new SlidingLog(2, 10);
    expect([0, 9, 9, 10, 18, 19, 20].map((now) => log.take(now))).toEqual([0, 0, 1, 0, 1, 0, 0]);
  });
});

describe("the replay by hand", () => {
  it("does what a key stands for once, and refuses the key for anything else", async () => {
    const task = vi.fn(async () => DONE);
    const run = createReplayFloor();
    const outcomes: unknown[] = [];
    for (const params of [{ cents: 1 }, { cents: 1 }, { cents: 2 }]) {
      const { status, code, actions } = await run({ action: "ACT", key: "k", params }, task);
      outcomes.push([status, code, actions[0]!.replayed, actions[0]!.value]);
    }

    expect(outcomes).toEqual([
      ["success", undefined, false, 7],
      ["success", undefined, true, 7],
      ["denied", "idempotency_conflict", false, undefined],
    ]);
    expect(task).toHaveBeenCalledTimes(1);
  });

  it("keeps nothing of what failed, and checks the decision", async () => {
    const run = createReplayFloor();

    expect(await run({ action: "ACT", key: "k" }, async () => BUSY)).toMatchObject({ status: "failed", code: "busy" });
    expect(await run({ action: "ACT", key: "k" }, async () => DONE)).toMatchObject({ status: "success" });
    expect(await run({ action: "DO", key: "k" }, async () => DONE)).toMatchObject({ status: "denied" });
  });
});

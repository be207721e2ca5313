import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import {
  type Clock,
  createBulkhead,
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  definePolicy,
  type ExecuteOptions,
  execute,
  type FinalDecisionInput,
} from "../../src/index.js";
import { createVirtualClock } from "../support.js";

/** A bulkhead of one slot, which is taken until `leave` is called. */
function takenBulkhead() {
  const bulkhead = createBulkhead({ limit: 1 });
  bulkhead.tryEnter();
  return bulkhead;
}

/** Executes one action that nobody observes, and says when it was dispatched. */
async function waitFor(clock: Clock, options: ExecuteOptions, maxTotalTimeMs = 1000) {
  const dispatched: number[] = [];
  const executor = () => {
    dispatched.push(clock.monotonic());
    return { ok: true as const };
  };
  const report = await execute({ action: "ACT" }, {}, { timeout: { maxTotalTimeMs } }, executor, { clock, ...options });
  return { report, dispatched, endedAt: clock.monotonic() };
}

describe("S5.4 an execution that waits for a shared slot before anything of it has begun", () => {
  it("is dispatched when it gets one, and says how long it waited", async () => {
    const clock = createVirtualClock();
    const bulkhead = takenBulkhead();
    clock.setTimer(() => bulkhead.leave(), 40);
    const { report, dispatched } = await clock.run(() => waitFor(clock, { bulkhead, executionId: "e-1" }));
    expect(dispatched).toEqual([40]);
    expect(report).toMatchObject({ executionId: "e-1", status: "success", startedAtMs: clock.now() - 40 });
    expect(report.actions[0]).toMatchObject({ waitedMs: 40, latencyMs: 40 });
    expect(bulkhead.tryEnter()).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it("keeps what it was called with, whoever waits beside it with what", async () => {
    const clock = createVirtualClock();
    const bulkhead = takenBulkhead();
    clock.setTimer(() => bulkhead.leave(), 40);
    const ids = ["e-1", "e-1", "e-2", undefined, "e-2", "e-3", undefined];
    const limits = [500, 500, 500, 500, 500, 600, 600];
    const policies = new Map(
      [500, 600].map((maxTotalTimeMs) => [maxTotalTimeMs, definePolicy({ timeout: { maxTotalTimeMs } })]),
    );
    const controller = new AbortController();
    const waiting = ids.map((executionId, index) =>
      execute(
        { action: "ACT", id: `by ${index}` } as FinalDecisionInput,
        { who: index },
        policies.get(limits[index]!)!,
        (_, { executionId: id, context, deadlineMs }) => ({
          ok: true,
          value: [id, context["who"], deadlineMs],
        }),
        {
          clock,
          bulkhead,
          ...(executionId !== undefined && { executionId }),
          ...(index === 4 && { signal: controller.signal }),
        },
      ),
    );
    controller.abort();
    const reports = await clock.run(() => Promise.all(waiting));
    expect(reports.map(({ status, reason }) => reason ?? status)).toEqual([
      ...["success", "success", "success", "success", "cancelled", "success", "success"],
    ]);
    const own = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(reports.map(({ executionId }) => executionId)).toEqual(ids.map((id) => id ?? own));
    expect(reports.map(({ actions }) => actions[0]!.value)).toEqual(
      ids.map((_, at) => (at === 4 ? undefined : [reports[at]!.executionId, at, limits[at]! + clock.monotonic() - 40])),
    );
  });

  it("S4.1 is denied at its own deadline, whoever waits before it and however long they may", async () => {
    const clock = createVirtualClock();
    const bulkhead = takenBulkhead();
    const ends = await clock.run(() =>
      Promise.all([500, 500, 100, 700, 300].map((limitMs) => waitFor(clock, { bulkhead }, limitMs))),
    );
    expect(ends.map(({ endedAt }) => endedAt)).toEqual([500, 500, 100, 700, 300]);
    expect(new Set(ends.map(({ report }) => report.reason))).toEqual(new Set(["deadline_exceeded"]));
    bulkhead.leave();
    expect(bulkhead.tryEnter()).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it("S4.1 is denied at its own deadline also when those before it have a driver or a clock of their own", async () => {
    const clock = createVirtualClock();
    const ahead: Clock = {
      ...clock,
      now: clock.now,
      monotonic: () => clock.monotonic() + 10_000,
      setTimer: clock.setTimer,
    };
    const bulkhead = takenBulkhead();
    clock.setTimer(() => bulkhead.leave(), 5);
    const hangs = () => new Promise<never>(() => {});
    void execute({ action: "ACT" }, {}, { timeout: { maxTotalTimeMs: 50 } }, hangs, { clock, bulkhead });
    const ends = await clock.run(() =>
      Promise.all([
        waitFor(clock, { bulkhead, onEvent: () => {} }, 900),
        waitFor(clock, { bulkhead }, 100),
        waitFor(ahead, { bulkhead }, 200),
      ]),
    );
    expect(ends.map(({ report }) => [report.reason, report.totalLatencyMs])).toEqual([
      ["deadline_exceeded", 900],
      ["deadline_exceeded", 100],
      ["deadline_exceeded", 200],
    ]);
  });

  it("S7.1 has its key made first where it brings none", async () => {
    const clock = createVirtualClock();
    const bulkhead = takenBulkhead();
    clock.setTimer(() => bulkhead.leave(), 40);
    const idempotencyStore = createMemoryIdempotencyStore({ clock });
    const decision = { action: "ACT" as const };
    const policy = { idempotency: { enabled: true } };
    const report = await clock.run(() =>
      execute(decision, {}, policy, () => ({ ok: true }), { clock, bulkhead, idempotencyStore }),
    );
    expect(report).toMatchObject({
      status: "success",
      actions: [{ idempotencyKey: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    });
  });

  it("S1.6 does not wait in order to be told that it may not", async () => {
    const bulkhead = takenBulkhead();
    const run = (decision: FinalDecisionInput, context: Record<string, unknown>, options: ExecuteOptions) =>
      execute(decision, context, {}, () => ({ ok: true }), { bulkhead, ...options });
    const reports = await Promise.all([
      run({ action: "ACT", allowed: false }, {}, {}),
      run({ action: "ACT" }, { ops_deny_actions: true }, {}),
      run({ action: "ACT" }, {}, { signal: AbortSignal.abort() }),
    ]);
    expect(reports.map(({ reason }) => reason)).toEqual(["not_allowed", "kill_switch", "cancelled"]);
  });

  it("S2.4 is not dispatched when it is cancelled right after it got its slot, which it gives back", async () => {
    const clock = createVirtualClock();
    const bulkhead = takenBulkhead();
    const controller = new AbortController();
    clock.setTimer(() => {
      bulkhead.leave();
      controller.abort();
    }, 5);
    const { report, dispatched } = await clock.run(() => waitFor(clock, { bulkhead, signal: controller.signal }));
    expect([report.reason, dispatched]).toEqual(["cancelled", []]);
    expect(bulkhead.tryEnter()).toBe(true);
  });

  it("S3.6 is not dispatched when it gets its slot at its deadline, and gives it back", async () => {
    const clock = createVirtualClock();
    const bulkhead = takenBulkhead();
    clock.setTimer(() => bulkhead.leave(), 1000);
    const { report, dispatched } = await clock.run(() => waitFor(clock, { bulkhead }));
    expect([report.reason, dispatched]).toEqual(["deadline_exceeded", []]);
    expect(bulkhead.tryEnter()).toBe(true);
  });

  it("asks a bulkhead whose methods the caller has replaced", async () => {
    const clock = createVirtualClock();
    const refusing = createBulkhead({ limit: 1 });
    refusing.tryEnter = () => false;
    const full = takenBulkhead();
    full.queue = () => undefined;
    const ends = await clock.run(() => Promise.all([refusing, full].map((bulkhead) => waitFor(clock, { bulkhead }))));
    expect(ends.map(({ report }) => report.reason)).toEqual(["deadline_exceeded", "bulkhead_full"]);
    expect(ends.flatMap(({ dispatched }) => dispatched)).toEqual([]);
  });

  it("keeps its place among those who have a driver of their own", async () => {
    const clock = createVirtualClock();
    const bulkhead = takenBulkhead();
    const order: number[] = [];
    clock.setTimer(() => bulkhead.leave(), 5);
    const one = (id: number) =>
      execute(
        { action: "ACT" },
        {},
        {},
        async () => {
          order.push(id);
          await clock.sleep(10);
          return { ok: true };
        },
        { clock, bulkhead, ...(id % 3 === 1 && { onEvent: () => {} }) },
      );
    await clock.run(() => Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(one)));
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("S2.4 ends at once when it is halted, and passes on a slot that it was just given", async () => {
    const clock = createVirtualClock();
    const bulkhead = takenBulkhead();
    const killSwitch = createManualKillSwitch();
    const caller = new AbortController();
    clock.setTimer(() => {
      bulkhead.leave();
      killSwitch.halt();
      caller.abort();
    }, 30);
    const [halted, cancelled, free] = await clock.run(() =>
      Promise.all([
        waitFor(clock, { bulkhead, killSwitch }),
        waitFor(clock, { bulkhead, signal: caller.signal }),
        waitFor(clock, { bulkhead }),
      ]),
    );
    expect(halted.report).toMatchObject({ status: "denied", reason: "kill_switch", totalLatencyMs: 30 });
    expect(cancelled.report).toMatchObject({ status: "denied", reason: "cancelled", totalLatencyMs: 30 });
    expect(free.dispatched).toEqual([30]);
    expect(bulkhead.tryEnter()).toBe(true);
  });

  it("S2.4 is still watched once it has been dispatched", async () => {
    const clock = createVirtualClock();
    const bulkhead = takenBulkhead();
    const killSwitch = createManualKillSwitch();
    clock.setTimer(() => bulkhead.leave(), 10);
    clock.setTimer(() => killSwitch.halt(), 20);
    const report = await clock.run(() =>
      execute(
        { action: "ACT" },
        {},
        {},
        (_, { signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason));
          }),
        { clock, bulkhead, killSwitch },
      ),
    );
    expect(report).toMatchObject({ status: "unknown", reason: "kill_switch", totalLatencyMs: 20, haltLatencyMs: 0 });
    expect(bulkhead.tryEnter()).toBe(true);
  });

  it("S1.3 has copied what it was given", async () => {
    const clock = createVirtualClock();
    const bulkhead = takenBulkhead();
    clock.setTimer(() => bulkhead.leave(), 10);
    const decision = { action: "ACT" as const, params: { amount: 1 } };
    const context = { tenant: "a" };
    const seen: unknown[] = [];
    const running = execute(
      decision,
      context,
      {},
      ({ params }, attempt) => {
        seen.push(params, attempt.context);
        return { ok: true };
      },
      { clock, bulkhead },
    );
    decision.params.amount = 2;
    context.tenant = "b";
    await clock.run(() => running);
    expect(seen).toEqual([{ amount: 1 }, { tenant: "a" }]);
  });

  it("goes on in its caller's asynchronous context", async () => {
    const storage = new AsyncLocalStorage<number>();
    const bulkhead = takenBulkhead();
    const seen: unknown[] = [];
    const one = (id: number) =>
      storage.run(id, async () => {
        await execute(
          { action: "ACT" },
          {},
          {},
          () => {
            seen.push([id, storage.getStore()]);
            return { ok: true };
          },
          { bulkhead },
        );
        seen.push([id, storage.getStore()]);
      });
    const running = Promise.all([1, 2, 3].map(one));
    storage.run(99, () => bulkhead.leave());
    await running;
    expect(seen).toHaveLength(6);
    expect(seen.filter((pair) => (pair as unknown[])[0] !== (pair as unknown[])[1])).toEqual([]);
  });

  it("asks methods that were put in the place of the bulkhead's own", async () => {
    const clock = createVirtualClock();
    const bulkhead = takenBulkhead();
    const { queue } = bulkhead;
    let asked = 0;
    bulkhead.queue = (waiter) => {
      asked++;
      return queue(waiter);
    };
    clock.setTimer(() => bulkhead.leave(), 10);
    const { dispatched } = await clock.run(() => waitFor(clock, { bulkhead }));
    expect([asked, dispatched]).toEqual([1, [10]]);
  });

  it("S8.2 is broken off, fail-closed, when the clock fails but once while it waits", async () => {
    const clock = createVirtualClock();
    const bulkhead = takenBulkhead();
    let isBroken = true;
    const failing: Clock = {
      now: () => clock.now(),
      monotonic: () => {
        if (clock.monotonic() < 50 || !isBroken) return clock.monotonic();
        isBroken = false;
        throw new Error("no time");
      },
      setTimer: (callback, ms) => clock.setTimer(callback, ms),
    };
    const running = [100, 100, 400].map((maxTotalTimeMs) =>
      execute({ action: "ACT" }, {}, { timeout: { maxTotalTimeMs } }, () => ({ ok: true }), {
        clock: failing,
        bulkhead,
      }),
    );
    const reports = await clock.run(() => Promise.all(running));
    expect(clock.monotonic()).toBe(100);
    expect(reports.map(({ status, reason, failClosed }) => [status, reason, failClosed])).toEqual(
      new Array(3).fill(["denied", "protocol_error", true]),
    );
    bulkhead.leave();
    expect(bulkhead.tryEnter()).toBe(true);
  });
});

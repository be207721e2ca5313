import type { AttemptContext } from "@eoc/core";
import {
  aPlan,
  createScriptedExecutor,
  createVirtualClock,
  createWorld,
  hangs,
  isDeadlockError,
  rejects,
  returns,
  succeeds,
  succeedsLate,
  throws,
} from "@eoc/testkit";
import { describe, expect, it } from "vitest";

const action = aPlan().actions[0]!;

function attempt(overrides: Partial<AttemptContext> = {}): AttemptContext {
  return {
    signal: new AbortController().signal,
    attempt: 0,
    deadlineMs: 5000,
    context: {},
    executionId: "test",
    actionIndex: 0,
    ...overrides,
  };
}

describe("createScriptedExecutor", () => {
  it("takes one step per dispatch and repeats the last, without a clock when no step takes time", async () => {
    const executor = createScriptedExecutor([
      rejects("busy", { retryable: true, retryAfterMs: 5 }),
      returns(undefined),
      succeeds("done"),
    ]);
    expect(await executor.execute(action, attempt())).toEqual({
      ok: false,
      code: "busy",
      retryable: true,
      retryAfterMs: 5,
    });
    expect(await executor.execute(action, attempt())).toBe(undefined);
    expect(await executor.execute(action, attempt())).toEqual({ ok: true, value: "done" });
    expect(await executor.execute(action, attempt())).toEqual({ ok: true, value: "done" });
    expect(executor.calls).toHaveLength(4);
  });

  it("chooses the step by a function of action and attempt", async () => {
    const executor = createScriptedExecutor(({ id }, { attempt }) => (attempt === 0 ? rejects(id) : succeeds()));
    expect(await executor.execute(action, attempt())).toEqual({ ok: false, code: "action-0" });
    expect(await executor.execute(action, attempt({ attempt: 1 }))).toEqual({ ok: true });
  });

  it("throws what it is told to, also what is no Error", async () => {
    const executor = createScriptedExecutor([throws("a string"), throws()]);
    await expect(executor.execute(action, attempt())).rejects.toBe("a string");
    await expect(executor.execute(action, attempt())).rejects.toThrow("scripted failure");
  });

  it("records every dispatch: what, when, how long, and what the caller got", async () => {
    const clock = createVirtualClock({ startMs: 0 });
    const executor = createScriptedExecutor([succeeds(1, { afterMs: 30 }), throws(new Error("x"), { afterMs: 5 })], {
      clock,
    });
    await clock.run(async () => {
      await executor.execute(action, attempt({ idempotencyKey: "k" }));
      await Promise.resolve(executor.execute(action, attempt({ attempt: 1 }))).catch(() => {});
      void executor.execute(action, attempt({ attempt: 2, actionIndex: 3 }));
    });
    expect(executor.calls).toEqual([
      { action, actionIndex: 0, attempt: 0, idempotencyKey: "k", startedAtMs: 0, endedAtMs: 30, outcome: "answered" },
      { action, actionIndex: 0, attempt: 1, startedAtMs: 30, endedAtMs: 35, outcome: "threw" },
      { action, actionIndex: 3, attempt: 2, startedAtMs: 35 },
    ]);
  });

  it("ends with the abort's reason when aborted, applies nothing, and notes the code", async () => {
    const clock = createVirtualClock({ startMs: 0 });
    const world = createWorld();
    const reason = Object.assign(new Error("late"), { code: "attempt_timeout" });
    for (const step of [succeeds(1, { afterMs: 100 }), hangs(), throws(1, { afterMs: 100, applied: true })]) {
      const executor = createScriptedExecutor([step], { clock, world });
      const controller = new AbortController();
      clock.setTimer(() => controller.abort(reason), 10);
      const ended = clock.run(async () => executor.execute(action, attempt({ signal: controller.signal })));
      await expect(ended).rejects.toBe(reason);
      expect(executor.calls).toMatchObject([{ outcome: "aborted", abortedWith: "attempt_timeout" }]);
      expect(executor.calls[0]!.endedAtMs! - executor.calls[0]!.startedAtMs).toBe(10);
    }
    expect(world.count()).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it("ends at once when the signal is aborted already", async () => {
    const executor = createScriptedExecutor([hangs()]);
    const signal = AbortSignal.abort("gone");
    await expect(executor.execute(action, attempt({ signal }))).rejects.toBe("gone");
    expect(executor.calls).toMatchObject([{ outcome: "aborted", abortedWith: "aborted" }]);
  });

  it("goes on after an abort where it ignores it: late success, applied at the dispatch", async () => {
    const clock = createVirtualClock({ startMs: 0 });
    const world = createWorld();
    const executor = createScriptedExecutor([succeedsLate(100, "late")], { clock, world });
    const controller = new AbortController();
    clock.setTimer(() => controller.abort(new Error("stop")), 10);
    const answer = await clock.run(async () => executor.execute(action, attempt({ signal: controller.signal })));
    expect(answer).toEqual({ ok: true, value: "late" });
    expect(world.effects).toEqual([{ actionId: "action-0", atMs: 0 }]);
    expect(executor.calls).toMatchObject([{ endedAtMs: 100, abortedWith: "aborted", outcome: "answered" }]);
  });

  it("applies effects with the answer, except where the step says otherwise", async () => {
    const clock = createVirtualClock({ startMs: 0 });
    const world = createWorld();
    const steps = [
      succeeds(undefined, { afterMs: 10 }),
      succeeds(undefined, { applies: false }),
      rejects("no"),
      throws(new Error("reply lost"), { afterMs: 5, applied: true }),
      throws(),
      returns("?", { applied: true }),
      hangs({ applied: true, ignoresAbort: true }),
    ];
    const executor = createScriptedExecutor(steps, { clock, world });
    await clock.run(async () => {
      for (const _ of steps.slice(0, -1))
        await Promise.resolve(executor.execute(action, attempt({ idempotencyKey: "k" }))).catch(() => {});
      void executor.execute(action, attempt());
    });
    expect(world.effects).toEqual([
      { actionId: "action-0", key: "k", atMs: 10 },
      { actionId: "action-0", key: "k", atMs: 15 },
      { actionId: "action-0", key: "k", atMs: 15 },
      { actionId: "action-0", atMs: 15 },
    ]);
  });

  it("is named in the table of a deadlock when it hangs", async () => {
    const clock = createVirtualClock();
    const executor = createScriptedExecutor([hangs()], { clock });
    const error = await clock.run(async () => executor.execute(action, attempt())).catch((reason: unknown) => reason);
    expect(isDeadlockError(error) && error.waiting.map(({ who }) => who)).toEqual([
      "run 1",
      "executor call 1 (action-0, attempt 0)",
    ]);
  });

  it("reconciles by function or by looking into the world, and not at all by default", async () => {
    const world = createWorld();
    const looking = createScriptedExecutor([throws()], { world, reconcile: "world" });
    expect(await looking.reconcile!(action, attempt({ idempotencyKey: "k" }))).toEqual({ state: "not_applied" });
    world.apply("action-0", { key: "k" });
    expect(await looking.reconcile!(action, attempt({ idempotencyKey: "k" }))).toEqual({ state: "applied" });
    expect(await looking.reconcile!(action, attempt({ idempotencyKey: "other" }))).toEqual({ state: "not_applied" });

    const asked = createScriptedExecutor([throws()], { reconcile: () => ({ state: "unknown" }) });
    expect(await asked.reconcile!(action, attempt())).toEqual({ state: "unknown" });
    expect(createScriptedExecutor([throws()])).not.toHaveProperty("reconcile");
  });

  it("refuses a script that cannot work", async () => {
    expect(() => createScriptedExecutor([])).toThrow("at least one step");
    expect(() => createScriptedExecutor([succeeds(1, { afterMs: 5 })])).toThrow("clock must be a virtual clock");
    expect(() => createScriptedExecutor([throws()], { reconcile: "world" })).toThrow("world must be a world");
    const chosen = createScriptedExecutor(() => succeeds(1, { afterMs: 5 }));
    await expect(chosen.execute(action, attempt())).rejects.toThrow("clock must be a virtual clock");
  });
});

describe("a scripted step", () => {
  it("says how it is written", () => {
    expect(
      [
        succeeds(),
        succeeds("v"),
        succeeds(undefined, { applies: false }),
        rejects("busy", { retryAfterMs: 5 }),
        throws(new TypeError("x")),
        hangs(),
        hangs({ applied: true }),
        succeedsLate(80),
        succeedsLate(80, [1]),
        returns(() => 1),
        returns("x".repeat(58)),
        returns("x".repeat(59)),
        returns(1n),
      ].map(({ text }) => text),
    ).toEqual([
      "succeeds()",
      'succeeds("v")',
      'succeeds(undefined, {"applies":false})',
      'rejects("busy", {"retryAfterMs":5})',
      'throws(TypeError("x"))',
      "hangs()",
      'hangs({"applied":true})',
      "succeedsLate(80)",
      "succeedsLate(80, [1])",
      "returns(() => …)",
      `returns("${"x".repeat(58)}")`,
      `returns("${"x".repeat(58)}…)`,
      "returns(…)",
    ]);
  });
});

import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { execute } from "../../src/index.js";
import { type Deadline, DeadlineHeap } from "../../src/local/deadline-heap.js";
import { createSystemClock } from "../../src/local/system-clock.js";

const endOfTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("createSystemClock", () => {
  it("fires in due order, each no earlier than told, those due together in order of arming", async () => {
    const clock = createSystemClock();
    const fired: string[] = [];
    const early: string[] = [];
    const arm = (name: string, ms: number) => {
      const due = clock.monotonic() + ms;
      clock.setTimer(() => {
        fired.push(name);
        if (clock.monotonic() < due) early.push(name);
      }, ms);
    };
    arm("c", 12);
    arm("a", 3);
    arm("b", 3);
    await new Promise<void>((resolve) => clock.setTimer(resolve, 15));
    expect(fired).toEqual(["a", "b", "c"]);
    expect(early).toEqual([]);
  });

  it("shares one native timer among all, and has none while none is armed", async () => {
    let made = 0;
    const armed = new Set<unknown>();
    const real = { set: globalThis.setTimeout, clear: globalThis.clearTimeout };
    vi.stubGlobal("setTimeout", (callback: () => void, ms: number) => {
      const native = real.set(callback, ms);
      made++;
      armed.add(native);
      return native;
    });
    vi.stubGlobal("clearTimeout", (native: Parameters<typeof clearTimeout>[0]) => {
      armed.delete(native);
      real.clear(native);
    });
    try {
      const clock = createSystemClock();
      const cancels = Array.from({ length: 1000 }, (_, i) => clock.setTimer(() => {}, 5000 - i));
      await endOfTurn();
      expect([armed.size, made]).toEqual([1, 1]);
      for (const cancel of cancels) cancel();
      for (const cancel of cancels) cancel();
      expect(armed.size).toBe(0);
      // What is over within the turn in which it began never had one, however many come one after the other.
      for (let i = 0; i < 100; i++) {
        const cancel = clock.setTimer(() => {}, 5000);
        await null;
        cancel();
      }
      await endOfTurn();
      expect(made).toBe(1);
      const cancel = clock.setTimer(() => {}, 5000);
      await endOfTurn();
      expect([armed.size, made]).toEqual([1, 2]);
      cancel();
      expect(armed.size).toBe(0);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("is asked for every timer by `execute` where somebody has put a `setTimer` in its place", async () => {
    const clock = createSystemClock();
    const { setTimer } = clock;
    let asked = 0;
    clock.setTimer = (callback, ms) => {
      asked++;
      return setTimer(callback, ms);
    };
    const hangs = () => new Promise<never>(() => {});
    const policy = { timeout: { attemptTimeoutMs: 2, abortGraceMs: 1 } };
    const report = await execute({ action: "ACT" }, {}, policy, hangs, { clock });
    expect([report.reason, asked]).toEqual(["attempt_timeout", 2]);
  });

  it("holds limits where there is no `setImmediate`, and under timers that are not real", async () => {
    const hangs = () => new Promise<never>(() => {});
    vi.stubGlobal("setImmediate", undefined);
    try {
      const policy = { timeout: { attemptTimeoutMs: 2, abortGraceMs: 1 } };
      expect((await execute({ action: "ACT" }, {}, policy, hangs)).reason).toBe("attempt_timeout");
    } finally {
      vi.unstubAllGlobals();
    }
    vi.useFakeTimers();
    try {
      const running = execute({ action: "ACT" }, {}, {}, hangs, { clock: createSystemClock() });
      await vi.advanceTimersByTimeAsync(5100);
      expect(await running).toMatchObject({ reason: "attempt_timeout", totalLatencyMs: 5100 });
    } finally {
      vi.useRealTimers();
    }
  });

  it("waits for durations above 2^31−1 ms, and fires the others meanwhile", async () => {
    const clock = createSystemClock();
    let fired = false;
    const cancel = clock.setTimer(
      () => {
        fired = true;
      },
      2 ** 31 + 5,
    );
    await new Promise<void>((resolve) => clock.setTimer(resolve, 5));
    cancel();
    expect(fired).toBe(false);
  });

  it("never fires within the call that arms, and fires the rest when a callback throws", async () => {
    const native: (() => void)[] = [];
    vi.stubGlobal("setTimeout", (callback: () => void) => native.push(callback));
    vi.stubGlobal("clearTimeout", () => {});
    try {
      const clock = createSystemClock();
      const fired: string[] = [];
      clock.setTimer(() => {
        throw new Error("callback");
      }, 0);
      clock.setTimer(() => fired.push("second"), 0);
      await endOfTurn();
      expect(fired).toEqual([]);
      expect(() => native.at(-1)!()).toThrow("callback");
      native.at(-1)!();
      expect(fired).toEqual(["second"]);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe("DeadlineHeap", () => {
  it("gives them in order, whatever is added and removed in between", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: 60 }), (entries) => {
        const heap = new DeadlineHeap();
        const all = entries.map(([dueAt, keep], order) => ({
          deadline: { dueAt, order, place: -1, callback: () => {} } satisfies Deadline,
          keep,
        }));
        for (const { deadline } of all) heap.add(deadline);
        for (const { deadline, keep } of all) if (!keep) heap.remove(deadline);
        const expected = all.filter(({ keep }) => keep).map(({ deadline }) => deadline);
        expected.sort((a, b) => a.dueAt - b.dueAt || a.order - b.order);
        const taken: Deadline[] = [];
        for (let first = heap.first; first !== undefined; first = heap.first) {
          heap.remove(first);
          taken.push(first);
        }
        expect(taken).toEqual(expected);
      }),
    );
  });
});

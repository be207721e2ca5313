import { createVirtualClock } from "@eoc/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

describe("createVirtualClock", () => {
  it("starts at the given wall time and at monotonic 0", () => {
    const clock = createVirtualClock({ startMs: 5000 });
    expect([clock.now(), clock.monotonic()]).toEqual([5000, 0]);
    expect(createVirtualClock().now()).toBe(1_700_000_000_000);
  });

  it("stands still while nobody moves it", async () => {
    const clock = createVirtualClock();
    let fired = false;
    clock.setTimer(() => {
      fired = true;
    }, 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect([fired, clock.monotonic(), clock.pending]).toEqual([false, 0, 1]);
  });

  it("S4.7 steps the wall clock without moving monotonic time or any timer", async () => {
    const clock = createVirtualClock({ startMs: 1000 });
    const seen: number[][] = [];
    clock.setTimer(() => seen.push([clock.monotonic(), clock.now()]), 100);
    clock.stepWall(-3_600_000);
    expect([clock.now(), clock.monotonic()]).toEqual([1000 - 3_600_000, 0]);
    await clock.advance(100);
    expect(seen).toEqual([[100, 1100 - 3_600_000]]);
  });

  it("keeps working when its functions are taken off it", async () => {
    const { now, setTimer, run, sleep } = createVirtualClock({ startMs: 0 });
    let firedAtMs = -1;
    setTimer(() => {
      firedAtMs = now();
    }, 5);
    await run(() => sleep(10));
    expect([firedAtMs, now()]).toEqual([5, 10]);
  });
});

describe("VirtualClock timers", () => {
  it("fire in due order, ties in order of arming, each at its own time, also those armed by timers", async () => {
    // A tree of timers: each entry is armed when its parent fires, or at once.
    const spec = fc.array(fc.record({ delayMs: fc.integer({ min: -2, max: 4 }), parent: fc.nat() }), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(spec, async (entries) => {
        const parents = entries.map(({ parent }, index) => (index === 0 ? -1 : (parent % (index + 1)) - 1));
        const childrenOf = (parent: number) =>
          entries.flatMap((_, child) => (parents[child] === parent ? [child] : []));

        const expected: [number, number][] = [];
        let order = 0;
        const armed: { index: number; dueMs: number; order: number }[] = [];
        const arm = (nowMs: number, parent: number) => {
          for (const index of childrenOf(parent)) {
            armed.push({ index, dueMs: nowMs + Math.max(0, entries[index]!.delayMs), order: order++ });
          }
        };
        arm(0, -1);
        while (armed.length > 0) {
          armed.sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
          const { index, dueMs } = armed.shift()!;
          expected.push([index, dueMs]);
          arm(dueMs, index);
        }

        const clock = createVirtualClock();
        const fired: [number, number][] = [];
        const armReally = (parent: number) => {
          for (const index of childrenOf(parent)) {
            clock.setTimer(() => {
              fired.push([index, clock.monotonic()]);
              armReally(index);
            }, entries[index]!.delayMs);
          }
        };
        armReally(-1);
        await clock.runUntilIdle();
        expect(fired).toEqual(expected);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it("leave full quiet between two of them that are due together", async () => {
    const clock = createVirtualClock();
    const log: string[] = [];
    clock.setTimer(async () => {
      log.push("first");
      for (let hop = 0; hop < 50; hop++) await null;
      await new Promise((resolve) => setImmediate(resolve));
      log.push("what the first began");
    }, 10);
    clock.setTimer(() => log.push("second"), 10);
    await clock.advance(10);
    expect(log).toEqual(["first", "what the first began", "second"]);
  });

  it("never fire synchronously, also with a zero or negative delay, and then at the current time", async () => {
    const clock = createVirtualClock();
    await clock.advance(7);
    const fired: number[] = [];
    clock.setTimer(() => fired.push(clock.monotonic()), 0);
    clock.setTimer(() => fired.push(clock.monotonic()), -100);
    expect(fired).toEqual([]);
    await clock.advance(0);
    expect(fired).toEqual([7, 7]);
  });

  it("S4.7 wait out delays above 2^31−1 ms", async () => {
    const clock = createVirtualClock();
    const delayMs = 2 ** 31 + 12_345;
    let firedAtMs = -1;
    clock.setTimer(() => {
      firedAtMs = clock.monotonic();
    }, delayMs);
    await clock.advance(delayMs - 1);
    expect(firedAtMs).toBe(-1);
    await clock.advance(1);
    expect(firedAtMs).toBe(delayMs);
  });

  it("do not fire once cancelled, by another timer too, and cancelling twice or late is harmless", async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    const cancelLater = clock.setTimer(() => fired.push("later"), 20);
    const cancelFirst = clock.setTimer(() => {
      fired.push("first");
      cancelLater();
    }, 10);
    expect(clock.pending).toBe(2);
    await clock.runUntilIdle();
    cancelFirst();
    cancelLater();
    expect(fired).toEqual(["first"]);
    expect([clock.pending, clock.monotonic()]).toEqual([0, 10]);
  });

  it("refuse a delay that is not a number", () => {
    expect(() => createVirtualClock().setTimer(() => {}, Number.NaN)).toThrow(RangeError);
  });

  it("hand what their callback throws to whoever drives the clock", async () => {
    const clock = createVirtualClock();
    clock.setTimer(() => {
      throw new Error("from a timer");
    }, 10);
    await expect(clock.advance(100)).rejects.toThrow("from a timer");
    await clock.advance(90);
    expect(clock.monotonic()).toBe(100);
  });

  it("are all fired when there are 100,000 of them", async () => {
    const clock = createVirtualClock();
    let fired = 0;
    let last = 0;
    for (let index = 0; index < 100_000; index++) {
      clock.setTimer(
        () => {
          fired++;
          if (clock.monotonic() < last) throw new Error("time went back");
          last = clock.monotonic();
        },
        (index * 7919) % 100_003,
      );
    }
    await clock.runUntilIdle();
    expect(fired).toBe(100_000);
  });
});

describe("VirtualClock.advance", () => {
  it("fires what comes due up to and including the last moment, and nothing later", async () => {
    const clock = createVirtualClock();
    const fired: number[] = [];
    for (const delayMs of [5, 10, 11]) clock.setTimer(() => fired.push(delayMs), delayMs);
    clock.setTimer(() => clock.setTimer(() => fired.push(10.5), 0), 10);
    await clock.advance(10);
    expect(fired).toEqual([5, 10, 10.5]);
    expect([clock.monotonic(), clock.pending]).toEqual([10, 1]);
  });

  it("lets what was begun before it arm its timers first", async () => {
    const clock = createVirtualClock();
    const wakes: number[] = [];
    const sleeper = (async () => {
      await null;
      await clock.sleep(10);
      wakes.push(clock.monotonic());
      await clock.sleep(10);
      wakes.push(clock.monotonic());
    })();
    await clock.advance(20);
    await sleeper;
    expect(wakes).toEqual([10, 20]);
  });

  it("moves the time of a run that waits for it", async () => {
    const clock = createVirtualClock();
    await clock.run(() => clock.advance(30));
    expect(clock.monotonic()).toBe(30);
  });

  it("counts overlapping advances from the moment of each call", async () => {
    const clock = createVirtualClock();
    const ends: number[] = [];
    await Promise.all([20, 10].map((ms) => clock.advance(ms).then(() => ends.push(clock.monotonic()))));
    expect(ends).toEqual([10, 20]);
  });

  it("refuses to go back or to the end of time", async () => {
    const clock = createVirtualClock();
    await expect(clock.advance(-1)).rejects.toThrow(RangeError);
    await expect(clock.advance(Number.POSITIVE_INFINITY)).rejects.toThrow(RangeError);
    await expect(clock.advance(Number.NaN)).rejects.toThrow(RangeError);
  });
});

describe("VirtualClock.run", () => {
  it("calls its function at once and resolves with what it returns, promise or not", async () => {
    const clock = createVirtualClock();
    let called = false;
    const running = clock.run(() => {
      called = true;
      return 1;
    });
    expect(called).toBe(true);
    expect(await running).toBe(1);
    expect(await clock.run(async () => 2)).toBe(2);
  });

  it("rejects with what its function throws or rejects with", async () => {
    const clock = createVirtualClock();
    await expect(
      clock.run(() => {
        throw new Error("thrown");
      }),
    ).rejects.toThrow("thrown");
    await expect(
      clock.run(async () => {
        await clock.sleep(10);
        throw new Error("rejected");
      }),
    ).rejects.toThrow("rejected");
  });

  it("stops moving time as soon as the promise has settled", async () => {
    const clock = createVirtualClock();
    clock.setTimer(() => {}, 1000);
    await clock.run(() => clock.sleep(10));
    await new Promise((resolve) => setImmediate(resolve));
    expect([clock.monotonic(), clock.pending]).toEqual([10, 1]);
  });

  it("comes to the same without looking for real work, where there is none", async () => {
    const timesOf = async (realWork: "watched" | "none") => {
      const clock = createVirtualClock({ realWork });
      const times: number[] = [];
      await clock.run(async () => {
        for (let round = 0; round < 20; round++) {
          // A chain of promises that is longer than any number of turns.
          for (let link = 0; link < 50; link++) await Promise.resolve();
          await clock.sleep(round % 3);
          times.push(clock.monotonic());
        }
      });
      return times;
    };
    expect(await timesOf("none")).toEqual(await timesOf("watched"));
  });

  it("may overlap and nest: all share the time", async () => {
    const clock = createVirtualClock();
    const ends = await Promise.all([
      clock.run(async () => {
        await clock.sleep(30);
        return clock.monotonic();
      }),
      clock.run(() =>
        clock.run(async () => {
          await clock.sleep(20);
          return clock.monotonic();
        }),
      ),
    ]);
    expect(ends).toEqual([30, 20]);
  });
});

describe("VirtualClock.sleep", () => {
  it("ends with the signal's reason when aborted, and leaves no timer and no listener", async () => {
    const clock = createVirtualClock();
    const controller = new AbortController();
    const { signal } = controller;
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };

    await clock.run(() => clock.sleep(10, { signal }));
    expect([clock.pending, listeners]).toEqual([0, 0]);

    const asleep = clock.sleep(10, { signal });
    controller.abort("enough");
    await expect(asleep).rejects.toBe("enough");
    await expect(clock.sleep(10, { signal })).rejects.toBe("enough");
    expect(clock.pending).toBe(0);
  });
});

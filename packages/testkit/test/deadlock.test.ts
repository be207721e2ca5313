import { type AddressInfo, connect, createServer } from "node:net";
import { createVirtualClock, DeadlockError, isDeadlockError } from "@eoc/testkit";
import { describe, expect, it } from "vitest";

const never = new Promise<never>(() => {});

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error) => error,
  );

describe("a run that can never end", () => {
  it("rejects with a table of who waits for what since when, and of the timers that never come due", async () => {
    const clock = createVirtualClock();
    const error = await errorOf(
      clock.run(async () => {
        await clock.sleep(250);
        void clock.sleep(Number.POSITIVE_INFINITY, { name: "poller" });
        await clock.waitFor("order 7", never);
      }),
    );
    expect(isDeadlockError(error)).toBe(true);
    expect((error as DeadlockError).message).toBe(
      [
        "nothing can happen any more: no timer can come due and no real work is under way (250 ms of virtual time)",
        "",
        "who      waits for              since",
        "run 1    its promise to settle  0 ms",
        "order 7  a promise              250 ms",
        "",
        "armed timers: 1",
        "name    due at",
        "poller  never",
      ].join("\n"),
    );
    expect(error).toMatchObject({ name: "DeadlockError", kind: "deadlock" });
  });

  it("fails every run that overlaps it, and leaves the clock usable", async () => {
    const clock = createVirtualClock();
    const errors = await Promise.all([errorOf(clock.run(() => never)), errorOf(clock.run(() => never))]);
    expect(errors.every(isDeadlockError)).toBe(true);
    await clock.run(() => clock.sleep(10));
    expect(clock.monotonic()).toBe(10);
  });

  it("rejects within the patience although something is alive that nobody waits for (printed)", async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const idle: Record<string, () => () => void> = {
      nothing: () => () => {},
      "an interval": () => {
        const timer = setInterval(() => {}, 10);
        return () => clearInterval(timer);
      },
      "an open connection": () => {
        const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
        return () => socket.destroy();
      },
    };
    for (const [what, begin] of Object.entries(idle)) {
      const clock = createVirtualClock();
      const begun = performance.now();
      let end = () => {};
      const error = await errorOf(
        clock.run(() => {
          end = begin();
          return clock.waitFor("order 7", never);
        }),
      );
      end();
      console.log(`a deadlock beside ${what}: ${(performance.now() - begun).toFixed(0)} ms of real time`);
      expect(String(error)).toMatch(/order 7 +a promise/);
    }
    server.close();
  });

  it("is not given up while real work goes on that no timer is armed for", async () => {
    const clock = createVirtualClock();
    const value = await clock.run(async () => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      return "real";
    });
    expect(value).toBe("real");
  });

  it("is not given up while work goes on that had begun before it", async () => {
    const real = new Promise((resolve) => setTimeout(() => resolve("real"), 300));
    const clock = createVirtualClock();
    const earlier = new Promise((resolve) => setTimeout(() => resolve("earlier"), 300));
    expect(await clock.run(() => earlier)).toBe("earlier");
    expect(await real).toBe("real");
  });

  it("rejects as a livelock when its timers go on for ever", async () => {
    const clock = createVirtualClock({ maxTimers: 1000 });
    const poll = (): void => {
      clock.setTimer(poll, 1);
    };
    poll();
    const error = await errorOf(clock.run(() => never));
    expect(error).toMatchObject({ kind: "livelock", timers: [{ dueMs: 1001 }] });
    expect(String(error)).toContain("1000 timers have fired and no end is in sight (option maxTimers)");
  });

  it("shows at most twenty rows of a table", () => {
    const rows = Array.from({ length: 23 }, (_, index) => ({ who: `who ${index}`, waitsFor: "a promise", sinceMs: 0 }));
    const { message } = new DeadlockError("deadlock", "summary", rows, []);
    expect(message).toContain("who 19");
    expect(message).not.toContain("who 20");
    expect(message).toContain("… and 3 more");
    expect(message).toContain("armed timers: none");
  });
});

describe("isDeadlockError", () => {
  it("is false for everything else", () => {
    for (const other of [undefined, null, "DeadlockError", new Error("x"), {}])
      expect(isDeadlockError(other)).toBe(false);
  });
});

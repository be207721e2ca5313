import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  execute,
  type Gate,
  type IdempotencyStore,
} from "@eoc/core";
import {
  aContext,
  aDecision,
  createFakeKillSwitch,
  createScriptedExecutor,
  createVirtualClock,
  type FaultRates,
  type Faults,
  faulty,
  succeeds,
} from "@eoc/testkit";
import { describe, expect, it } from "vitest";

const CLAIM = { fingerprint: "f", leaseMs: 1000, nowMs: 0 };

/** What a call came to, within one macrotask. */
async function outcomeOf(call: () => unknown): Promise<unknown> {
  try {
    const silence = new Promise((resolve) => setImmediate(() => resolve("silence")));
    return await Promise.race([call(), silence]);
  } catch (error) {
    return `threw ${error instanceof Error ? error.message : String(error)}`;
  }
}

describe("faulty", () => {
  it("is the port itself where nothing is wrong: the same answers, promises only where the port has them", () => {
    const port = { one: () => 1, promise: Promise.resolve(2), later: () => port.promise };
    const wrapped = faulty(port, {});
    expect(wrapped.one()).toBe(1);
    expect(wrapped.later()).toBe(port.promise);
  });

  it("does what the script says, one fault for each call of the method, then passes", async () => {
    const store = createMemoryIdempotencyStore();
    const wrapped: IdempotencyStore = faulty(store, {
      claim: [
        "throws",
        "rejects",
        "hangs",
        "garbage",
        { fault: "garbage", answer: "x" },
        "loses_reply",
        "never_replies",
      ],
    });
    const claim = (key: string) => outcomeOf(() => wrapped.claim(key, CLAIM));
    const early = [await claim("0"), await claim("1"), await claim("2"), await claim("3"), await claim("4")];
    expect(early.toSpliced(3, 1)).toEqual(["threw port failure", "threw port failure", "silence", "x"]);
    expect(early[3] ?? {}).not.toHaveProperty("state");
    expect(store.list()).toEqual([]);
    expect([await claim("5"), await claim("6"), await claim("7")]).toEqual([
      "threw port failure",
      "silence",
      { state: "claimed", token: 3 },
    ]);
    expect(store.list().map(({ key }) => key)).toEqual(["5", "6", "7"]);
  });

  it("throws at once where it is to throw, and rejects where it is to reject", async () => {
    const wrapped = faulty(createFakeKillSwitch(), { read: ["throws", { fault: "rejects", error: "no" }] });
    expect(() => wrapped.read()).toThrow("port failure");
    await expect(wrapped.read()).rejects.toBe("no");
  });

  it("takes virtual time over the request, the reply or both, and calls the port in between", async () => {
    const clock = createVirtualClock({ startMs: 0 });
    const reached: number[] = [];
    const port = { ask: () => reached.push(clock.now()) };
    const wrapped = faulty(
      port,
      { ask: [{ requestMs: 30 }, { replyMs: 20 }, { requestMs: 5, replyMs: 5, fault: "loses_reply" }] },
      { clock },
    );
    await clock.run(() => wrapped.ask());
    await clock.run(() => wrapped.ask());
    await clock.run(() => expect(wrapped.ask()).rejects.toThrow("port failure"));
    expect(reached).toEqual([30, 30, 55]);
    expect(wrapped.faultyCalls.map(({ atMs, endedAtMs }) => [atMs, endedAtMs])).toEqual([
      [0, 30],
      [30, 50],
      [50, 60],
    ]);
  });

  it("loses the reply of a port that throws as well", async () => {
    const port = {
      ask: () => {
        throw new Error("its own");
      },
    };
    const wrapped = faulty(port, { ask: ["loses_reply", "never_replies", "passes"] });
    expect(await outcomeOf(wrapped.ask)).toBe("threw port failure");
    expect(await outcomeOf(wrapped.ask)).toBe("silence");
    expect(await outcomeOf(wrapped.ask)).toBe("threw its own");
  });

  it("remembers every call: what it was given, what was done, whether the port was reached, what came of it", async () => {
    const wrapped = faulty(createMemoryRateLimiter(), { acquire: ["hangs", "loses_reply"] });
    const requests = [{ key: "k", limit: 1, windowMs: 10 }];
    await outcomeOf(() => wrapped.acquire(requests, 1));
    await outcomeOf(() => wrapped.acquire(requests, 2));
    await outcomeOf(() => wrapped.acquire(requests, 3));
    expect(wrapped.faultyCalls).toEqual([
      { method: "acquire", number: 0, args: [requests, 1], fault: "hangs", reached: false },
      { method: "acquire", number: 1, args: [requests, 2], fault: "loses_reply", reached: true, outcome: "threw" },
      { method: "acquire", number: 2, args: [requests, 3], fault: "passes", reached: true, outcome: "answered" },
    ]);
  });

  it("lets a function choose by method, number and arguments", async () => {
    const store = createMemoryIdempotencyStore();
    const wrapped = faulty(store, {
      claim: ({ args, number }) => (args[0] === "bad" && number > 0 ? "throws" : "passes"),
    });
    expect(wrapped.claim("bad", CLAIM)).toMatchObject({ state: "claimed" });
    expect(() => wrapped.claim("bad", CLAIM)).toThrow("port failure");
    expect(wrapped.claim("good", CLAIM)).toMatchObject({ state: "claimed" });
  });

  it("wraps a port that is a function, such as a gate", () => {
    const gate: Gate = () => ({ allow: true });
    const wrapped = faulty(gate, { call: ["throws"] });
    const info = { executionId: "e", actionIndex: 0, attempt: 0 };
    expect(() => wrapped({} as never, info)).toThrow("port failure");
    expect(wrapped({} as never, info)).toEqual({ allow: true });
    expect(wrapped.faultyCalls).toHaveLength(2);
  });

  it("wraps instances of classes, private state, getters and inherited methods included", () => {
    class Base {
      #reads = 0;
      get reads() {
        return this.#reads;
      }
      read() {
        this.#reads++;
        return { halted: false };
      }
    }
    class Switch extends Base {}
    const wrapped = faulty(new Switch(), { read: ["throws"] });
    expect(() => wrapped.read()).toThrow("port failure");
    expect(wrapped.read()).toEqual({ halted: false });
    expect(wrapped.reads).toBe(1);
    expect(wrapped).toBeInstanceOf(Switch);
  });

  it("wraps a frozen port", () => {
    const wrapped = faulty(Object.freeze({ read: () => ({ halted: false }) }), { read: ["garbage"] });
    expect(wrapped.read()).not.toEqual({ halted: false });
    expect(wrapped.read()).toEqual({ halted: false });
  });

  it("lacks what the port lacks", () => {
    const { start: _, ...bare } = createMemoryIdempotencyStore();
    const store: IdempotencyStore = bare;
    expect(faulty(store, {}).start).toBeUndefined();
  });

  it("refuses a method that the port does not have", () => {
    const faults = { clam: ["throws"] } as Faults<object>;
    expect(() => faulty(createMemoryIdempotencyStore(), faults)).toThrow(/^faults\.clam must be one of claim, start,/);
  });

  it("refuses faults that take time where there is no clock", () => {
    expect(() => faulty(createFakeKillSwitch(), { read: [{ replyMs: 1 }] })).toThrow(
      "clock must be a virtual clock: calls with requestMs or replyMs take time, not undefined",
    );
  });

  it("refuses rates that are no probabilities, and rates without a seed", () => {
    const port = { ask: () => 1 };
    const bad: FaultRates[] = [{ throws: 0.6, hangs: 0.5 }, { throws: -0.1 }];
    for (const rates of bad) expect(() => faulty(port, { ask: rates }, { seed: 1 })).toThrow(/^faults\.ask.* must be/);
    expect(() => faulty(port, { ask: { throws: 0.1 } })).toThrow("seed must be a text or a number, for rates");
  });
});

describe("seeded faults", () => {
  const port = () => ({ a: () => "a", b: () => "b" });
  const RATES = { throws: 0.2, garbage: 0.2, loses_reply: 0.1, slow_request: 0.1, slow_reply: 0.1 };

  async function faultsOf(seed: string, order: readonly ("a" | "b")[]) {
    const clock = createVirtualClock({ startMs: 0 });
    const wrapped = faulty(port(), {}, { clock, seed, rates: RATES });
    for (const method of order) await clock.run(async () => wrapped[method]()).catch(() => {});
    return wrapped.faultyCalls
      .map(({ method, number, fault, reached, atMs, endedAtMs }) => ({
        method,
        number,
        fault,
        reached,
        took: endedAtMs! - atMs!,
      }))
      .sort((x, y) => x.method.localeCompare(y.method) || x.number - y.number);
  }

  it("depend on the seed, the method and the number of the call only", async () => {
    const inTurn = await faultsOf(
      "s",
      Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? "a" : "b")),
    );
    const apart = await faultsOf(
      "s",
      Array.from({ length: 100 }, (_, index) => (index < 50 ? "b" : "a")),
    );
    expect(apart).toEqual(inTurn);
    expect(await faultsOf("t", new Array(50).fill("a"))).not.toEqual(inTurn.slice(0, 50));
  });

  it("come about as often as their rates say, and slow calls take from 1 to 2,000 ms", async () => {
    const calls = await faultsOf("rates", new Array(4000).fill("a"));
    const share = (fault: string) => calls.filter((call) => call.fault === fault).length / calls.length;
    for (const fault of ["throws", "garbage", "loses_reply"] as const)
      expect(share(fault)).toBeCloseTo(RATES[fault], 1);
    const slow = calls.filter(({ took }) => took > 0);
    expect(slow.length / calls.length).toBeCloseTo(0.2, 1);
    expect(Math.max(...slow.map(({ took }) => took))).toBeLessThan(2000);
    expect(Math.min(...slow.map(({ took }) => took))).toBeGreaterThanOrEqual(1);
  });
});

describe("execute with faulty ports", () => {
  it("S2.3 denies when the switch answers garbage", async () => {
    const killSwitch = faulty(createManualKillSwitch(), { read: ["garbage"] });
    const executor = createScriptedExecutor([succeeds()]);
    const report = await execute(aDecision(), aContext(), {}, executor, { killSwitch });
    expect(report).toMatchObject({ status: "denied", reason: "kill_switch_unavailable", failClosed: true });
  });

  it("S7.6 reports success when the reply of the closing write is lost, and names the lost record", async () => {
    const clock = createVirtualClock();
    const store = createMemoryIdempotencyStore({ clock });
    const idempotencyStore = faulty(store, { complete: ["never_replies"] }, { clock });
    const executor = createScriptedExecutor([succeeds()]);
    const policy = { idempotency: { enabled: true } };
    const report = await clock.run(() =>
      execute(aDecision(), aContext(), policy, executor, { clock, idempotencyStore }),
    );
    expect(report).toMatchObject({ status: "success", totalLatencyMs: 1000 });
    expect(report.actions[0]!.recordError).toBe("idempotency_store_unavailable");
    expect(store.list().map(({ state }) => state)).toEqual(["completed"]);
  });
});

import {
  type ClaimVerdict,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  type Executor,
  type IdempotencyStore,
  type RateLimiter,
} from "@eoc/core";
import {
  type ExploreOptions,
  type ExploreResult,
  explore,
  hangs,
  type Lab,
  rejects,
  succeeds,
  succeedsLate,
  throws,
} from "@eoc/testkit";
import { describe, expect, it } from "vitest";

/** Explores without printing. */
const quietly = (options: ExploreOptions): Promise<ExploreResult> => explore({ print: () => {}, ...options });

const MENU = [succeeds(), rejects("busy"), throws(new Error("reset"), { applied: true }), hangs(), succeedsLate(8000)];
const TIGHT = {
  retry: { maxRetries: 1, initialBackoffMs: 10 },
  timeout: { attemptTimeoutMs: 50, maxTotalTimeMs: 500, abortGraceMs: 10 },
};

describe("explore", () => {
  it("finds nothing wrong with execute, whatever the executor does", async () => {
    const result = await quietly({
      executor: (lab) => lab.executor(MENU),
      policy: TIGHT,
      decision: { action: "ACT", actions: [{ action: "ACT" }, { action: "ACT", effect: "idempotent" }] },
    });
    expect(result).toEqual({ runs: 200, complete: false });
  });

  it("is exhaustive where asked to: every combination of choices once, and no more", async () => {
    const seen: string[] = [];
    const result = await quietly({
      mode: "exhaustive",
      executor: (lab) => lab.executor([succeeds(), rejects("busy"), throws()]),
      policy: { retry: { maxRetries: 1 } },
      check: ({ choices }) => seen.push(choices.map(({ taken }) => taken).join(" ")),
    });
    expect(result).toEqual({ runs: 5, complete: true });
    expect(seen).toEqual([
      "succeeds()",
      'rejects("busy") succeeds()',
      'rejects("busy") rejects("busy")',
      'rejects("busy") throws(Error("scripted failure"))',
      'throws(Error("scripted failure"))',
    ]);
  });

  it("stops an exhaustive search after so many runs, and says that it is not complete", async () => {
    const executor = (lab: Lab) => lab.executor([succeeds(), rejects("busy")]);
    expect(await quietly({ mode: "exhaustive", executor, runs: 3 })).toEqual({ runs: 3, complete: false });
  });

  it("S8.4 tries the same runs for the same seed, and others for another", async () => {
    const runsOf = async (seed: string) => {
      const seen: string[] = [];
      await quietly({
        seed,
        runs: 20,
        executor: (lab) => lab.executor(MENU),
        policy: TIGHT,
        check: ({ choices }) => seen.push(JSON.stringify(choices)),
      });
      return seen;
    };
    expect(await runsOf("a")).toEqual(await runsOf("a"));
    expect(await runsOf("a")).not.toEqual(await runsOf("b"));
  });

  it("begins with the run in which nothing is chosen", async () => {
    const first: number[] = [];
    const actions = Array.from({ length: 20 }, () => ({ action: "ACT" as const }));
    await quietly({
      runs: 1,
      executor: (lab) => lab.executor(MENU),
      decision: { action: "ACT", actions },
      check: ({ choices }) => first.push(...choices.map(({ index }) => index)),
    });
    expect(first).toEqual(new Array(20).fill(0));
  });

  it("tries halts and cancels at every moment it is given, or at any event", async () => {
    const statuses = new Set<string>();
    const at = async (options: Partial<ExploreOptions>) => {
      const executor = (lab: Lab) => lab.executor([succeeds(undefined, { afterMs: 20 })]);
      return quietly({
        mode: "exhaustive",
        executor,
        ...options,
        check: ({ report }) => statuses.add(`${report.status} ${report.reason}`),
      });
    };
    expect(await at({ haltAt: [0, 10, 30] })).toEqual({ runs: 4, complete: true });
    expect([...statuses].sort()).toEqual(["success undefined", "unknown kill_switch"]);
    // None, and one at each of the six events before the last.
    expect(await at({ haltAt: "any event" })).toEqual({ runs: 7, complete: true });
    expect(await at({ cancelAt: "any event" })).toEqual({ runs: 7, complete: true });
    expect(await at({ cancelAt: [10] })).toEqual({ runs: 2, complete: true });
    expect([...statuses].sort()).toEqual([
      "denied cancelled",
      "denied kill_switch",
      "success undefined",
      "unknown cancelled",
      "unknown kill_switch",
    ]);
  });

  it("lets timers that are due together fire in any order, where asked to", async () => {
    const orders = async (ties: boolean) => {
      const seen = new Set<string>();
      const result = await quietly({
        mode: "exhaustive",
        ties,
        executor: () => () => ({ ok: true }),
        scenario: async (lab) => {
          const order: number[] = [];
          for (const number of [1, 2, 3]) lab.clock.setTimer(() => order.push(number), 5);
          await lab.execute();
          await lab.clock.sleep(6);
          seen.add(order.join(""));
        },
      });
      return [result.complete, ...[...seen].sort()];
    };
    expect(await orders(false)).toEqual([true, "123"]);
    expect(await orders(true)).toEqual([true, "123", "132", "213", "231", "312", "321"]);
  });

  it("explores the faults of ports", async () => {
    const result = await quietly({
      mode: "exhaustive",
      executor: (lab) => lab.executor([succeeds()]),
      policy: { idempotency: { enabled: true } },
      options: (lab) => ({
        idempotencyStore: lab.faulty("store", createMemoryIdempotencyStore({ clock: lab.clock }), {
          claim: ["passes", "throws", "garbage", "never_replies", { requestMs: 1500 }],
          complete: ["passes", "loses_reply", "hangs"],
        }),
      }),
      check: ({ report }) => expect(["success", "denied"]).toContain(report.status),
    });
    expect(result).toEqual({ runs: 7, complete: true });
  });
});

/** A store that claims in one step, or looks first and claims 5 ms later. */
function openStore({ clock }: Lab, isAtomic: boolean): IdempotencyStore {
  const records = new Map<string, ClaimVerdict>();
  return {
    claim: async (key) => {
      const found = records.get(key);
      if (!isAtomic) await clock.sleep(5);
      if (found !== undefined) return found;
      records.set(key, { state: "in_progress" });
      return { state: "claimed", token: 1 };
    },
    complete: (key) => void records.set(key, { state: "completed" }),
    release: (key) => void records.delete(key),
    markUnknown: (key) => void records.set(key, { state: "unknown" }),
    renew: () => true,
  };
}

describe("a lab", () => {
  it("can be taken apart", async () => {
    const result = await quietly({
      executor:
        ({ choose, world, clock }) =>
        async (action) => {
          await clock.sleep(choose("latency", [1, 2]));
          world.apply(action.id);
          return { ok: true };
        },
      options: ({ faulty, killSwitch }) => ({
        killSwitch: faulty("switch", killSwitch, { read: ["passes", "throws"] }),
      }),
      scenario: ({ execute }) => execute(),
      mode: "exhaustive",
      check: ({ report, world }) => expect(world.count()).toBe(report.successCount),
    });
    expect(result).toEqual({ runs: 3, complete: true });
  });
});

describe("explore finds", () => {
  it("S7.2 a double dispatch that a store allows, between two executions of the same decision", async () => {
    const options = (isAtomic: boolean): ExploreOptions => ({
      executor: (lab) => lab.executor([succeeds(), rejects("busy")]),
      policy: { idempotency: { enabled: true }, retry: { maxRetries: 0 } },
      options: (lab) => ({ idempotencyStore: openStore(lab, isAtomic) }),
      scenario: (lab) =>
        Promise.all(
          ["first", "second"].map(async (name) => {
            await lab.clock.sleep(lab.choose(`${name} comes after`, name === "first" ? [0, 20] : [40, 20, 60]));
            await lab.execute();
          }),
        ),
      mode: "exhaustive",
    });
    expect(await quietly(options(true))).toMatchObject({ complete: true });
    const { failure } = await quietly(options(false));
    expect(failure!.violations).toEqual([
      expect.objectContaining({
        invariant: "INV-EXE-3",
        clause: "S7.2",
        message: "a once-only effect happened 2 times under one idempotency key, in 2 executions",
      }),
    ]);
    expect(failure!.choices.slice(0, 2).map(({ taken }) => taken)).toEqual(["20", "20"]);
  });

  /** Takes every error of its transport for "not applied". */
  const careless =
    (lab: Lab): Executor =>
    async (action) => {
      const fate = lab.choose(`reply to ${action.id}`, ["ok", "refused", "lost", "slow"]);
      if (fate === "slow") await lab.clock.sleep(20);
      if (fate === "refused") return { ok: false, code: "refused", retryable: false };
      lab.world.apply(action.id);
      return fate === "lost" ? { ok: false, code: "connection_reset" } : { ok: true };
    };

  it("S3.2 a double dispatch that an executor causes by saying `ok: false` after applying, and shrinks it to one choice", async () => {
    const decision = {
      action: "ACT" as const,
      actions: [{ action: "ACT" as const }, { action: "ACT" as const }, { action: "ACT" as const }],
    };
    const { failure } = await quietly({ executor: careless, decision, policy: TIGHT, mode: "exhaustive" });
    expect(failure!.violations.map(({ clause }) => clause)).toContain("S3.2");
    expect(failure!.choices.filter(({ index }) => index > 0)).toEqual([
      { name: "reply to action-0", taken: '"lost"', index: 2, of: 4 },
    ]);
    expect(failure!.replay).toEqual([2]);
  });

  it("the same in a replay, and nothing when the replay chooses otherwise", async () => {
    expect((await quietly({ executor: careless, policy: TIGHT, replay: [2] })).failure).toMatchObject({
      run: 0,
      replay: [2],
    });
    expect(await quietly({ executor: careless, policy: TIGHT, replay: [0] })).toEqual({ runs: 1, complete: false });
  });

  it("that a replay names an option that there is no more, which would look green", async () => {
    const executor = (lab: Lab) => lab.executor([succeeds(), rejects("busy", { retryable: false })]);
    expect(await quietly({ executor, replay: [1] })).toEqual({ runs: 1, complete: false });
    const { failure } = await quietly({ executor, replay: [9] });
    expect(failure).toMatchObject({ violations: [], replay: [9] });
    expect(failure!.message).toContain(
      'the replay is stale: its choice 0 is option 9, but "action-0, attempt 0" has 2 options, from 0',
    );
    expect(failure!.message).toContain("again: explore({ …, replay: [9] })");
  });

  it("that a replay goes on where there is nothing to choose any more", async () => {
    const executor = (lab: Lab) => lab.executor([succeeds(), rejects("busy", { retryable: false })]);
    const { failure } = await quietly({ executor, replay: [1, 0, 1] });
    expect(failure!.error).toEqual(new RangeError("the replay is stale: it names 3 choices, but the run made only 1"));
    expect(await quietly({ executor, replay: [1, 0, 0] })).toEqual({ runs: 1, complete: false });
  });

  it("that a menu of a lab has something else than steps or faults", async () => {
    const ok = (lab: Lab) => lab.executor([succeeds()]);
    for (const [path, options] of [
      ["menu[0]", { executor: (lab: Lab) => lab.executor(["succeeds" as never]) }],
      ["menu", { executor: (lab: Lab) => lab.executor([]) }],
      [
        "menus.read[0]",
        {
          executor: ok,
          options: ({ faulty, killSwitch }: Lab) => ({
            killSwitch: faulty("ks", killSwitch, { read: ["x" as never] }),
          }),
        },
      ],
    ] as const) {
      const { failure } = await quietly(options);
      expect(failure!.error).toMatchObject({ code: "invalid_option", issues: [{ path }] });
    }
  });

  it("and prints what it found, when, and how to see it again", async () => {
    const printed: string[] = [];
    const { failure } = await explore({
      executor: careless,
      policy: TIGHT,
      seed: "s",
      print: (message) => printed.push(message),
    });
    expect(printed).toEqual([failure!.message]);
    expect(failure!.message.replace(/run \d+/, "run N").replace(/, shrunk from \d+/, ", shrunk from N")).toBe(
      [
        'explore: a run went wrong (run N, seed "s")',
        "",
        "INV-EXE-3 S3.2: the effect of a once-only action happened 2 times (action 0)",
        "",
        "choices",
        '  reply to action-0  "lost"  (3 of 4)',
        "",
        "execution-1",
        "       0 ms  execution.started",
        "       0 ms  action.started 0",
        "       0 ms  attempt.intended 0/0",
        "       0 ms  attempt.started 0/0",
        "       0 ms  attempt.finished 0/0  failed connection_reset",
        "       0 ms  wait.started 0/1  backoff",
        "      10 ms  wait.finished 0/1  backoff",
        "      10 ms  attempt.intended 0/1",
        "      10 ms  attempt.started 0/1",
        "      10 ms  attempt.finished 0/1  success",
        "      10 ms  action.finished 0  success completed",
        "      10 ms  execution.finished  success",
        "",
        "again: explore({ …, replay: [2] })",
      ].join("\n"),
    );
  });

  it("S3.3 a reconcile that says `not_applied` while the effect is on its way", async () => {
    const executor = (lab: Lab): Executor => ({
      execute: async (action) => {
        const fate = lab.choose("fate", ["ok", "applied later, reset now"]);
        if (fate === "ok") {
          lab.world.apply(action.id);
          return { ok: true };
        }
        lab.clock.setTimer(() => lab.world.apply(action.id), 5);
        throw new Error("reset");
      },
      reconcile: ({ id }) => ({ state: lab.world.has(id) ? "applied" : "not_applied" }),
    });
    const { failure } = await quietly({ executor, policy: TIGHT });
    expect(failure!.violations.map(({ clause }) => clause)).toContain("S3.2");
  });

  it("S3.1 an effect that comes after the report had said that there is none", async () => {
    const executor =
      ({ clock, world, choose }: Lab): Executor =>
      async (action) => {
        if (choose("queue", ["empty", "full"]) === "empty") {
          world.apply(action.id);
          return { ok: true };
        }
        clock.setTimer(() => world.apply(action.id), 60_000);
        return { ok: false, code: "queued", retryable: false };
      };
    const { failure } = await quietly({ executor });
    expect(failure!.violations).toEqual([
      expect.objectContaining({ clause: "S3.1", message: "the row says failed, and its effect happened once" }),
    ]);
  });

  it("S6.4 a limiter that lets two executions share a window", async () => {
    const leaky = (): RateLimiter => ({
      acquire: (requests, nowMs) => createMemoryRateLimiter().acquire(requests, nowMs),
    });
    const options = (limiter: () => RateLimiter): ExploreOptions => ({
      executor: (lab) => lab.executor([succeeds()]),
      policy: { rateLimit: { global: { limit: 1, windowMs: 100 } } },
      options: () => ({ rateLimiter: limiter() }),
      scenario: async (lab) => {
        await lab.execute();
        await lab.clock.sleep(lab.choose("pause", [100, 99]));
        await lab.execute();
      },
    });
    expect((await quietly(options(createMemoryRateLimiter))).failure).toBeUndefined();
    const { failure } = await quietly(options(leaky));
    expect(failure!.violations).toEqual([expect.objectContaining({ invariant: "INV-EXE-6", clause: "S6.4" })]);
    expect(failure!.replay).toEqual([1]);
  });

  it("S8.4 an executor on which something other than its choices has a say", async () => {
    let calls = 0;
    const { failure } = await quietly({
      executor: () => () => (calls++ % 2 === 0 ? { ok: true } : { ok: false, code: "odd" }),
    });
    expect(failure!.violations).toEqual([
      expect.objectContaining({
        invariant: "INV-EXE-1",
        clause: "S8.4",
        message: expect.stringContaining("from event 4 of execution-1 on"),
        seq: 4,
      }),
    ]);
  });

  it("S9.1 a secret that the executor puts into its code", async () => {
    const executor = () => () => ({ ok: false as const, code: "user-4711", retryable: false });
    const { failure } = await quietly({ executor, secrets: ["4711"] });
    expect(failure!.violations[0]).toMatchObject({ invariant: "INV-EXE-5", clause: "S9.1" });
  });

  it("a run that can never end", async () => {
    const { failure } = await quietly({
      executor: (lab) => lab.executor([succeeds()]),
      scenario: async (lab) => {
        await lab.execute();
        await lab.clock.waitFor(
          "the other side",
          lab.choose("other side", ["there", "gone"]) === "gone" ? new Promise(() => {}) : undefined!,
        );
      },
    });
    expect(failure!.message).toContain("DeadlockError: nothing can happen any more");
    expect(failure!.message).toContain("the other side");
    expect(failure!.replay).toEqual([1]);
  });

  it("what a check of your own does not like", async () => {
    const { failure } = await quietly({
      executor: (lab) => lab.executor([succeeds(), rejects("busy")]),
      check: ({ report }) => {
        if (report.attemptCount > 2) throw new RangeError("too many attempts");
      },
    });
    expect(failure).toMatchObject({ violations: [], replay: [1, 1], error: new RangeError("too many attempts") });
    expect(failure!.message).toContain("RangeError: too many attempts");
  });

  it("a scenario that executes nothing", async () => {
    const { failure } = await quietly({ executor: (lab) => lab.executor([succeeds()]), scenario: () => {} });
    expect(failure!.message).toContain("call `lab.execute()`");
    expect(failure!.message).toContain("choices: none");
  });

  it("a choice among nothing, and one without end, also where the executor swallows it", async () => {
    const among = (lab: Lab) => () => lab.choose("x", []);
    const nothing = await quietly({ executor: among, policy: TIGHT });
    expect(nothing.failure!.message).toContain("TypeError: nothing to choose from: x");
    const endless = (lab: Lab) => () => {
      for (;;) lab.choose("again", [1, 2]);
    };
    const { failure } = await quietly({ executor: endless, policy: TIGHT });
    expect(failure!.message).toContain("RangeError: a run of more than 100000 choices");
  });
});

import { digestDecision } from "@eoc/decision-schema";
import { describe, expect, it } from "vitest";
import {
  type Clock,
  createBulkhead,
  createMemoryIdempotencyStore,
  type ExecuteOptions,
  type ExecutionEvent,
  execute,
  planExecution,
  reportFromEvents,
} from "../../src/index.js";
import { createVirtualClock, hangs, plan, rejects, runScript, succeeds } from "../support.js";

const yes = () => ({ ok: true as const });

/** Everything a caller can get wrong, and what it is called. */
const WRONG: [what: string, args: [unknown, unknown, unknown, unknown, unknown?], reason: string, path: string][] = [
  ["no decision", [undefined, {}, {}, yes], "invalid_decision", "decision"],
  ["a decision of another kind", ["ACT", {}, {}, yes], "invalid_decision", "decision"],
  ["an unknown action", [{ action: "BUY" }, {}, {}, yes], "invalid_decision", "decision.action"],
  [
    "an allowed that is no boolean",
    [{ action: "ACT", allowed: "yes" }, {}, {}, yes],
    "invalid_decision",
    "decision.allowed",
  ],
  [
    "a function among the params",
    [{ action: "ACT", actions: [{ action: "ACT", params: { f: () => 1 } }] }, {}, {}, yes],
    "invalid_decision",
    "decision.actions[0].params.f",
  ],
  [
    "an idempotency key by the name that reports have for it",
    [{ action: "ACT", actions: [{ action: "ACT" }, { action: "ACT", idempotencyKey: "k" }] }, {}, {}, yes],
    "invalid_decision",
    "decision.actions[1].idempotencyKey",
  ],
  [
    "an idempotency key beside the params of a single action",
    [{ action: "ACT", params: { cents: 5 }, idempotency_key: "k" }, {}, {}, yes],
    "invalid_decision",
    "decision.idempotency_key",
  ],
  [
    "the same by the name that reports have for it",
    [{ action: "ACT", idempotencyKey: "k" }, {}, {}, yes],
    "invalid_decision",
    "decision.idempotencyKey",
  ],
  ["a policy that was not found", [{ action: "ACT" }, {}, undefined, yes], "invalid_policy", "policy"],
  [
    "a limit of an action that there is not",
    [{ action: "ACT" }, {}, { rateLimit: { perAction: { act: { limit: 1, windowMs: 1 } } } }, yes],
    "invalid_policy",
    "policy.rateLimit.perAction.act",
  ],
  [
    "a hole among the gates",
    [{ action: "ACT" }, {}, {}, yes, { gates: new Array(1) }],
    "invalid_options",
    "options.gates",
  ],
  ["no context", [{ action: "ACT" }, null, {}, yes], "invalid_context", "context"],
  ["a list as context", [{ action: "ACT" }, [], {}, yes], "invalid_context", "context"],
  ["a policy of another kind", [{ action: "ACT" }, {}, 5, yes], "invalid_policy", "policy"],
  ["a misspelt policy field", [{ action: "ACT" }, {}, { retries: 3 }, yes], "invalid_policy", "policy.retries"],
  [
    "a negative timeout",
    [{ action: "ACT" }, {}, { timeout: { maxTotalTimeMs: -1 } }, yes],
    "invalid_policy",
    "policy.timeout.maxTotalTimeMs",
  ],
  ["no executor", [{ action: "ACT" }, {}, {}, undefined], "invalid_executor", "executor"],
  ["an executor without execute", [{ action: "ACT" }, {}, {}, { run: yes }], "invalid_executor", "executor"],
  [
    "a reconcile that is no function",
    [{ action: "ACT" }, {}, {}, { execute: yes, reconcile: 1 }],
    "invalid_executor",
    "executor",
  ],
  ["options of another kind", [{ action: "ACT" }, {}, {}, yes, 7], "invalid_options", "options"],
  ["a misspelt option", [{ action: "ACT" }, {}, {}, yes, { killswitch: {} }], "invalid_options", "options.killswitch"],
  [
    "a port without its method",
    [{ action: "ACT" }, {}, {}, yes, { killSwitch: {} }],
    "invalid_options",
    "options.killSwitch",
  ],
  [
    "an approval without digest",
    [{ action: "ACT" }, {}, {}, yes, { approval: {} }],
    "invalid_options",
    "options.approval",
  ],
  [
    "an approval that was not found",
    [{ action: "ACT" }, {}, {}, yes, { approval: new Map<string, object>().get("a-17") }],
    "invalid_options",
    "options.approval",
  ],
  [
    "an approval whose time has another name",
    [{ action: "ACT" }, {}, {}, yes, { approval: { digest: digestDecision({ action: "ACT" }), expiresAt: 1 } }],
    "invalid_options",
    "options.approval",
  ],
  [
    "an approval whose time was not found",
    [
      { action: "ACT" },
      {},
      {},
      yes,
      { approval: { digest: digestDecision({ action: "ACT" }), expiresAtMs: undefined } },
    ],
    "invalid_options",
    "options.approval",
  ],
  [
    "a context that was not waited for",
    [{ action: "ACT" }, Promise.resolve({ ops_deny_actions: true }), {}, yes],
    "invalid_context",
    "context",
  ],
  [
    "a map as context",
    [{ action: "ACT" }, new Map([["ops_deny_actions", true]]), {}, yes],
    "invalid_context",
    "context",
  ],
  [
    "a context whose class says what it says",
    [
      { action: "ACT" },
      new (class Ops {
        get ops_deny_actions() {
          return true;
        }
      })(),
      {},
      yes,
    ],
    "invalid_context",
    "context",
  ],
  [
    "a policy that was not waited for",
    [{ action: "ACT" }, {}, Promise.resolve({ idempotency: { enabled: true } }), yes],
    "invalid_policy",
    "policy",
  ],
  [
    "a map as a section",
    [{ action: "ACT" }, {}, { idempotency: new Map([["enabled", true]]) }, yes],
    "invalid_policy",
    "policy.idempotency",
  ],
  [
    "options that were not waited for",
    [{ action: "ACT" }, {}, {}, yes, Promise.resolve({ journal: {} })],
    "invalid_options",
    "options",
  ],
  [
    "options whose class has the switch",
    [
      { action: "ACT" },
      {},
      {},
      yes,
      new (class Runtime {
        get killSwitch() {
          return { read: () => ({ halted: true }) };
        }
      })(),
    ],
    "invalid_options",
    "options.killSwitch",
  ],
  [
    "options that inherit the switch",
    [{ action: "ACT" }, {}, {}, yes, Object.create({ killSwitch: { read: () => ({ halted: true }) } })],
    "invalid_options",
    "options.killSwitch",
  ],
  [
    "a context whose class extends nothing",
    [{ action: "ACT" }, Object.create(Object.create(null, { ops_deny_actions: { get: () => true } })), {}, yes],
    "invalid_context",
    "context",
  ],
  ["a list as options", [{ action: "ACT" }, {}, {}, yes, []], "invalid_options", "options"],
  ["a map as options", [{ action: "ACT" }, {}, {}, yes, new Map()], "invalid_options", "options"],
  [
    "an id that cannot be written as UTF-8",
    [{ action: "ACT" }, {}, {}, yes, { executionId: "id-\ud800" }],
    "invalid_options",
    "options.executionId",
  ],
  ["a signal that is none", [{ action: "ACT" }, {}, {}, yes, { signal: {} }], "invalid_options", "options.signal"],
];

const hostile = () =>
  new Proxy(
    {},
    {
      get() {
        throw new Error("hunter2");
      },
      ownKeys() {
        throw new Error("hunter2");
      },
      getPrototypeOf() {
        throw new Error("hunter2");
      },
    },
  );

describe("S1.2 refused input", () => {
  for (const [what, args, reason, path] of WRONG) {
    it(`${what}: a denied report that names the place, and no dispatch`, async () => {
      const report = await (execute as (...args: unknown[]) => ReturnType<typeof execute>)(...args);
      expect(report).toMatchObject({
        status: "denied",
        reason,
        failClosed: true,
        actions: [],
        attempts: [],
        deniedCount: 1,
        attemptCount: 0,
      });
      expect(report.issues!.map((issue) => issue.path)).toContain(path);
      for (const issue of report.issues!) expect(issue.expected).not.toBe("");
    });
  }

  const PORTS: Record<string, Record<string, () => unknown>> = {
    clock: { now: () => 0, monotonic: () => 0, setTimer: () => () => {} },
    killSwitch: { read: yes },
    rateLimiter: { acquire: yes },
    idempotencyStore: { claim: yes, renew: yes, complete: yes, release: yes, markUnknown: yes },
    retryBudget: { tryTake: yes, succeeded: yes },
    bulkhead: { tryEnter: yes, queue: yes, leave: yes },
    journal: { append: yes },
  };
  for (const [name, port] of Object.entries(PORTS)) {
    for (const method of Object.keys(port)) {
      it(`a ${name} whose ${method} is no function: the denial names the method, and no other`, async () => {
        const report = await execute({ action: "ACT" }, {}, {}, yes, { [name]: { ...port, [method]: 7 } });
        expect(report).toMatchObject({ status: "denied", reason: "invalid_options", attemptCount: 0 });
        const expected = `an object with ${method}()`;
        expect(report.issues).toEqual([{ path: `options.${name}`, expected, received: "object" }]);
      });
    }
  }

  it("S4.1 is put on record within the times of the policy that was given, as is what the context denies", async () => {
    const policy = { timeout: { portTimeoutMs: 30 }, defaultEffect: "idempotent" as const };
    for (const [decision, context] of [
      [{ action: "ACT" }, { ops_deny_actions: true }],
      [{ action: "FLY" as never }, {}],
      [{ action: "ACT" }, 5 as never],
    ] as const) {
      const clock = createVirtualClock();
      const journal = { append: () => new Promise<void>(() => {}) };
      const report = await clock.run(() => execute(decision, context, policy, yes, { clock, journal }));
      expect(report).toMatchObject({ status: "denied", recordError: "journal_unavailable" });
      expect(clock.monotonic()).toBe(30);
    }
    const halted = await execute({ action: "ACT" }, { ops_deny_actions: true }, policy, yes);
    expect(halted.planHash).toBe(planExecution({ action: "ACT" }, policy).planHash);
    const both = await execute({ action: "ACT" }, { ops_deny_actions: true }, { retries: 3 } as never, yes);
    expect(both.reason).toBe("kill_switch");
  });

  it("is emitted as events like any other execution", async () => {
    const events: ExecutionEvent[] = [];
    const report = await execute({ action: "BUY" } as never, {}, {}, yes, { onEvent: (event) => events.push(event) });
    expect(events.map(({ type }) => type)).toEqual(["execution.started", "execution.finished"]);
    expect(JSON.parse(JSON.stringify(reportFromEvents(events)))).toEqual(JSON.parse(JSON.stringify(report)));
  });

  it.each([
    [[{ action: "ACT" }, {}, {}, yes, { killSwitch: null }], "null"],
    [[{ action: "ACT" }, {}, {}, yes, Promise.resolve({})], "Promise"],
    [[{ action: "ACT" }, {}, {}, yes, { gates: [5] }], "array"],
    [[{ action: "ACT" }, {}, {}, yes, { gates: {} }], "object"],
    [[{ action: "ACT" }, new Map(), {}, yes], "Map"],
    [[{ action: "ACT" }, {}, new Date(0), yes], "Date"],
    [[{ action: "ACT" }, {}, new (class {})(), yes], "object"],
    [[{ action: "ACT" }, {}, new Error("x"), yes], "Error"],
    [[{ action: "ACT" }, {}, {}, null], "null"],
  ])("says what kind of value was given: case %#", async (args, received) => {
    const { issues } = await execute(...(args as Parameters<typeof execute>));
    expect(issues?.map((issue) => issue.received)).toEqual([received]);
  });

  it("never shows the value that was refused", async () => {
    const report = await execute({ action: "hunter2", reasons: "hunter2" } as never, {}, {}, yes);
    expect(JSON.stringify(report)).not.toContain("hunter2");
  });
});

describe("S1.1 execute never rejects", () => {
  for (let position = 0; position < 5; position++) {
    it(`whatever argument ${position} throws when it is read`, async () => {
      const args: unknown[] = [{ action: "ACT" }, {}, {}, yes, {}];
      args[position] = hostile();
      const report = await (execute as (...args: unknown[]) => ReturnType<typeof execute>)(...args);
      expect(report).toMatchObject({ status: "denied", failClosed: true });
      expect(JSON.stringify(report)).not.toContain("hunter2");
    });
  }

  it("nor when the clock fails at the start", async () => {
    const clock = {
      now: () => 0,
      monotonic: () => {
        throw new Error("no clock");
      },
      setTimer: () => () => {},
    };
    const report = await execute({ action: "ACT" }, {}, {}, yes, { clock });
    expect(report).toMatchObject({ status: "denied", reason: "protocol_error", failClosed: true });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, undefined as never])(
    "nor when the clock gives no time: %s",
    async (time) => {
      const clock = { now: () => time, monotonic: () => 0, setTimer: () => () => {} };
      for (const policy of [{}, { retries: 3 }]) {
        const report = await execute({ action: "ACT" }, {}, policy as object, yes, { clock });
        expect(report).toMatchObject({ status: "denied", reason: "protocol_error", failClosed: true });
        expect(report.startedAtMs).toBeGreaterThan(0);
      }
    },
  );

  it.each([
    ["gives nothing to cancel a timer with", () => undefined as never],
    [
      "throws when a timer is cancelled",
      () => () => {
        throw new Error("no such timer");
      },
    ],
  ])("nor when the clock %s", async (_, cancel) => {
    const clock: Clock = {
      now: () => Date.now(),
      monotonic: () => performance.now(),
      setTimer: (callback, delayMs) => {
        setTimeout(callback, delayMs).unref();
        return cancel();
      },
    };
    const later = <T>(value: T) => new Promise<T>((resolve) => setTimeout(resolve, 1, value));
    const policy = { rateLimit: { global: { limit: 9, windowMs: 1 } }, idempotency: { enabled: true } };
    const ports: ExecuteOptions = {
      clock,
      killSwitch: { read: () => later({ halted: false }) },
      gates: [() => later({ allow: true })],
      rateLimiter: { acquire: () => later({ granted: true }) },
      idempotencyStore: createMemoryIdempotencyStore(),
      journal: { append: () => later(undefined) },
    };
    expect(await execute({ action: "ACT" }, {}, policy, () => later({ ok: true }), ports)).toMatchObject({
      status: "success",
    });
    const bulkhead = createBulkhead({ limit: 1 });
    const crowd = [1, 2, 3].map(() =>
      execute({ action: "ACT" }, {}, {}, () => later({ ok: true }), { clock, bulkhead }),
    );
    expect((await Promise.all(crowd)).map(({ status }) => status)).toEqual(["success", "success", "success"]);
    expect(bulkhead.tryEnter()).toBe(true);
  });

  it("nor when the clock fails on the way: what was dispatched is unknown", async () => {
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      setTimer: () => {
        throw new Error("no timers");
      },
    };
    const report = await execute(
      { action: "ACT", actions: [{ action: "ACT" }, { action: "ACT" }] },
      {},
      {},
      () => new Promise(() => {}),
      { clock },
    );
    expect(report).toMatchObject({ status: "unknown", reason: "protocol_error", failClosed: true, attemptCount: 1 });
  });
});

describe("S1.3 the caller's objects", () => {
  it("are neither changed nor read again after the plan is made", async () => {
    const params = { to: "alice", list: [1] };
    const decision = {
      action: "ACT" as const,
      actions: [
        { action: "ACT" as const, params },
        { action: "ACT" as const, params },
      ],
    };
    const context = { account: { id: 7 } };
    const before = JSON.stringify([decision, context]);
    const seen: unknown[] = [];
    const report = await execute(decision, context, {}, (action, attempt) => {
      seen.push(JSON.parse(JSON.stringify([action.params, attempt.context])));
      if (seen.length === 1) {
        params.to = "mallory";
        params.list.push(2);
        context.account.id = 8;
        expect(() => Object.assign(action.params, { to: "eve" })).toThrow(TypeError);
        expect(() => Object.assign(attempt.context["account"] as object, { id: 9 })).toThrow(TypeError);
        expect(() => (action.params["list"] as number[]).push(3)).toThrow(TypeError);
      }
      return { ok: true };
    });
    expect(report.status).toBe("success");
    expect(seen[1]).toEqual(seen[0]);
    expect(before).toBe(
      JSON.stringify([
        {
          action: "ACT",
          actions: [
            { action: "ACT", params: { to: "alice", list: [1] } },
            { action: "ACT", params: { to: "alice", list: [1] } },
          ],
        },
        { account: { id: 7 } },
      ]),
    );
  });

  it("are read once, unusual ones too: what was checked is what is executed", async () => {
    class Order {
      readonly action = "ACT" as const;
      #reads = 0;
      get params() {
        const isFirst = () => this.#reads++ === 0;
        return Object.defineProperty({}, "cents", { enumerable: true, get: () => (isFirst() ? 1 : 1_000_000) });
      }
    }
    const seen: unknown[] = [];
    const report = await execute(new Order() as never, {}, {}, ({ params }) => {
      seen.push({ ...params });
      return { ok: true };
    });
    expect(report.status).toBe("success");
    expect(seen).toEqual([{ cents: 1 }]);
  });

  it("keep a __proto__ key as an ordinary key", async () => {
    const decision = JSON.parse('{"action":"ACT","params":{"__proto__":{"polluted":true}}}');
    let params: Readonly<Record<string, unknown>> = {};
    const report = await execute(decision, {}, {}, (action) => {
      params = action.params;
      return { ok: true };
    });
    expect(report.status).toBe("success");
    expect(Object.keys(params)).toEqual(["__proto__"]);
    expect((params as { polluted?: boolean }).polluted).toBeUndefined();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("S1.3 the caller's gates", () => {
  it("are read once: what was checked is what is asked", async () => {
    let reads = 0;
    const gates = Object.defineProperty([], 0, {
      get: () => (++reads === 1 ? () => ({ allow: false, code: "closed" }) : () => ({ allow: true })),
    });
    const report = await execute({ action: "ACT" }, {}, {}, yes, { gates: gates as never });
    expect([report.actions[0]!.reason, reads]).toEqual(["gate_denied", 1]);
  });

  it("are those that were given: one that is taken out of the list later is asked all the same", async () => {
    const gates = [() => ({ allow: false as const, code: "closed" })];
    const running = execute({ action: "ACT", throttle_ms: 1 }, {}, {}, yes, { gates });
    gates.pop();
    expect(await running).toMatchObject({ status: "denied", actions: [{ reason: "gate_denied" }] });
  });
});

describe("S1.4 the plan", () => {
  it("is the list of actions, in order", async () => {
    const { report, calls } = await runScript([succeeds()], {
      decision: plan([{ action: "EXIT", id: "x" }, { action: "CANCEL" }]),
    });
    expect(calls.map(({ action }) => [action.action, action.id])).toEqual([
      ["EXIT", "x"],
      ["CANCEL", "action-1"],
    ]);
    expect(report.actions.map(({ id }) => id)).toEqual(["x", "action-1"]);
  });

  it("is the one action with its params when there is no list", async () => {
    const { calls } = await runScript([succeeds()], { decision: { action: "STOP", params: { now: true } } });
    expect(calls.map(({ action }) => [action.action, action.params])).toEqual([["STOP", { now: true }]]);
  });

  it("is skipped when the list is empty", async () => {
    const { report, calls } = await runScript([succeeds()], { decision: plan([]) });
    expect(report).toMatchObject({ status: "skipped", reason: "no_actions", actions: [], failClosed: false });
    expect(calls).toEqual([]);
  });
});

describe("what is not executed", () => {
  it("S1.5 HOLD is skipped and counts only when there is nothing else", async () => {
    const alone = await runScript([succeeds()], { decision: { action: "HOLD" } });
    expect(alone.report).toMatchObject({ status: "skipped", reason: "hold", skippedCount: 1 });
    expect(alone.calls).toEqual([]);
    const among = await runScript([succeeds()], { decision: plan([{ action: "HOLD" }, { action: "ACT" }]) });
    expect(among.report).toMatchObject({ status: "success", skippedCount: 1, successCount: 1 });
  });

  it("S1.6 a decision that is not allowed is skipped", async () => {
    const { report, calls } = await runScript([succeeds()], { decision: { ...plan(2), allowed: false } });
    expect(report).toMatchObject({ status: "skipped", reason: "not_allowed", skippedCount: 2, failClosed: false });
    expect(calls).toEqual([]);
  });

  it("S2.1 the context's kill switch beats `allowed: false`", async () => {
    const { report } = await runScript([succeeds()], {
      decision: { action: "ACT", allowed: false },
      context: { ops_deny_actions: true },
    });
    expect(report).toMatchObject({ status: "denied", reason: "kill_switch", deniedCount: 1, failClosed: false });
  });
});

describe("S1.7 throttle and cooldown", () => {
  it("delays the first dispatch, and no other", async () => {
    const { calls, report } = await runScript([succeeds()], { decision: { ...plan(2), throttle_ms: 250 } });
    expect(calls.map(({ startedAtMs }) => startedAtMs - report.startedAtMs)).toEqual([250, 250]);
    expect(report.actions.map(({ waitedMs }) => waitedMs)).toEqual([250, 0]);
  });

  it("is bounded by the deadline", async () => {
    const { report, calls } = await runScript([succeeds()], { decision: { ...plan(2), throttle_ms: 30_000 } });
    expect(report).toMatchObject({ status: "denied", totalLatencyMs: 0, failClosed: true });
    expect(report.actions[0]!.reason).toBe("deadline_exceeded");
    expect(calls).toEqual([]);
  });

  it("reports the end of the cooldown", async () => {
    const { report } = await runScript([succeeds(1, { afterMs: 40 })], {
      decision: { action: "ACT", cooldown_ms: 60_000 },
    });
    expect(report.cooldownUntilMs).toBe(report.startedAtMs + 40 + 60_000);
  });
});

describe("S1.8 approval", () => {
  const decision = plan([{ action: "ACT", params: { amount: 10 } }]);
  const approved = (approval: ExecuteOptions["approval"]) => ({ decision, options: { approval: approval! } });

  it("lets through what was approved", async () => {
    const { report } = await runScript([succeeds()], approved({ digest: digestDecision(decision) }));
    expect(report.status).toBe("success");
  });

  it("denies what is not what was approved", async () => {
    const other = plan([{ action: "ACT", params: { amount: 1000 } }]);
    const { report, calls } = await runScript([succeeds()], approved({ digest: digestDecision(other) }));
    expect(report).toMatchObject({ status: "denied", reason: "approval_mismatch", failClosed: false });
    expect(calls).toEqual([]);
  });

  it("is checked after all waiting, by the wall clock", async () => {
    const clock = createVirtualClock({ startMs: 1000 });
    const { report, calls } = await runScript([rejects("busy", { retryAfterMs: 500 }), succeeds()], {
      clock,
      decision,
      options: { approval: { digest: digestDecision(decision), expiresAtMs: 1400 } },
    });
    expect(calls).toHaveLength(1);
    expect(report.actions[0]).toMatchObject({ status: "failed", reason: "approval_expired" });
  });

  it("has expired when the wall clock steps past its end", async () => {
    const clock = createVirtualClock({ startMs: 1000 });
    const { report } = await runScript([rejects("busy"), succeeds()], {
      clock,
      decision,
      options: { approval: { digest: digestDecision(decision), expiresAtMs: 3_000_000 } },
      at: { 50: () => clock.stepWall(3_600_000) },
    });
    expect(report.actions[0]).toMatchObject({ status: "failed", reason: "approval_expired" });
  });

  it.each([Number.NaN, undefined as never])(
    "lets nothing through once the wall clock gives no time: %s",
    async (time) => {
      const virtual = createVirtualClock({ startMs: 1000 });
      const clock: Clock = {
        now: () => (virtual.monotonic() < 50 ? virtual.now() : time),
        monotonic: () => virtual.monotonic(),
        setTimer: (callback, delayMs) => virtual.setTimer(callback, delayMs),
      };
      let dispatches = 0;
      const executor = () => (dispatches++ === 0 ? { ok: false as const, code: "busy" } : { ok: true as const });
      const approval = { digest: digestDecision(decision), expiresAtMs: 3_000_000 };
      const report = await virtual.run(() => execute(decision, {}, {}, executor, { clock, approval }));
      expect(report).toMatchObject({ status: "failed", reason: "protocol_error", attemptCount: 1 });
    },
  );

  it("leaves the status of what was dispatched as it is known", async () => {
    const { report } = await runScript([hangs()], {
      decision,
      policy: { defaultEffect: "once" },
      options: { approval: { digest: digestDecision(decision) } },
    });
    expect(report.actions[0]).toMatchObject({ status: "unknown", reason: "attempt_timeout" });
  });
});

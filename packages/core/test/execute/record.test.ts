import { canonicalJson, FinalDecisionSchema, sha256Hex } from "@eoc/decision-schema";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  deriveKey,
  type ExecutionEvent,
  execute,
  fingerprintOf,
  type Journal,
  planExecution,
  reportFromEvents,
} from "../../src/index.js";
import {
  createVirtualClock,
  hangs,
  plan,
  rejects,
  returns,
  runScript,
  type ScriptedStep,
  storyOf,
  succeeds,
  succeedsLate,
  throws,
} from "../support.js";

const plainCopy = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

describe("S8.1 events", () => {
  const step: fc.Arbitrary<ScriptedStep> = fc.oneof(
    fc.nat(300).map((afterMs) => succeeds("v", { afterMs })),
    fc.nat(300).map((afterMs) => rejects("busy", { afterMs })),
    fc.nat(300).map((afterMs) => rejects("later", { afterMs, retryAfterMs: 50 })),
    fc.nat(300).map((afterMs) => throws(new TypeError("x"), { afterMs })),
    fc.nat(900).map((afterMs) => succeedsLate(afterMs)),
    fc.constant(hangs()),
    fc.constant(hangs({ ignoresAbort: true })),
    fc.constant(returns(7)),
  );

  it("rebuild the report, are dense, and have one end for every start, for any execution", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 5 }),
        fc.record({
          maxConcurrency: fc.integer({ min: 1, max: 3 }),
          onFailure: fc.constantFrom("stop" as const, "continue" as const),
          onHalt: fc.constantFrom("abort" as const, "finish" as const),
          defaultEffect: fc.constantFrom("once" as const, "idempotent" as const, "none" as const),
        }),
        fc.option(fc.nat(1200), { nil: undefined }),
        fc.boolean(),
        async (steps, actions, shape, haltAt, reconciles) => {
          const killSwitch = createManualKillSwitch();
          const clock = createVirtualClock();
          const { report, events } = await runScript(steps, {
            clock,
            decision: plan(actions),
            policy: {
              ...shape,
              retry: { maxRetries: 2, initialBackoffMs: 20 },
              timeout: { attemptTimeoutMs: 200, maxTotalTimeMs: 1500, abortGraceMs: 30 },
              idempotency: { enabled: true },
              rateLimit: { global: { limit: 3, windowMs: 200 } },
            },
            ...(reconciles ? { reconcile: "world" as const } : {}),
            options: {
              killSwitch,
              rateLimiter: createMemoryRateLimiter(),
              idempotencyStore: createMemoryIdempotencyStore({ clock }),
            },
            ...(haltAt === undefined ? {} : { at: { [haltAt]: () => killSwitch.halt() } }),
          });
          expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i));
          expect(plainCopy(reportFromEvents(events))).toEqual(plainCopy(report));
          await clock.runUntilIdle();
          expect(plainCopy(reportFromEvents(events))).toEqual(plainCopy(report));
          const ends: Record<string, string> = {
            "execution.started": "execution.finished",
            "action.started": "action.finished",
            "wait.started": "wait.finished",
            "attempt.started": "attempt.finished",
            "reconcile.started": "reconcile.finished",
          };
          for (const [start, end] of Object.entries(ends)) {
            expect([start, events.filter(({ type }) => type === start).length]).toEqual([
              start,
              events.filter(({ type }) => type === end).length,
            ]);
          }
          const intents = events.filter(({ type }) => type === "attempt.intended").length;
          const answers = events.filter(
            ({ type }) => type === "attempt.started" || type === "attempt.withdrawn",
          ).length;
          expect(answers).toBe(intents);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("are frozen", async () => {
    const { events } = await runScript([succeeds()]);
    for (const event of events) expect(Object.isFrozen(event)).toBe(true);
  });

  it("tell the story of a retry", async () => {
    const { events } = await runScript([rejects("busy"), succeeds()]);
    expect(storyOf(events)).toEqual([
      "execution.started",
      "action.started 0",
      "attempt.intended 0/0",
      "attempt.started 0/0",
      "attempt.finished 0/0",
      "wait.started 0/1",
      "wait.finished 0/1",
      "attempt.intended 0/1",
      "attempt.started 0/1",
      "attempt.finished 0/1",
      "action.finished 0",
      "execution.finished",
    ]);
  });

  it("that lack their beginning or end make no report", () => {
    expect(() => reportFromEvents([])).toThrow("the events have no execution.started");
  });
});

describe("S8.2 a journal", () => {
  it("has the intent before the dispatch, however slow it is", async () => {
    const clock = createVirtualClock();
    const durable: string[] = [];
    const journal: Journal = {
      async append(event) {
        await clock.sleep(20);
        durable.push(event.type);
      },
    };
    const seen: string[][] = [];
    await runScript(
      () => {
        seen.push([...durable]);
        return succeeds();
      },
      { clock, options: { journal } },
    );
    expect(seen[0]!.at(-1)).toBe("attempt.intended");
    expect(durable.at(-1)).toBe("execution.finished");
  });

  for (const [what, append] of [
    [
      "throws",
      () => {
        throw new Error("disk");
      },
    ],
    ["rejects", () => Promise.reject(new Error("disk"))],
    ["hangs", () => new Promise<void>(() => {})],
  ] as const) {
    it(`that ${what}: no dispatch, fail-closed`, async () => {
      const { report, calls } = await runScript([succeeds()], {
        decision: plan(2),
        policy: { onFailure: "continue" },
        options: { journal: { append } },
      });
      expect(calls).toEqual([]);
      expect(report).toMatchObject({
        status: "denied",
        reason: "journal_unavailable",
        deniedCount: 2,
        failClosed: true,
      });
    });
  }

  it("that loses only the outcome: the report says what happened, and that the record is lacking", async () => {
    const journal: Journal = {
      append(event) {
        if (event.type === "attempt.finished") throw new Error("disk full");
      },
    };
    const { report } = await runScript([succeeds()], { options: { journal } });
    expect(report).toMatchObject({ status: "success", recordError: "journal_unavailable" });
  });

  it("has every denial and skip", async () => {
    const appended: ExecutionEvent[] = [];
    const options = { journal: { append: (event: ExecutionEvent) => void appended.push(event) } };
    await runScript([succeeds()], { decision: { action: "ACT", allowed: false }, options });
    await runScript([succeeds()], { context: { ops_deny_actions: true }, options });
    await runScript([succeeds()], { decision: { action: "BUY" } as never, options });
    expect(
      appended.flatMap((event) =>
        event.type === "action.finished" || event.type === "execution.finished" ? [event.reason] : [],
      ),
    ).toEqual(["not_allowed", "not_allowed", "kill_switch", "kill_switch", "invalid_decision"]);
  });

  it("is appended to one event after the other", async () => {
    const clock = createVirtualClock();
    let open = 0;
    let most = 0;
    const seqs: number[] = [];
    const journal: Journal = {
      async append({ seq }) {
        most = Math.max(most, ++open);
        await clock.sleep(1);
        seqs.push(seq);
        open--;
      },
    };
    await runScript([rejects("busy"), succeeds()], {
      clock,
      decision: plan(3),
      policy: { maxConcurrency: 3 },
      options: { journal },
    });
    expect(most).toBe(1);
    expect(seqs).toEqual(seqs.map((_, i) => i));
  });

  /** Keeps every event 20 ms after it came. */
  function orderly(keepsOrder: boolean) {
    const clock = createVirtualClock();
    const seqs: number[] = [];
    const durable: string[] = [];
    let open = 0;
    const most = { open: 0 };
    const journal: Journal = {
      keepsOrder,
      async append({ seq, type }) {
        seqs.push(seq);
        most.open = Math.max(most.open, ++open);
        await clock.sleep(20);
        durable.push(type);
        open--;
      },
    };
    return { clock, journal, seqs, durable, most };
  }

  async function runWith({ clock, journal, seqs, durable, most }: ReturnType<typeof orderly>) {
    const seen: string[][] = [];
    const executor = () => {
      seen.push([...durable]);
      return succeeds();
    };
    await runScript(executor, { clock, options: { journal } });
    expect(seen[0]).toEqual(["execution.started", "action.started", "attempt.intended"]);
    expect(durable).toHaveLength(7);
    expect(seqs).toEqual([0, 1, 2, 3, 4, 5, 6]);
    return { open: most.open, ms: clock.monotonic() };
  }

  it("that keeps the order itself is waited for at an intent and at the end", async () => {
    expect(await runWith(orderly(true))).toEqual({ open: 4, ms: 2 * 20 });
  });

  it("that does not is waited for after every event", async () => {
    expect(await runWith(orderly(false))).toEqual({ open: 1, ms: 7 * 20 });
  });

  it("that keeps the order and loses one of the events that nobody waits for: the report says so", async () => {
    const journal: Journal = {
      keepsOrder: true,
      append: async ({ type }) => {
        await Promise.resolve();
        if (type === "attempt.started") throw new Error("disk full");
      },
    };
    const { report } = await runScript([succeeds()], { options: { journal } });
    expect(report).toMatchObject({ status: "success", recordError: "journal_unavailable" });
  });

  it("that keeps the order and throws for one of them: the report says so too", async () => {
    const append = ({ type }: ExecutionEvent) => {
      if (type === "attempt.started") throw new Error("disk full");
    };
    const { report } = await runScript([succeeds()], { options: { journal: { keepsOrder: true, append } } });
    expect(report).toMatchObject({ status: "success", recordError: "journal_unavailable" });
  });

  it("whose word for it cannot be read is appended to one event after the other", async () => {
    const { clock, journal, most } = orderly(true);
    const hostile: Journal = {
      append: journal.append,
      get keepsOrder(): boolean {
        throw new Error("hunter2");
      },
    };
    const { report } = await runScript([succeeds()], { clock, options: { journal: hostile } });
    expect([report.status, most.open]).toEqual(["success", 1]);
  });

  it("does not hold up the report for longer than a port may take", async () => {
    const journal: Journal = { append: ({ type }) => (type === "action.finished" ? new Promise(() => {}) : undefined) };
    const { report, clock } = await runScript([succeeds()], {
      policy: { timeout: { portTimeoutMs: 300 } },
      options: { journal },
    });
    expect(report).toMatchObject({ status: "success", recordError: "journal_unavailable" });
    expect(clock.monotonic()).toBe(300);
  });
});

describe("S8.3 listeners observe only", () => {
  const scenario = (onEvent?: (event: ExecutionEvent) => void) =>
    runScript([rejects("busy"), succeeds("v", { afterMs: 10 })], {
      decision: plan(2),
      ...(onEvent ? { options: { onEvent } } : {}),
    });

  for (const [what, listener] of [
    [
      "throws",
      () => {
        throw new Error("x");
      },
    ],
    ["rejects", () => Promise.reject(new TypeError("x"))],
    ["returns anything", () => ({ ok: false })],
    [
      "tries to change what it is shown",
      (event: ExecutionEvent) => {
        Object.assign(event, { type: "gone" });
      },
    ],
  ] as const) {
    it(`one that ${what} changes nothing`, async () => {
      const calm = await scenario();
      const seen: unknown[] = [];
      const loud = await scenario((event) => {
        seen.push(event);
        return listener(event) as never;
      });
      expect(JSON.stringify(loud.report)).toBe(JSON.stringify(calm.report));
      expect(loud.calls.map(({ startedAtMs }) => startedAtMs)).toEqual(
        calm.calls.map(({ startedAtMs }) => startedAtMs),
      );
      expect(seen.length).toBeGreaterThanOrEqual(calm.events.length);
    });
  }

  it("one that throws is itself an event, once", async () => {
    const appended: ExecutionEvent[] = [];
    await runScript([succeeds()], {
      options: {
        journal: { append: (event) => void appended.push(event) },
        onEvent: () => {
          throw new RangeError("secret");
        },
      },
    });
    expect(appended.filter(({ type }) => type === "listener.failed")).toMatchObject([{ errorType: "RangeError" }]);
    expect(JSON.stringify(appended)).not.toContain("secret");
  });
});

describe("S8.4 determinism (INV-EXE-1)", () => {
  it("same plan, inputs, clock and seed: byte-identical events and report", async () => {
    const once = () =>
      runScript([rejects("busy"), throws(), hangs(), succeeds(1, { afterMs: 30 })], {
        decision: plan(4),
        policy: {
          maxConcurrency: 2,
          onFailure: "continue",
          defaultEffect: "idempotent",
          retry: { jitter: "full", maxRetries: 5 },
        },
        options: { seed: "s" },
      });
    const [a, b] = [await once(), await once()];
    expect(JSON.stringify(a.events)).toBe(JSON.stringify(b.events));
    expect(JSON.stringify(a.report)).toBe(JSON.stringify(b.report));
  });
});

describe("S9 secret hygiene", () => {
  it("S9.1 nothing that an executor says enters report, event or journal but type and code", async () => {
    const secret = "hunter2-4242";
    class SecretError extends Error {
      headers = { authorization: secret };
      constructor() {
        super(secret, { cause: new Error(secret) });
      }
    }
    const evil = Object.assign(new Error(secret), { name: secret, code: secret });
    Object.defineProperty(evil, "constructor", { value: { name: `${secret} class` } });
    const steps: ScriptedStep[] = [
      throws(new SecretError()),
      throws(evil),
      throws(secret),
      returns(secret),
      rejects(secret.toUpperCase()),
      returns({ ok: true, value: secret }),
      returns({ ok: false, code: `x ${secret}` }),
    ];
    for (const step of steps) {
      const appended: ExecutionEvent[] = [];
      const { report, events } = await runScript([step], {
        policy: { retry: { maxRetries: 0 } },
        reconcile: () => {
          throw new Error(secret);
        },
        options: { journal: { append: (event) => void appended.push(event) } },
      });
      const recorded = JSON.stringify([report, events, appended]).toLowerCase();
      expect(recorded).not.toContain("hunter2");
    }
    const { report } = await runScript([throws(new SecretError())]);
    expect(report.attempts[0]).toMatchObject({ errorType: "SecretError", errorCode: "execution_exception" });
  });

  it("S9.1 a code that is no code is recorded as invalid_code", async () => {
    for (const code of ["UPPER", "with space", "", "x".repeat(65), "naïve"]) {
      const { report } = await runScript([rejects(code, { retryable: false })]);
      expect(report.actions[0]).toMatchObject({ status: "failed", errorCode: "invalid_code" });
    }
    const { report } = await runScript([rejects("http_503:a.b-c", { retryable: false })]);
    expect(report.actions[0]!.errorCode).toBe("http_503:a.b-c");
  });

  it("S9.2 the value is reachable and not enumerable", async () => {
    const { report } = await runScript([succeeds({ card: "4242" })]);
    const row = report.actions[0]!;
    expect(row.value).toEqual({ card: "4242" });
    expect(Object.keys(row)).not.toContain("value");
    expect(JSON.stringify(report)).not.toContain("4242");
    expect(structuredClone({ ...row })).not.toHaveProperty("value");
    expect(structuredClone(report).actions[0]).not.toHaveProperty("value");
    const { inspect } = await import("node:util");
    expect(inspect(report, { depth: 9 })).not.toContain("4242");
  });
});

describe("S10 the report", () => {
  const statuses: [string, ScriptedStep[], string][] = [
    ["all succeeded", [succeeds()], "success"],
    ["one unknown", [succeeds(), throws(), succeeds()], "unknown"],
    ["a mix with a success", [succeeds(), rejects("no", { retryable: false }), succeeds()], "partial"],
    ["failed only", [rejects("no", { retryable: false })], "failed"],
  ];
  for (const [what, steps, status] of statuses) {
    it(`${what}: ${status}`, async () => {
      const { report } = await runScript(steps, { decision: plan(3), policy: { onFailure: "continue" } });
      expect(report.status).toBe(status);
    });
  }

  it("failed goes before denied, denied before skipped", async () => {
    const gates = [
      ({ index }: { index: number }) =>
        index === 1 ? { allow: false as const, code: "no" } : { allow: true as const },
    ];
    const failed = await runScript([rejects("no", { retryable: false })], {
      decision: plan(2),
      policy: { onFailure: "continue" },
      options: { gates },
    });
    expect(failed.report.status).toBe("failed");
    const denied = await runScript([succeeds()], {
      decision: plan([{ action: "HOLD" }, { action: "ACT" }, { action: "ACT" }]),
      options: { gates },
    });
    expect(denied.report).toMatchObject({ status: "denied", deniedCount: 1, skippedCount: 2 });
  });

  it("counts attempts and actions as the trace keys say", async () => {
    const { report } = await runScript([rejects("busy"), succeeds(), throws()], {
      decision: plan(4),
      policy: { onFailure: "stop" },
    });
    expect(report).toMatchObject({
      successCount: 1,
      failedCount: 2,
      attemptCount: 3,
      unknownCount: 1,
      skippedCount: 2,
      deniedCount: 0,
      replayedCount: 0,
    });
    expect(report.attemptCount).toBe(report.successCount + report.failedCount);
  });

  const closed: [string, Parameters<typeof runScript>, boolean][] = [
    ["an exception", [[throws()]], true],
    ["a timeout", [[hangs()]], true],
    ["the deadline", [[rejects("x", { retryAfterMs: 40_000 })]], true],
    ["an invalid result", [[returns(1)]], true],
    ["a plain rejection", [[rejects("x")]], false],
    ["not allowed", [[succeeds()], { decision: { action: "ACT", allowed: false } }], false],
    ["the context's kill switch", [[succeeds()], { context: { ops_deny_actions: true } }], false],
    [
      "an exception that a retry made good",
      [[throws(), succeeds()], { policy: { defaultEffect: "idempotent" } }],
      false,
    ],
    ["an exception whose action then failed", [[throws(), rejects("x")], { policy: { defaultEffect: "none" } }], true],
  ];
  for (const [what, args, expected] of closed) {
    it(`failClosed is ${expected} for ${what}`, async () => {
      expect((await runScript(...args)).report.failClosed).toBe(expected);
    });
  }

  it("has the plan's hash, the same for the same plan", async () => {
    const once = await runScript([succeeds()], { decision: plan(2) });
    const again = await runScript([rejects("x")], { decision: plan(2) });
    const other = await runScript([succeeds()], { decision: plan(3) });
    expect(once.report.planHash).toMatch(/^[0-9a-f]{64}$/);
    expect(again.report.planHash).toBe(once.report.planHash);
    expect(other.report.planHash).not.toBe(once.report.planHash);
  });

  it("hash the RFC 8785 text of the plan's actions, whatever is in them; so do the keys of each", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
    const item = fc.record(
      {
        action: fc.constantFrom("ACT" as const, "HOLD" as const),
        id: text,
        params: fc.dictionary(text, fc.jsonValue()),
        effect: fc.constantFrom("once" as const, "idempotent" as const, "none" as const),
        idempotency_key: text,
      },
      { requiredKeys: ["action"] },
    );
    fc.assert(
      fc.property(fc.uniqueArray(item, { selector: ({ id }) => id ?? Symbol(), maxLength: 4 }), (actions) => {
        const plan = planExecution(FinalDecisionSchema.parse({ action: "ACT", actions }), {});
        expect(plan.planHash).toBe(sha256Hex(canonicalJson(plan.actions)));
        for (const planned of plan.actions) {
          const { action, id, params } = planned;
          const context = { account: id, now_ms: 7 };
          expect(fingerprintOf(planned)).toBe(sha256Hex(canonicalJson({ action, params })));
          expect(deriveKey(planned, context)).toBe(
            sha256Hex(canonicalJson({ action, context: { account: id }, id, params })),
          );
        }
      }),
    );
  });

  it("is made with a random id when none is given", async () => {
    const ids = new Set<string>();
    for (let i = 0; i < 20; i++) ids.add((await execute({ action: "HOLD" }, {}, {}, () => ({ ok: true }))).executionId);
    expect(ids.size).toBe(20);
  });
});

import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  createRedactor,
  type Effect,
  type ExecutionEvent,
  type ExecutionPolicyInput,
  execute,
  type FinalDecisionInput,
  type Redactor,
} from "@eoc/core";
import { canonicalJson, sha256Hex } from "@eoc/decision-schema";
import { createFlakyExecutor, createScriptedExecutor, createVirtualClock, rejects, succeeds } from "@eoc/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createJsonlJournal,
  type JournalEvent,
  type JournalRecord,
  type JournalVerdict,
  type JsonlJournalOptions,
  verifyJournal,
} from "../src/index.js";
import { eventsOf, PLAN_HASH, STARTED_AT } from "./support.js";

type Steps = Parameters<typeof eventsOf>[1];
type Body = Steps[number][1];

const unmasked: Redactor = { redact: (value) => value, redactWithManifest: (value) => ({ value, manifest: [] }) };

/** Chains whatever it is given, as a forger would. */
async function chained(events: readonly JournalEvent[], options: JsonlJournalOptions = {}): Promise<JournalVerdict> {
  const lines: string[] = [];
  const journal = createJsonlJournal({ append: (line) => void lines.push(line) }, { redactor: unmasked, ...options });
  for (const event of events) await journal.append(event as ExecutionEvent);
  return verifyJournal(lines, { head: journal.head() });
}

const started: Steps[number] = [0, { type: "execution.started", planHash: PLAN_HASH, actionCount: 2 }];

const begun = (actionIndex = 0): Body => ({ type: "action.started", actionIndex, id: "a", action: "ACT" });
const intended = (attemptNumber = 0, actionIndex = 0): Body => ({
  type: "attempt.intended",
  actionIndex,
  attemptNumber,
  action: "ACT",
});
const dispatched = (attemptNumber = 0, actionIndex = 0, limitMs = 10): Body => ({
  type: "attempt.started",
  actionIndex,
  attemptNumber,
  limitMs,
});
const finished = (
  status: "success" | "failed" | "unknown",
  fields: { attemptNumber?: number; actionIndex?: number; errorCode?: string; late?: boolean } = {},
): Body => ({
  type: "attempt.finished",
  actionIndex: 0,
  attemptNumber: 0,
  action: "ACT",
  startedAtMs: STARTED_AT,
  latencyMs: 0,
  status,
  ...fields,
});
const ended = (
  status: "success" | "failed" | "denied" | "skipped" | "unknown",
  attemptCount: number,
  fields: { actionIndex?: number; reason?: "completed" | "rejected" | "replayed" } = {},
): Body => ({
  type: "action.finished",
  actionIndex: 0,
  id: "a",
  action: "ACT",
  status,
  reason: "rejected",
  basis: "result",
  attemptCount,
  latencyMs: 0,
  waitedMs: 0,
  replayed: false,
  ...fields,
});

/** The conformance of one execution whose records are these, under this policy and, where given, these effect classes. */
async function conformanceOf(
  bodies: readonly (Body | Steps[number])[],
  policy: ExecutionPolicyInput | undefined = {},
  effects?: readonly Effect[],
) {
  let now = 0;
  const steps = bodies.map((body): Steps[number] => {
    if (!Array.isArray(body)) return [now, body as Body];
    now = (body as Steps[number])[0];
    return body as Steps[number];
  });
  const events: JournalEvent[] = eventsOf("run-1", [started, ...steps]);
  const { policy: recorded, policyDigest } = await openingOf(policy);
  if (effects !== undefined) {
    const plan = [...effects, "once", "once"].slice(0, 2);
    const bounds = { type: "journal.bounds", executionId: "run-1", planHash: PLAN_HASH, effects: plan } as const;
    events.splice(1, 0, { ...bounds, policy: recorded, policyDigest } as JournalEvent);
  }
  return (await chained(events, policy === undefined ? {} : { policy })).conformance;
}

async function openingOf(policy: ExecutionPolicyInput = {}) {
  const lines: string[] = [];
  await createJsonlJournal({ append: (line) => void lines.push(line) }, { policy }).append(
    eventsOf("x", [started])[0]!,
  );
  return (JSON.parse(lines[0]!) as JournalRecord).event as { policy: unknown; policyDigest: string };
}

const codes = ({ problems }: { problems: readonly { line: number; code: string }[] }) =>
  problems.map(({ line, code }) => `${line} ${code}`);

describe("verifyJournal, conformance", () => {
  const once = [begun(), intended(), dispatched()];

  it("passes an execution that keeps to its policy", async () => {
    const found = await conformanceOf([...once, finished("success"), ended("success", 1, { reason: "completed" })]);
    expect(found).toEqual({ verdict: "PASS", problems: [], problemCount: 0, unproven: [] });
  });

  it("cannot prove a dispatch without a policy on record", async () => {
    const lines: string[] = [];
    const journal = createJsonlJournal({ append: (line) => void lines.push(line) });
    const steps: Steps = [started, ...once.map((body) => [0, body] as const)];
    for (const event of eventsOf("run-1", steps)) await journal.append(event);
    const { conformance, ok } = await verifyJournal(lines);
    expect(ok).toBe(true);
    expect(conformance).toMatchObject({ verdict: "NOT PROVEN", unproven: [{ line: 5, code: "no_policy" }] });
    expect((await verifyJournal(lines, { policy: {} })).conformance.verdict).toBe("PASS");
    await journal.append(eventsOf("run-1", [...steps, [0, intended(1, 1)]]).at(-1)!);
    await journal.append(eventsOf("run-1", [...steps, started, [0, dispatched(1, 1)]]).at(-1)!);
    // Said once for an execution.
    expect((await verifyJournal(lines)).conformance.unproven).toHaveLength(1);
  });

  it("needs no policy where nothing was dispatched", async () => {
    expect((await conformanceOf([begun(), ended("denied", 0)], undefined)).verdict).toBe("PASS");
  });

  it("S3.4 finds one dispatch too many", async () => {
    const attempts = [0, 1, 2].flatMap((attemptNumber) => [
      intended(attemptNumber),
      dispatched(attemptNumber),
      finished("failed", { attemptNumber }),
    ]);
    const retry = { maxRetries: 1 };
    expect((await conformanceOf(attempts.slice(0, 6), { retry })).verdict).toBe("PASS");
    const found = await conformanceOf(attempts, { retry });
    expect(codes(found)).toEqual(["10 too_many_dispatches"]);
    expect(found.problems[0]!.message).toBe("attempt 2 of action 0 is dispatch 3 of 1 + 1");
  });

  it("S5.3 finds a dispatch of an action that the plan does not have", async () => {
    const policy = { onFailure: "continue" } as const;
    const beyond = [begun(2), intended(0, 2), dispatched(0, 2)];
    expect(codes(await conformanceOf(beyond, policy))).toEqual(["5 not_in_plan"]);
    expect(codes(await conformanceOf([begun(1), intended(0, 1), dispatched(0, 1)], policy))).toEqual([]);
  });

  it("S1.5 finds a dispatch of a HOLD", async () => {
    const hold: Body = { type: "action.started", actionIndex: 0, id: "a", action: "HOLD" };
    const meant = { ...intended(), action: "HOLD" } as Body;
    expect(codes(await conformanceOf([hold, meant, dispatched()]))).toEqual(["5 hold_dispatched"]);
  });

  it("finds times that are earlier than one before them, within an execution", async () => {
    const row = ended("success", 1, { reason: "completed" });
    const times = [
      [5, begun()],
      [5, intended()],
      [4, dispatched()],
      [4, finished("success")],
      [9, row],
    ] as const;
    expect(codes(await conformanceOf(times))).toEqual(["5 time_went_back", "6 time_went_back"]);
  });

  it("S8.2 takes an intent that was withdrawn for none", async () => {
    const withdrawn: Body = { type: "attempt.withdrawn", actionIndex: 0, attemptNumber: 0, reason: "kill_switch" };
    expect(codes(await conformanceOf([begun(), intended(), withdrawn, dispatched()]))).toEqual(["6 no_intent"]);
  });

  it("finds bounds that are of another plan, that come late, or that come twice", async () => {
    const { policy, policyDigest } = await openingOf();
    const start = eventsOf("run-1", [started, [0, begun()]]) as JournalEvent[];
    const bounds = (fields: object = {}) =>
      ({
        ...{ type: "journal.bounds", executionId: "run-1", planHash: PLAN_HASH, policy, policyDigest },
        ...{ effects: ["once", "once"], ...fields },
      }) as JournalEvent;
    const under = async (...events: JournalEvent[]) => codes((await chained(events)).conformance);
    expect(await under(start[0]!, bounds(), start[1]!)).toEqual([]);
    expect(await under(start[0]!, bounds({ effects: ["once"] }), start[1]!)).toEqual(["3 bounds_mismatch"]);
    expect(await under(start[0]!, bounds(), bounds(), start[1]!)).toEqual(["4 bounds_mismatch"]);
    expect(await under(start[0]!, start[1]!, bounds())).toEqual(["4 bounds_mismatch"]);
  });

  it("S8.2 finds a dispatch without its intent, or with that of another attempt", async () => {
    expect(codes(await conformanceOf([dispatched()]))).toEqual(["3 no_intent"]);
    expect(codes(await conformanceOf([intended(1), dispatched(0)]))).toEqual(["4 no_intent"]);
    expect(codes(await conformanceOf([intended(), dispatched(), finished("failed"), dispatched()]))).toEqual([
      "6 no_intent",
    ]);
  });

  it("S4.3 finds two attempts that overlap", async () => {
    expect(codes(await conformanceOf([...once, intended(1), dispatched(1)], { maxConcurrency: 2 }))).toEqual([
      "7 overlap",
    ]);
  });

  it("S4.3 finds an attempt after one that was given up and has not settled", async () => {
    const gaveUp = [...once, finished("unknown", { errorCode: "timeout" })];
    const again = [intended(1), dispatched(1)];
    const policy = { maxConcurrency: 2 };
    expect(codes(await conformanceOf([...gaveUp, ...again], policy, ["idempotent"]))).toEqual(["9 overlap"]);
    const settled: Body = { type: "attempt.settled_late", actionIndex: 0, attemptNumber: 0, status: "failed" };
    expect(codes(await conformanceOf([...gaveUp, settled, ...again], policy, ["idempotent"]))).toEqual([]);
    const late = [...once, finished("unknown", { errorCode: "timeout", late: true })];
    expect(codes(await conformanceOf([...late, ...again], policy, ["idempotent"]))).toEqual([]);
  });

  it("S4.3 takes an answer after the end of its attempt for what it is", async () => {
    const gaveUp = [...once, finished("unknown", { errorCode: "timeout" })];
    const answered = (status: "success" | "failed" | "unknown"): Body => {
      return { type: "attempt.settled_late", actionIndex: 0, attemptNumber: 0, status };
    };
    const again = [intended(1), dispatched(1)];
    const after = async (status: "success" | "failed" | "unknown", effect: Effect) =>
      codes(await conformanceOf([...gaveUp, answered(status), ...again], {}, [effect]));
    expect(await after("success", "idempotent")).toEqual(["10 repeated_after_success"]);
    expect(await after("failed", "once")).toEqual(["10 repeated_after_late"]);
    expect(await after("unknown", "once")).toEqual(["10 repeated_after_unknown"]);
    expect(await after("unknown", "idempotent")).toEqual([]);
    const row = ended("success", 1, { reason: "completed" });
    expect(codes(await conformanceOf([...gaveUp, answered("success"), row]))).toEqual([]);
    expect(codes(await conformanceOf([...gaveUp, ended("unknown", 1), answered("success")]))).toEqual([]);
  });

  it("S4.4 finds more dispatches in flight than there may be, those that were given up included", async () => {
    const other = [begun(1), intended(0, 1), dispatched(0, 1)];
    const policy = { onFailure: "continue" } as const;
    expect(codes(await conformanceOf([...once, ...other], policy))).toEqual(["8 concurrency_exceeded"]);
    expect((await conformanceOf([...once, ...other], { ...policy, maxConcurrency: 2 })).verdict).toBe("PASS");
    expect((await conformanceOf([...once, finished("failed"), ...other], policy)).verdict).toBe("PASS");
    const gaveUp = finished("unknown", { errorCode: "timeout" });
    expect(codes(await conformanceOf([...once, gaveUp, ...other], policy))).toEqual(["9 concurrency_exceeded"]);
  });

  it("S2.2 finds what was intended or dispatched after a halt", async () => {
    const halt: Body = { type: "halt.observed", cause: "kill_switch" };
    expect(codes(await conformanceOf([begun(), halt, intended(), dispatched()]))).toEqual([
      "5 after_halt",
      "6 after_halt",
    ]);
    expect(codes(await conformanceOf([...once, halt, finished("success")]))).toEqual([]);
  });

  it("S3.6 finds a dispatch at the deadline or after it, and none before", async () => {
    const policy = { timeout: { maxTotalTimeMs: 100 } };
    const at = (ms: number, limitMs: number) =>
      conformanceOf([intended(), [ms, dispatched(0, 0, limitMs)]], policy).then(codes);
    expect(await at(99, 1)).toEqual([]);
    expect(await at(100, 0)).toEqual(["4 after_deadline"]);
    expect(await at(250, 1)).toEqual(["4 after_deadline"]);
  });

  it("S4.2 finds an attempt with more time than it may have", async () => {
    const policy = { timeout: { attemptTimeoutMs: 50, maxTotalTimeMs: 100 } };
    const at = (ms: number, limitMs: number) =>
      conformanceOf([intended(), [ms, dispatched(0, 0, limitMs)]], policy).then(codes);
    expect(await at(10, 50)).toEqual([]);
    expect(await at(10, 51)).toEqual(["4 limit_exceeded"]);
    expect(await at(80, 20)).toEqual([]);
    expect(await at(80, 21)).toEqual(["4 limit_exceeded"]);
  });

  it("S3.1 finds another dispatch of what was applied", async () => {
    const again = [intended(1), dispatched(1)];
    expect(codes(await conformanceOf([...once, finished("success"), ...again]))).toEqual(["8 repeated_after_success"]);
    const asked: Body = { type: "reconcile.finished", actionIndex: 0, attemptNumber: 0, verdict: "applied" };
    expect(codes(await conformanceOf([...once, finished("unknown"), asked, ...again]))).toEqual([
      "9 repeated_after_success",
    ]);
  });

  describe("S3.1 what may follow an unknown outcome", () => {
    const again = [intended(1), dispatched(1)];
    const unknown = [...once, finished("unknown", { errorCode: "execution_exception" })];
    const asked = (whileRunning: boolean): Body => ({
      type: "reconcile.finished",
      actionIndex: 0,
      attemptNumber: 0,
      verdict: "not_applied",
      ...(whileRunning ? { whileRunning } : undefined),
    });

    it("is nothing for a once-only action", async () => {
      expect(codes(await conformanceOf([...unknown, ...again], {}, ["once"]))).toEqual(["9 repeated_after_unknown"]);
    });

    it("is another attempt where the effect class allows it", async () => {
      for (const effect of ["idempotent", "none"] as const) {
        expect((await conformanceOf([...unknown, ...again], {}, [effect])).verdict).toBe("PASS");
      }
    });

    it("is not proven where the effect class is not on record", async () => {
      expect(await conformanceOf([...unknown, ...again])).toMatchObject({
        verdict: "NOT PROVEN",
        unproven: [{ line: 8, code: "effect_unknown" }],
      });
    });

    it("is another attempt once reconcile has said that nothing was applied", async () => {
      expect((await conformanceOf([...unknown, asked(false), ...again], {}, ["once"])).verdict).toBe("PASS");
      const whileRunning = await conformanceOf([...unknown, asked(true), ...again], {}, ["once"]);
      expect(codes(whileRunning)).toEqual(["10 repeated_after_unknown"]);
    });

    it("is nothing after something that is no result, whatever the effect class", async () => {
      const invalid = [...once, finished("unknown", { errorCode: "invalid_result" })];
      expect(codes(await conformanceOf([...invalid, ...again], {}, ["none"]))).toEqual(["9 repeated_after_unknown"]);
    });

    it("S4.3 is nothing after a late answer to a once-only action, although it was not applied", async () => {
      const late = [...once, finished("failed", { late: true })];
      expect(codes(await conformanceOf([...late, ...again], {}, ["once"]))).toEqual(["9 repeated_after_late"]);
      expect((await conformanceOf([...late, ...again], {}, ["idempotent"])).verdict).toBe("PASS");
      expect((await conformanceOf([...late, ...again])).verdict).toBe("NOT PROVEN");
    });
  });

  it("S5.2 finds a dispatch after an action that did not succeed", async () => {
    const other = [begun(1), intended(0, 1), dispatched(0, 1)];
    for (const status of ["failed", "unknown", "denied"] as const) {
      const count = status === "denied" ? 0 : 1;
      const first = count === 0 ? [begun()] : [...once, finished(status === "failed" ? "failed" : "unknown")];
      const events = [...first, ended(status, count), ...other];
      expect(codes(await conformanceOf(events))).toEqual([`${events.length + 2} after_failure`]);
      expect((await conformanceOf(events, { onFailure: "continue" })).verdict).toBe("PASS");
    }
    expect((await conformanceOf([begun(), ended("skipped", 0), ...other])).verdict).toBe("PASS");
  });

  it("finds a dispatch after the end of its action, or of its execution", async () => {
    const end = [ended("success", 1, { reason: "completed" })];
    const again = [intended(1), dispatched(1)];
    expect(codes(await conformanceOf([...once, finished("success"), ...end, ...again]))).toEqual([
      "8 after_end",
      "9 after_end",
      "9 repeated_after_success",
    ]);
    const over: Body = {
      type: "execution.finished",
      status: "skipped",
      totalLatencyMs: 0,
      failClosed: false,
      planHash: PLAN_HASH,
    };
    expect(codes(await conformanceOf([over, ...again]))).toEqual(["4 after_end", "5 after_end"]);
  });

  it("S7.2 finds a dispatch without the claim of its key", async () => {
    const policy = { idempotency: { enabled: true } };
    const claimed: Body = { type: "key.claimed", actionIndex: 0, idempotencyKey: "k" };
    expect(codes(await conformanceOf(once, policy))).toEqual(["5 unclaimed"]);
    expect((await conformanceOf([begun(), claimed, intended(), dispatched()], policy)).verdict).toBe("PASS");
  });

  it("S6.1 finds more dispatches in a window than its limit, wherever the window is laid", async () => {
    const three = (...times: number[]) => [
      begun(),
      ...times.flatMap((ms, attemptNumber): Steps[number][] => [
        [ms, intended(attemptNumber)],
        [ms, dispatched(attemptNumber)],
        [ms, finished("failed", { attemptNumber })],
      ]),
    ];
    for (const rateLimit of [
      { global: { limit: 2, windowMs: 100 } },
      { perAction: { ACT: { limit: 2, windowMs: 100 } } },
    ]) {
      expect(codes(await conformanceOf(three(0, 60, 99), { rateLimit }))).toEqual(["11 rate_exceeded"]);
      expect(codes(await conformanceOf(three(50, 149, 149), { rateLimit }))).toEqual(["11 rate_exceeded"]);
      expect(codes(await conformanceOf(three(0, 60, 100), { rateLimit }))).toEqual([]);
    }
    const other = { perAction: { EXIT: { limit: 1, windowMs: 100 } } };
    expect(codes(await conformanceOf(three(0, 1, 2), { rateLimit: other }))).toEqual([]);
  });

  it("finds a row that says more than the attempts", async () => {
    const rowOf = async (attempts: readonly Body[], row: Body, effect?: Effect) =>
      codes(await conformanceOf([begun(), ...attempts, row], {}, effect && [effect])).map((code) => code.split(" ")[1]);
    const tried = (status: "success" | "failed" | "unknown") => [intended(), dispatched(), finished(status)];
    const success = ended("success", 1, { reason: "completed" });
    expect(await rowOf(tried("success"), success)).toEqual([]);
    expect(await rowOf(tried("failed"), success)).toEqual(["row_mismatch"]);
    expect(await rowOf(tried("unknown"), success)).toEqual(["row_mismatch"]);
    expect(await rowOf(tried("success"), ended("failed", 1))).toEqual(["row_mismatch"]);
    expect(await rowOf(tried("success"), ended("success", 2))).toEqual(["row_mismatch"]);
    expect(await rowOf(tried("success"), ended("success", 1, { reason: "replayed" }))).toEqual(["row_mismatch"]);
    expect(await rowOf([], ended("success", 0, { reason: "replayed" }))).toEqual([]);
    expect(await rowOf([], ended("success", 0, { reason: "completed" }))).toEqual(["row_mismatch"]);
    // S3.9: what stayed unknown is never told as failed, unless it only reads.
    expect(await rowOf(tried("unknown"), ended("failed", 1), "once")).toEqual(["row_mismatch"]);
    expect(await rowOf(tried("unknown"), ended("failed", 1), "none")).toEqual([]);
    expect(await rowOf(tried("unknown"), ended("unknown", 1), "once")).toEqual([]);
    const later = [...tried("unknown"), intended(1), dispatched(1), finished("failed", { attemptNumber: 1 })];
    expect(await rowOf(later, ended("failed", 2), "idempotent")).toEqual(["row_mismatch"]);
    expect((await conformanceOf([begun(), ...tried("unknown"), ended("failed", 1)])).verdict).toBe("NOT PROVEN");
  });

  it("holds every execution to the policy of its own record, and what comes after a restart to the new one", async () => {
    const lines: string[] = [];
    const sink = { append: (line: string) => void lines.push(line) };
    const clock = createVirtualClock();
    const run = (journal: ReturnType<typeof createJsonlJournal>, maxRetries: number, own: boolean) => {
      const decision: FinalDecisionInput = { action: "ACT" };
      const policy: ExecutionPolicyInput = { retry: { maxRetries } };
      const executor = createScriptedExecutor(() => rejects("busy"), { clock });
      const into = own ? journal.forExecution(decision, policy) : journal;
      return clock.run(() => execute(decision, {}, policy, executor, { clock, journal: into }));
    };
    const first = createJsonlJournal(sink, { policy: { retry: { maxRetries: 0 } } });
    await run(first, 0, false);
    await run(first, 2, true);
    const second = createJsonlJournal(sink, { head: first.head(), policy: { retry: { maxRetries: 1 } } });
    await run(second, 1, false);
    expect((await verifyJournal(lines, { head: second.head() })).conformance).toMatchObject({ verdict: "PASS" });
    await run(second, 2, false);
    expect((await verifyJournal(lines)).conformance.problems).toMatchObject([{ code: "too_many_dispatches" }]);
    expect((await verifyJournal(lines, { policy: { retry: { maxRetries: 2 } } })).conformance.problems).toMatchObject([
      { line: 1, code: "policy_mismatch" },
      { code: "policy_mismatch" },
    ]);
  });

  it("does not write the policy of the opening record again, and knows it by its digest", async () => {
    const boundsOf = async (policy: ExecutionPolicyInput) => {
      const lines: string[] = [];
      const clock = createVirtualClock();
      const journal = createJsonlJournal(
        { append: (line) => void lines.push(line) },
        { policy: { maxConcurrency: 2 } },
      );
      const decision: FinalDecisionInput = { action: "ACT" };
      const executor = createScriptedExecutor(() => rejects("busy"), { clock });
      const into = journal.forExecution(decision, policy);
      await clock.run(() => execute(decision, {}, policy, executor, { clock, journal: into }));
      expect((await verifyJournal(lines)).conformance.verdict).toBe("PASS");
      return (JSON.parse(lines[2]!) as JournalRecord).event;
    };
    expect(await boundsOf({ maxConcurrency: 2 })).not.toHaveProperty("policy");
    expect(await boundsOf({ maxConcurrency: 3 })).toHaveProperty("policy.maxConcurrency", 3);
  });

  it("S9 writes bounds only for the plan that is executed, and masks what the events mask", async () => {
    const lines: string[] = [];
    const redactor = createRedactor({ keys: ["executionId"] });
    const journal = createJsonlJournal({ append: (line) => void lines.push(line) }, { redactor });
    const decision: FinalDecisionInput = { action: "ACT" };
    const into = (of: FinalDecisionInput, policy: ExecutionPolicyInput) => journal.forExecution(of, policy);
    await execute(decision, {}, {}, () => ({ ok: true }), { journal: into(decision, {}), executionId: "s3cr3t" });
    expect(lines.filter((line) => line.includes("journal.bounds"))).toHaveLength(1);
    expect(lines.join()).not.toContain("s3cr3t");
    const invalid = { retry: { maxRetries: -1 } };
    await execute(decision, {}, {}, () => ({ ok: true }), { journal: into({ action: "EXIT" }, {}) });
    await execute(decision, {}, invalid, () => ({ ok: true }), { journal: into(decision, invalid) });
    await execute({} as never, {}, {}, () => ({ ok: true }), { journal: into({} as never, {}) });
    expect(lines.filter((line) => line.includes("journal.bounds"))).toHaveLength(1);
    expect((await verifyJournal(lines)).ok).toBe(true);
  });

  it("finds a policy on record that was changed, or is not the one that should have been", async () => {
    const lines: string[] = [];
    const journal = createJsonlJournal({ append: (line) => void lines.push(line) }, { policy: {} });
    for (const event of eventsOf("run-1", [started])) await journal.append(event);
    expect((await verifyJournal(lines, { policy: {} })).conformance.verdict).toBe("PASS");
    const other = await verifyJournal(lines, { policy: { retry: { maxRetries: 9 } } });
    expect(codes(other.conformance)).toEqual(["1 policy_mismatch"]);
    expect(other.ok).toBe(false);

    const { policy, policyDigest } = await openingOf();
    const bounds = {
      type: "journal.bounds",
      executionId: "run-1",
      planHash: PLAN_HASH,
      effects: ["once", "once"],
      policyDigest,
    };
    const changed = { ...(policy as object), maxConcurrency: 99 };
    const forged = (record: object) =>
      chained([...eventsOf("run-1", [started]), record as JournalEvent]).then(({ conformance }) => codes(conformance));
    expect(await forged({ ...bounds, policy })).toEqual([]);
    expect(await forged({ ...bounds, policy: changed })).toEqual(["3 policy_mismatch"]);
    expect(await forged({ ...bounds, policy, planHash: "00".repeat(32) })).toEqual(["3 bounds_mismatch"]);
    expect(await forged({ ...bounds, policy, executionId: "other" })).toEqual(["3 bounds_mismatch"]);
  });

  it("takes a digest without its policy for none, unless it is that of the opening record", async () => {
    const { policyDigest } = await openingOf({ maxConcurrency: 2 });
    const under = async (policy: ExecutionPolicyInput) => {
      const bounds = { type: "journal.bounds", executionId: "run-1", planHash: PLAN_HASH, effects: ["once", "once"] };
      const events = eventsOf("run-1", [started, ...once.map((body) => [0, body] as const)]) as JournalEvent[];
      events.splice(1, 0, { ...bounds, policyDigest } as never);
      return (await chained(events, { policy })).conformance;
    };
    expect((await under({ maxConcurrency: 2 })).verdict).toBe("PASS");
    expect(await under({ maxConcurrency: 3 })).toMatchObject({
      verdict: "NOT PROVEN",
      unproven: [{ code: "no_policy" }],
    });
  });

  it("takes a policy that it does not know for none", async () => {
    const { policy } = await openingOf();
    const unknown = { ...(policy as object), fromTheFuture: 1 };
    const bounds = { type: "journal.bounds", executionId: "run-1", planHash: PLAN_HASH, effects: ["once", "once"] };
    const events = eventsOf("run-1", [started, ...once.map((body) => [0, body] as const)]) as JournalEvent[];
    events.splice(1, 0, { ...bounds, policy: unknown, policyDigest: sha256Hex(canonicalJson(unknown)) } as never);
    expect((await chained(events, { policy: {} })).conformance).toMatchObject({
      verdict: "NOT PROVEN",
      problems: [],
      unproven: [{ code: "no_policy" }],
    });
  });

  it("keeps a key generator of the caller's own out of the journal, and is not disturbed by it", async () => {
    const policy = { idempotency: { keyGenerator: () => "k-1" } };
    expect((await openingOf(policy)).policy).toMatchObject({ idempotency: { keyGenerator: "custom" } });
    expect((await conformanceOf([...once, finished("success")], policy)).verdict).toBe("PASS");
  });

  it("does not throw for policies and bounds of any shape", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), async (policy, policyDigest, effects) => {
        const events = eventsOf("run-1", [started, ...once.map((body) => [0, body] as const)]) as JournalEvent[];
        const bounds = { type: "journal.bounds", executionId: "run-1", planHash: PLAN_HASH };
        events.splice(1, 0, { ...bounds, policy, policyDigest, effects } as never);
        const { conformance } = await chained(events);
        expect(conformance.verdict).not.toBe("PASS");
      }),
      { numRuns: 50 },
    );
  });

  it("Show 2: a journal with one dispatch too many, chained and numbered correctly, fails", async () => {
    const clock = createVirtualClock();
    const lines: string[] = [];
    const policy: ExecutionPolicyInput = { retry: { maxRetries: 1 } };
    const journal = createJsonlJournal({ append: (line) => void lines.push(line) }, { policy });
    const executor = createScriptedExecutor([rejects("busy"), succeeds()], { clock });
    await clock.run(() => execute({ action: "ACT" }, {}, policy, executor, { clock, journal }));
    expect((await verifyJournal(lines, { head: journal.head() })).conformance.verdict).toBe("PASS");

    const events = lines.slice(1).map((line) => (JSON.parse(line) as JournalRecord).event as ExecutionEvent);
    const from = events.findIndex(({ type }) => type === "attempt.finished") + 1;
    const attempt = events.slice(from - 3, from);
    const forged = [...events.slice(0, from), ...attempt, ...events.slice(from)].map((event, seq) => {
      const isLater = "attemptNumber" in event && seq >= from;
      const number = isLater && event.type !== "wait.started" && event.type !== "wait.finished" ? 1 : 0;
      const renumbered = isLater ? { attemptNumber: seq < from + 3 ? 1 : event.attemptNumber + number } : undefined;
      const counted = event.type === "action.finished" ? { attemptCount: 3 } : undefined;
      return { ...event, seq, ...renumbered, ...counted } as ExecutionEvent;
    });
    const verdict = await chained(forged, { policy });
    expect(verdict).toMatchObject({
      ok: false,
      integrity: { verdict: "PASS" },
      continuity: { verdict: "PASS" },
      pairing: { verdict: "PASS" },
      completeness: { verdict: "PASS" },
      conformance: { verdict: "FAIL", problems: [{ code: "too_many_dispatches" }] },
    });
    const { line } = verdict.conformance.problems[0]!;
    expect(forged[line - 2]).toMatchObject({ type: "attempt.started", attemptNumber: 2 });
  });

  const UNKNOWN = { ...ended("unknown", 1), reason: "execution_exception" } as Body;
  const closed = (fields: object): Body =>
    ({
      type: "execution.finished",
      status: "unknown",
      totalLatencyMs: 0,
      failClosed: true,
      planHash: PLAN_HASH,
      ...fields,
    }) as Body;
  it.each<[string, object, string | undefined]>([
    ["what its rows say", {}, undefined],
    ["how many were denied", { deniedCount: 0 }, undefined],
    ["success", { status: "success" }, "the execution ends success; its rows make it unknown"],
    ["nothing abnormal", { failClosed: false }, "the execution ends without failClosed, although something abnormal"],
    ["another count", { deniedCount: 7 }, "the execution ends with 7 denied, where 0 are"],
    ["another plan", { planHash: "0".repeat(64) }, "the execution ends with another plan than it began with"],
  ])("S10 holds the end of an execution to its rows: %s", async (_, fields, words) => {
    const row = [...once, finished("unknown", { errorCode: "execution_exception" }), UNKNOWN];
    const { problems } = await conformanceOf([...row, closed(fields)]);
    expect(problems).toMatchObject(words === undefined ? [] : [{ line: 8, code: "end_mismatch" }]);
    expect(problems[0]?.message ?? "").toContain(words ?? "");
  });

  it("S10 works out the status of the execution from those of its actions", async () => {
    const held = { ...ended("skipped", 0), reason: "hold" } as Body;
    const replayed = { ...ended("success", 0), reason: "replayed", replayed: true } as Body;
    const of = (status: "failed" | "denied" | "skipped") => ended(status, 0);
    for (const [rows, status] of [
      [[held, held], "skipped"],
      [[held, replayed], "success"],
      [[replayed, of("skipped")], "partial"],
      [[replayed, of("failed"), UNKNOWN], "unknown"],
      [[of("denied"), of("failed")], "failed"],
      [[of("skipped"), of("denied")], "denied"],
      [[], "skipped"],
      [[], "denied"],
    ] as const) {
      for (const said of ["success", "failed", "unknown", "denied", "skipped", "partial"]) {
        const { problems } = await conformanceOf([...rows, closed({ status: said })]);
        const isFound = problems.some(({ code, message }) => code === "end_mismatch" && message.includes("rows make"));
        const mayBe = rows.length === 0 ? ["skipped", "denied"] : [status];
        expect([rows.length, said, isFound]).toEqual([rows.length, said, !mayBe.includes(said)]);
      }
    }
    const refused = closed({ status: "denied", reason: "invalid_decision", deniedCount: 1, failClosed: false });
    expect(codes(await conformanceOf([refused]))).toEqual(["3 end_mismatch"]);
  });

  it.each<[string, readonly Body[], string]>([
    ["an intent", [begun(), { ...intended(), action: "EXIT" } as Body], "4 action_mismatch"],
    ["an attempt", [...once, { ...finished("success"), action: "EXIT" } as Body], "6 action_mismatch"],
    ["a row", [begun(), { ...ended("denied", 0), action: "EXIT" } as Body], "4 action_mismatch"],
  ])("finds %s that names another action than began", async (_, bodies, found) => {
    expect(codes(await conformanceOf(bodies))).toEqual([found]);
  });

  it("finds a row that was replayed and dispatched, and one by a reconcile that nobody was asked", async () => {
    const applied = ended("success", 1, { reason: "completed" });
    for (const lie of [{ replayed: true }, { reason: "reconciled", basis: "reconcile" }]) {
      const row = { ...applied, ...lie } as Body;
      expect(codes(await conformanceOf([...once, finished("success"), row]))).toEqual(["7 row_mismatch"]);
    }
  });

  it("has nothing against executions that do nothing, or end at once", async () => {
    const lines: string[] = [];
    const journal = createJsonlJournal({ append: (line) => void lines.push(line) }, { policy: {} });
    const act = { action: "ACT", id: "a" } as const;
    const decisions: unknown[] = [
      { action: "ACT", actions: [] },
      { action: "HOLD" },
      { action: "ACT", actions: [{ action: "HOLD" }, act] },
      { action: "ACT", allowed: false, actions: [act] },
      { action: "JUMP" },
      undefined,
    ];
    const policies: unknown[] = [{}, { retry: { maxRetries: -1 } }, { idempotency: { enabled: true } }];
    for (const decision of decisions)
      for (const policy of policies)
        for (const context of [{}, { kill_switch: true }, { killSwitch: true }, 5])
          for (const gates of [[], [() => ({ allow: false, code: "no" })], [() => Promise.reject(new Error("x"))]])
            for (const executor of [() => ({ ok: true }), () => ({ ok: false }), () => 5, undefined])
              await execute(decision as never, context as never, policy as never, executor as never, {
                journal,
                gates: gates as never,
                signal: gates.length === 0 && context === 5 ? AbortSignal.abort() : new AbortController().signal,
              });
    const { problems } = (await verifyJournal(lines, { head: journal.head() })).conformance;
    expect(problems).toEqual([]);
    expect(lines.filter((line) => line.includes('"execution.finished"')).length).toBeGreaterThan(500);
  });

  it("has nothing against what execute does, whatever happens", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1 }),
        fc.array(fc.constantFrom<Effect>("once", "idempotent", "none"), { minLength: 1, maxLength: 6 }),
        fc.record({
          retry: fc.record({
            maxRetries: fc.nat(4),
            initialBackoffMs: fc.constantFrom(0, 20, 400),
            jitter: fc.constantFrom("none", "full", "equal"),
          }),
          timeout: fc.record({
            attemptTimeoutMs: fc.constantFrom(0, 100, 500),
            maxTotalTimeMs: fc.constantFrom(0, 700, 5000),
            abortGraceMs: fc.constantFrom(0, 100),
          }),
          rateLimit: fc.constantFrom(
            {},
            { global: { limit: 2, windowMs: 150 } },
            { perAction: { ACT: { limit: 1, windowMs: 30 } } },
          ),
          idempotency: fc.record({ enabled: fc.boolean() }),
          maxConcurrency: fc.integer({ min: 1, max: 3 }),
          onFailure: fc.constantFrom("stop", "continue"),
          onHalt: fc.constantFrom("abort", "finish"),
          defaultEffect: fc.constantFrom("once", "none"),
        }),
        fc.option(fc.integer({ min: 0, max: 2000 })),
        fc.constantFrom("applied", "not_applied", "unknown", undefined),
        async (seed, effects, policy, haltAtMs, reconciles) => {
          const clock = createVirtualClock();
          const killSwitch = createManualKillSwitch();
          const lines: string[] = [];
          const journal = createJsonlJournal({ append: (line) => void lines.push(line) });
          const { execute: act } = createFlakyExecutor({
            seed,
            clock,
            lateMs: 800,
            rates: { rejects: 0.3, late: 0.2 },
          });
          if (haltAtMs !== null) clock.setTimer(() => killSwitch.halt(), haltAtMs);
          const decision: FinalDecisionInput = {
            action: "ACT",
            actions: effects.map((effect, index) => ({ action: index % 3 === 2 ? "EXIT" : "ACT", effect })),
          };
          const input = policy as ExecutionPolicyInput;
          const state = reconciles!;
          const executor = {
            execute: act,
            ...(state === undefined ? undefined : { reconcile: () => clock.sleep(30).then(() => ({ state })) }),
          };
          await clock.run(() =>
            execute(decision, {}, input, executor, {
              clock,
              journal: journal.forExecution(decision, input),
              killSwitch,
              idempotencyStore: createMemoryIdempotencyStore({ clock }),
              rateLimiter: createMemoryRateLimiter(),
            }),
          );
          await clock.run(() => clock.sleep(10_000));
          const verdict = await verifyJournal(lines, { head: journal.head(), policy: input });
          expect([verdict.conformance.problems, verdict.conformance.unproven, verdict.ok]).toEqual([[], [], true]);
        },
      ),
      { numRuns: 200 },
    );
  });
});

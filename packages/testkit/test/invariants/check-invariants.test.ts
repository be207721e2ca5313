import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  type ExecutionEvent,
  type ExecutionReport,
  execute,
  reportFromEvents,
  UnknownOutcomeError,
} from "@eoc/core";
import {
  aPlan,
  checkInvariants,
  createWorld,
  faulty,
  hangs,
  type InvariantId,
  type Recorded,
  rejects,
  succeeds,
  throws,
} from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { record } from "./support.js";

type Draft<T> = { -readonly [Key in keyof T]: T[Key] };
type AnyEvent = Draft<ExecutionEvent> & Record<string, unknown>;

/** A recorded execution to be tampered with: what production keeps of it, as JSON. */
interface Tampered extends Omit<Recorded, "events" | "report"> {
  events: AnyEvent[];
  report: Draft<ExecutionReport> & Record<string, unknown>;
}

const TWO = { action: "ACT" as const, actions: [{ action: "ACT" as const }, { action: "ACT" as const }] };

const bases = {
  /** Busy, then success; then the second action. */
  retried: () => record({ decision: TWO, steps: [rejects("busy", { afterMs: 5 }), succeeds(1, { afterMs: 5 })] }),
  /** Threw, then success, as idempotent actions may. */
  repeated: () =>
    record({
      decision: { action: "ACT", actions: [{ action: "ACT", effect: "idempotent" }] },
      steps: [throws(new TypeError("x"), { afterMs: 5 }), succeeds(1, { afterMs: 5 })],
    }),
  unknown: () => record({ decision: TWO, steps: [throws(new TypeError("x"), { applied: true })] }),
  /** Unknown with a code of the executor's own, then refused, as idempotent actions may be. */
  coded: () =>
    record({
      decision: { action: "ACT", actions: [{ action: "ACT", effect: "idempotent" }] },
      steps: [throws(new UnknownOutcomeError("http_503")), rejects("no", { retryable: false })],
    }),
  /** Unknown at first, then found not to have been applied, then refused. */
  cleared: () =>
    record({
      steps: [throws(new UnknownOutcomeError("http_503")), rejects("no", { retryable: false })],
      reconcile: () => ({ state: "not_applied" }),
    }),
  failed: () =>
    record({ decision: TWO, steps: [rejects("no", { retryable: false })], policy: { onFailure: "continue" } }),
  halted: () =>
    record({
      decision: TWO,
      steps: [rejects("busy")],
      options: ({ clock }) => {
        const killSwitch = createManualKillSwitch();
        clock.setTimer(() => killSwitch.halt(), 50);
        return { killSwitch };
      },
    }),
  haltedInFlight: () =>
    record({
      steps: [hangs()],
      options: ({ clock }) => {
        const killSwitch = createManualKillSwitch();
        clock.setTimer(() => killSwitch.halt(), 50);
        return { killSwitch };
      },
    }),
  keyed: () =>
    record({
      policy: { idempotency: { enabled: true } },
      steps: [succeeds(1)],
      options: ({ clock }) => ({ idempotencyStore: createMemoryIdempotencyStore({ clock }) }),
    }),
  rated: () =>
    record({
      decision: TWO,
      policy: { rateLimit: { perAction: { ACT: { limit: 1, windowMs: 100 } } } },
      steps: [succeeds(1)],
      options: () => ({ rateLimiter: createMemoryRateLimiter() }),
    }),
  /** The first never settles; the second starts when the first has been given up. */
  abandoned: () =>
    record({
      decision: TWO,
      policy: {
        maxConcurrency: 2,
        onFailure: "continue",
        rateLimit: { perAction: { ACT: { limit: 1, windowMs: 6000 } } },
      },
      steps: [hangs({ ignoresAbort: true }), succeeds(1)],
      options: () => ({ rateLimiter: createMemoryRateLimiter() }),
    }),
  parallel: () => record({ decision: TWO, policy: { maxConcurrency: 2 }, steps: [succeeds(1, { afterMs: 50 })] }),
} as const;

async function tampered(base: keyof typeof bases): Promise<Tampered> {
  const { events, report, plan, policy, world } = await bases[base]();
  return {
    ...(JSON.parse(JSON.stringify({ events, report })) as Pick<Tampered, "events" | "report">),
    plan,
    policy,
    ...(world && { world }),
  };
}

const at = (run: Tampered, type: ExecutionEvent["type"], nth = 0): AnyEvent =>
  run.events.filter((event) => event.type === type)[nth]!;

/** Numbers the events anew, and makes the report what they add up to. */
function refold(run: Tampered): void {
  run.events.forEach((event, seq) => {
    event.seq = seq;
  });
  run.report = JSON.parse(JSON.stringify(reportFromEvents(run.events as never))) as Tampered["report"];
}

function move(run: Tampered, event: AnyEvent, before: AnyEvent): void {
  run.events.splice(run.events.indexOf(event), 1);
  run.events.splice(run.events.indexOf(before), 0, event);
}

function insert(run: Tampered, event: Record<string, unknown>, before: AnyEvent): void {
  const { atMs, executionId } = before;
  run.events.splice(run.events.indexOf(before), 0, { seq: 0, atMs, executionId, ...event } as AnyEvent);
}

interface Case {
  what: string;
  base: keyof typeof bases;
  tamper: (run: Tampered) => void;
  finds: [InvariantId, clause: string, message: RegExp];
}

const cases: Case[] = [
  // INV-EXE-1
  {
    what: "a missing number",
    base: "retried",
    tamper: (run) => run.events.splice(3, 1),
    finds: ["INV-EXE-1", "S8.1", /the event in place 3 has the number 4/],
  },
  {
    what: "an event of another execution",
    base: "retried",
    tamper: (run) => Object.assign(run.events[2]!, { executionId: "other" }),
    finds: ["INV-EXE-1", "S8.1", /another execution/],
  },
  {
    what: "time that goes back",
    base: "retried",
    tamper: (run) => {
      at(run, "attempt.finished").atMs += 1;
    },
    finds: ["INV-EXE-1", "S4.7", /time goes back/],
  },
  {
    what: "a beginning that is not first",
    base: "retried",
    tamper: (run) => move(run, run.events[1]!, run.events[0]!),
    finds: ["INV-EXE-1", "S8.1", /the first event is action.started/],
  },
  {
    what: "an event after the end",
    base: "retried",
    tamper: (run) => move(run, at(run, "execution.finished"), at(run, "action.finished", 1)),
    finds: ["INV-EXE-1", "S8.1", /action.finished comes after execution.finished/],
  },
  {
    what: "a start without end",
    base: "retried",
    tamper: (run) => {
      run.events.splice(run.events.indexOf(at(run, "wait.finished")), 1);
      refold(run);
    },
    finds: ["INV-EXE-1", "S8.1", /wait.started has no wait.finished/],
  },
  {
    what: "an end without start",
    base: "retried",
    tamper: (run) => {
      run.events.splice(run.events.indexOf(at(run, "action.started")), 1);
      refold(run);
    },
    finds: ["INV-EXE-1", "S8.1", /action.finished without action.started/],
  },
  {
    what: "a start told twice",
    base: "retried",
    tamper: (run) => {
      insert(run, at(run, "attempt.started", 0), at(run, "attempt.started", 1));
      refold(run);
    },
    finds: ["INV-EXE-1", "S8.1", /attempt.started for the second time/],
  },
  {
    what: "the lack of an end",
    base: "retried",
    tamper: (run) => run.events.pop(),
    finds: ["INV-EXE-1", "S8.1", /no execution.finished/],
  },
  {
    what: "a missing row",
    base: "retried",
    tamper: (run) => run.report.actions.pop(),
    finds: ["INV-EXE-1", "S5.3", /2 actions, the report 1 rows/],
  },
  {
    what: "a row of another action",
    base: "retried",
    tamper: (run) => Object.assign(run.report.actions[1]!, { id: "other" }),
    finds: ["INV-EXE-1", "S5.3", /not that of the plan's action/],
  },
  {
    what: "another plan",
    base: "retried",
    tamper: (run) => Object.assign(run, { plan: aPlan({ actions: [{ action: "ACT", id: "x" }, { action: "ACT" }] }) }),
    finds: ["INV-EXE-1", "S5.3", /of another plan/],
  },
  {
    what: "counts that its rows do not make",
    base: "retried",
    tamper: (run) => Object.assign(run.report, { successCount: 1 }),
    finds: ["INV-EXE-1", "S10", /successCount is 1; rows and attempts make it 2/],
  },
  {
    what: "a row that counts otherwise than its attempts",
    base: "retried",
    tamper: (run) => Object.assign(run.report.actions[0]!, { attemptCount: 1 }),
    finds: ["INV-EXE-1", "S10", /the row counts 1 attempts, the report has 2/],
  },
  {
    what: "a status that the rows do not make",
    base: "unknown",
    tamper: (run) => Object.assign(run.report, { status: "success" }),
    finds: ["INV-EXE-1", "S10", /the status is success; the rows make it unknown/],
  },
  {
    what: "a report that differs from its events",
    base: "retried",
    tamper: (run) => Object.assign(run.report.attempts[0]!, { latencyMs: 6 }),
    finds: ["INV-EXE-1", "S8.1", /differs .* at \/attempts\/0\/latencyMs/],
  },
  {
    what: "less time than the events span",
    base: "retried",
    tamper: (run) => {
      Object.assign(at(run, "execution.finished"), { totalLatencyMs: 1 });
      refold(run);
    },
    finds: ["INV-EXE-1", "S10", /totalLatencyMs is 1, the events span 115 ms/],
  },
  // INV-EXE-2
  {
    what: "one dispatch too many",
    base: "retried",
    tamper: (run) => Object.assign(run, { policy: { retry: { maxRetries: 0 } } }),
    finds: ["INV-EXE-2", "S3.4", /dispatch 2 of the action; the policy allows 1/],
  },
  {
    what: "an attempt that overlaps the one before it",
    base: "retried",
    tamper: (run) => {
      move(run, at(run, "attempt.finished", 0), at(run, "attempt.finished", 1));
      refold(run);
    },
    finds: ["INV-EXE-2", "S4.3", /attempt 1 started before attempt 0 had ended/],
  },
  {
    what: "an attempt while the executor has not settled",
    base: "repeated",
    tamper: (run) => {
      insert(
        run,
        { type: "attempt.settled_late", actionIndex: 0, attemptNumber: 0, status: "success" },
        at(run, "attempt.finished", 1),
      );
      refold(run);
    },
    finds: ["INV-EXE-2", "S4.3", /attempt 1 started while the executor was still at attempt 0/],
  },
  {
    what: "a backoff cut short",
    base: "retried",
    tamper: (run) => Object.assign(run, { policy: { retry: { initialBackoffMs: 102 } } }),
    finds: ["INV-EXE-2", "S3.5", /retry 1 came 100 ms after .* at least 102 ms/],
  },
  {
    what: "more time than there is",
    base: "retried",
    tamper: (run) =>
      Object.assign(run, { policy: { timeout: { maxTotalTimeMs: 100, abortGraceMs: 10, portTimeoutMs: 4 } } }),
    finds: ["INV-EXE-2", "S4.1", /took 115 ms; its bound is 114 ms/],
  },
  {
    what: "a dispatch at the deadline",
    base: "retried",
    tamper: (run) => Object.assign(run, { policy: { timeout: { maxTotalTimeMs: 105 } } }),
    finds: ["INV-EXE-2", "S3.6", /a dispatch started 0 ms after the deadline/],
  },
  {
    what: "a pause beyond the deadline",
    base: "retried",
    tamper: (run) => Object.assign(run, { policy: { timeout: { maxTotalTimeMs: 104 } } }),
    finds: ["INV-EXE-2", "S3.6", /a backoff wait that goes beyond the deadline/],
  },
  {
    what: "another limit than the policy's",
    base: "retried",
    tamper: (run) => Object.assign(at(run, "attempt.started"), { limitMs: 4999 }),
    finds: ["INV-EXE-2", "S4.2", /limit of the attempt is 4999 ms and must be 5000 ms/],
  },
  {
    what: "an attempt that was waited for too long",
    base: "retried",
    tamper: (run) => Object.assign(run, { policy: { timeout: { attemptTimeoutMs: 3, abortGraceMs: 1 } } }),
    finds: ["INV-EXE-2", "S4.2", /waited for 5 ms; its bound is 4 ms/],
  },
  {
    what: "actions begun out of order",
    base: "retried",
    tamper: (run) => {
      at(run, "action.started", 0)["actionIndex"] = 1;
      at(run, "action.started", 1)["actionIndex"] = 0;
    },
    finds: ["INV-EXE-2", "S5.1", /action 0 was begun after action 1/],
  },
  {
    what: "more at once than allowed",
    base: "parallel",
    tamper: (run) => Object.assign(run, { policy: { maxConcurrency: 1 } }),
    finds: ["INV-EXE-2", "S4.4", /2 dispatches were in flight; maxConcurrency is 1/],
  },
  {
    what: "more at once than allowed, because one had been given up and never settled",
    base: "abandoned",
    tamper: (run) => Object.assign(run, { policy: { ...run.policy, maxConcurrency: 1 } }),
    finds: ["INV-EXE-2", "S4.4", /2 dispatches were in flight; maxConcurrency is 1/],
  },
  {
    what: "more at once than allowed, because one had been given up and not settled",
    base: "retried",
    tamper: (run) => {
      insert(
        run,
        { type: "attempt.settled_late", actionIndex: 0, attemptNumber: 1, status: "unknown" },
        at(run, "execution.finished"),
      );
      refold(run);
    },
    finds: ["INV-EXE-2", "S4.4", /2 dispatches were in flight/],
  },
  {
    what: "a dispatch after a failure",
    base: "failed",
    tamper: (run) => Object.assign(run, { policy: { onFailure: "stop" } }),
    finds: ["INV-EXE-2", "S5.2", /dispatched after another action had ended without success/],
  },
  {
    what: "an action stopped by another that must not stop it",
    base: "unknown",
    tamper: (run) => Object.assign(run, { policy: { onFailure: "continue" } }),
    finds: ["INV-EXE-2", "S5.2", /stopped by another action/],
  },
  {
    what: "HOLD dispatched",
    base: "retried",
    tamper: (run) => Object.assign(run, { plan: aPlan({ actions: [{ action: "HOLD" }, { action: "ACT" }] }) }),
    finds: ["INV-EXE-2", "S1.5", /HOLD was dispatched/],
  },
  // INV-EXE-3
  {
    what: "a once-only action repeated after an unknown outcome",
    base: "repeated",
    tamper: (run) => Object.assign(run, { plan: aPlan({ actions: [{ action: "ACT", effect: "once" }] }) }),
    finds: ["INV-EXE-3", "S3.2", /the outcome of attempt 0 is not known/],
  },
  {
    what: "a once-only action repeated after a late no",
    base: "retried",
    tamper: (run) => {
      Object.assign(at(run, "attempt.finished"), { late: true });
      refold(run);
    },
    finds: ["INV-EXE-3", "S4.3", /dispatched again after the late answer/],
  },
  {
    what: "a repetition on the word of a reconcile that was asked while the executor ran",
    base: "repeated",
    tamper: (run) => {
      Object.assign(run, { plan: aPlan({ actions: [{ action: "ACT", effect: "once" }] }) });
      insert(
        run,
        { type: "reconcile.finished", actionIndex: 0, attemptNumber: 0, verdict: "not_applied", whileRunning: true },
        at(run, "wait.started"),
      );
      refold(run);
    },
    finds: ["INV-EXE-3", "S3.2", /not known/],
  },
  {
    what: "a repetition on the word of a reconcile about an earlier execution",
    base: "repeated",
    tamper: (run) => {
      Object.assign(run, { plan: aPlan({ actions: [{ action: "ACT", effect: "once" }] }) });
      const before = at(run, "attempt.intended");
      insert(run, { type: "reconcile.started", actionIndex: 0, attemptNumber: 0 }, before);
      insert(run, { type: "reconcile.finished", actionIndex: 0, attemptNumber: 0, verdict: "not_applied" }, before);
      refold(run);
    },
    finds: ["INV-EXE-3", "S3.2", /the outcome of attempt 0 is not known/],
  },
  {
    what: "a repetition after reconcile had found it applied",
    base: "repeated",
    tamper: (run) => {
      insert(
        run,
        { type: "reconcile.finished", actionIndex: 0, attemptNumber: 0, verdict: "applied" },
        at(run, "wait.started"),
      );
      refold(run);
    },
    finds: ["INV-EXE-3", "S3.3", /reconcile had found attempt 0 applied/],
  },
  {
    what: "a repetition after success",
    base: "retried",
    tamper: (run) => {
      at(run, "attempt.finished")["status"] = "success";
      refold(run);
    },
    finds: ["INV-EXE-3", "S3.1", /although attempt 0 had succeeded/],
  },
  {
    what: "a repetition after an invalid answer",
    base: "repeated",
    tamper: (run) => {
      at(run, "attempt.finished")["errorCode"] = "invalid_result";
      refold(run);
    },
    finds: ["INV-EXE-3", "S3.1", /after attempt 0 ended invalid_result/],
  },
  {
    what: "a dispatch without intent",
    base: "retried",
    tamper: (run) => {
      run.events.splice(run.events.indexOf(at(run, "attempt.intended")), 1);
      refold(run);
    },
    finds: ["INV-EXE-3", "S8.2", /attempt 0 was dispatched without an intent/],
  },
  {
    what: "an intent that comes after the dispatch",
    base: "retried",
    tamper: (run) => {
      move(run, at(run, "attempt.started"), at(run, "attempt.intended"));
      refold(run);
    },
    finds: ["INV-EXE-3", "S8.2", /without an intent before it/],
  },
  {
    what: "a dispatch on an intent that was withdrawn",
    base: "retried",
    tamper: (run) => {
      insert(
        run,
        { type: "attempt.withdrawn", actionIndex: 0, attemptNumber: 0, reason: "kill_switch" },
        at(run, "attempt.started"),
      );
      refold(run);
    },
    finds: ["INV-EXE-3", "S8.2", /an intent that had been withdrawn/],
  },
  {
    what: "success claimed of an unknown outcome",
    base: "unknown",
    tamper: (run) => Object.assign(run.report.actions[0]!, { status: "success", reason: "completed" }),
    finds: ["INV-EXE-3", "S3.1", /completed, but its last attempt did not succeed/],
  },
  {
    what: "failed claimed of an unknown outcome",
    base: "unknown",
    tamper: (run) => Object.assign(run.report.actions[0]!, { status: "failed" }),
    finds: ["INV-EXE-3", "S3.9", /says failed and must say unknown/],
  },
  {
    what: "unknown claimed of a known outcome",
    base: "failed",
    tamper: (run) => Object.assign(run.report.actions[0]!, { status: "unknown" }),
    finds: ["INV-EXE-3", "S3.9", /says unknown, but every outcome is known/],
  },
  {
    what: "a status that its reason does not give",
    base: "failed",
    tamper: (run) => Object.assign(run.report.actions[0]!, { status: "success" }),
    finds: ["INV-EXE-3", "S3.8", /status success with the reason rejected/],
  },
  {
    what: "denied claimed of a skipped action",
    base: "unknown",
    tamper: (run) => Object.assign(run.report.actions[1]!, { status: "denied" }),
    finds: ["INV-EXE-3", "S3.10", /says denied and must say skipped/],
  },
  {
    what: "an attempt that succeeded in an action that did not",
    base: "failed",
    tamper: (run) => Object.assign(run.report.attempts[0]!, { status: "success" }),
    finds: ["INV-EXE-3", "S3.1", /an attempt succeeded, the row says failed/],
  },
  {
    what: "out of retries too soon",
    base: "failed",
    tamper: (run) => Object.assign(run.report.actions[0]!, { reason: "retries_exhausted" }),
    finds: ["INV-EXE-3", "S3.4", /out of retries after 1 dispatches of 4/],
  },
  {
    what: "an abnormal end that is not marked",
    base: "unknown",
    tamper: (run) => Object.assign(run.report, { failClosed: false }),
    finds: ["INV-EXE-3", "S10", /something abnormal happened/],
  },
  {
    what: "an abnormal end with a code of its own that is not marked",
    base: "coded",
    tamper: (run) => Object.assign(run.report, { failClosed: false }),
    finds: ["INV-EXE-3", "S10", /something abnormal happened/],
  },
  {
    what: "a normal end that is marked",
    base: "failed",
    tamper: (run) => Object.assign(run.report, { failClosed: true }),
    finds: ["INV-EXE-3", "S10", /nothing abnormal happened/],
  },
  {
    what: "a dispatch without claim",
    base: "keyed",
    tamper: (run) => {
      run.events.splice(run.events.indexOf(at(run, "key.claimed")), 1);
      refold(run);
    },
    finds: ["INV-EXE-3", "S7.2", /without having claimed its key/],
  },
  {
    what: "an attempt under another key",
    base: "keyed",
    tamper: (run) => Object.assign(run.report.attempts[0]!, { idempotencyKey: "other" }),
    finds: ["INV-EXE-3", "S7.1", /attempt 0 has another key/],
  },
  {
    what: "another key than the action's own",
    base: "keyed",
    tamper: (run) => Object.assign(run, { plan: aPlan({ actions: [{ action: "ACT", idempotency_key: "own" }] }) }),
    finds: ["INV-EXE-3", "S7.1", /own key was not used/],
  },
  {
    what: "a key left claimed",
    base: "keyed",
    tamper: (run) => {
      run.events.splice(run.events.indexOf(at(run, "key.completed")), 1);
      refold(run);
    },
    finds: ["INV-EXE-3", "S7.4", /its key was left claimed/],
  },
  {
    what: "a key released after success",
    base: "keyed",
    tamper: (run) => {
      at(run, "key.completed")["type"] = "key.released";
      refold(run);
    },
    finds: ["INV-EXE-3", "S7.4", /key.released with the status success/],
  },
  {
    what: "a lost write that the row does not tell",
    base: "keyed",
    tamper: (run) => {
      at(run, "key.completed")["recorded"] = false;
      refold(run);
    },
    finds: ["INV-EXE-3", "S7.6", /the key was not written/],
  },
  {
    what: "a replay that was dispatched",
    base: "keyed",
    tamper: (run) => Object.assign(run.report.actions[0]!, { reason: "replayed", replayed: true }),
    finds: ["INV-EXE-3", "S7.2", /replayed, and dispatched all the same/],
  },
  {
    what: "a replay that is not called one",
    base: "keyed",
    tamper: (run) => Object.assign(run.report.actions[0]!, { replayed: true }),
    finds: ["INV-EXE-3", "S7.2", /replayed is true with the reason completed/],
  },
  // INV-EXE-4
  {
    what: "a dispatch after a halt",
    base: "retried",
    tamper: (run) => {
      insert(run, { type: "halt.observed", cause: "kill_switch" }, at(run, "attempt.intended", 1));
      refold(run);
    },
    finds: ["INV-EXE-4", "S2.2", /after a halt had been observed \(kill_switch\)/],
  },
  {
    what: "a wait that goes on after a halt",
    base: "retried",
    tamper: (run) => {
      insert(run, { type: "halt.observed", cause: "kill_switch" }, at(run, "wait.finished"));
      at(run, "halt.observed").atMs = at(run, "wait.started").atMs + 10;
      refold(run);
    },
    finds: ["INV-EXE-4", "S2.4", /a backoff wait went on for 90 ms after a halt/],
  },
  {
    what: "a wait that begins after a halt",
    base: "retried",
    tamper: (run) => {
      insert(run, { type: "halt.observed", cause: "cancelled" }, at(run, "wait.started"));
      refold(run);
    },
    finds: ["INV-EXE-4", "S2.4", /a backoff wait began after a halt/],
  },
  {
    what: "an attempt in flight that goes on after a halt",
    base: "haltedInFlight",
    tamper: (run) => {
      for (const event of run.events) if (event.seq > at(run, "halt.observed").seq) event.atMs += 101;
      refold(run);
    },
    finds: ["INV-EXE-4", "S2.4", /went on for 101 ms after a halt; the grace is 100 ms/],
  },
  {
    what: "a halt without its latency",
    base: "halted",
    tamper: (run) => {
      delete run.report.haltLatencyMs;
    },
    finds: ["INV-EXE-4", "S2.4", /a halt without haltLatencyMs/],
  },
  {
    what: "a latency without a halt",
    base: "retried",
    tamper: (run) => Object.assign(run.report, { haltLatencyMs: 3 }),
    finds: ["INV-EXE-4", "S2.4", /haltLatencyMs without a halt/],
  },
  {
    what: "a skip after a halt",
    base: "halted",
    tamper: (run) => {
      Object.assign(at(run, "action.finished", 1), { status: "skipped", reason: "prior_action_failed" });
      refold(run);
    },
    finds: ["INV-EXE-4", "S2.4", /skipped after a halt in place of denied/],
  },
  {
    what: "a replay after a halt",
    base: "halted",
    tamper: (run) => {
      Object.assign(at(run, "action.finished", 1), { replayed: true });
      refold(run);
    },
    finds: ["INV-EXE-4", "S5.5", /a halted execution replayed a result/],
  },
  {
    what: "dispatches although the context forbids everything",
    base: "failed",
    tamper: (run) => Object.assign(run.report, { reason: "kill_switch" }),
    finds: ["INV-EXE-4", "S2.1", /the context forbids everything, and there were 2 dispatches/],
  },
  // INV-EXE-5
  {
    what: "a message in an event",
    base: "retried",
    tamper: (run) => Object.assign(at(run, "attempt.finished"), { message: "no route to db-7" }),
    finds: ["INV-EXE-5", "S9.1", /attempt.finished has the unexpected field "message"/],
  },
  {
    what: "a code that is a sentence",
    base: "retried",
    tamper: (run) => {
      at(run, "attempt.finished")["errorCode"] = "No route to db-7";
      refold(run);
    },
    finds: ["INV-EXE-5", "S9.1", /attempt.finished has a `errorCode` that is not a code/],
  },
  {
    what: "a class name that is a sentence",
    base: "unknown",
    tamper: (run) => {
      at(run, "attempt.finished")["errorType"] = "Error: no route";
      refold(run);
    },
    finds: ["INV-EXE-5", "S9.1", /an attempt in the report has a `errorType` that is not a class name/],
  },
  {
    what: "a reason that is none of the list",
    base: "retried",
    tamper: (run) => Object.assign(run.report.actions[0]!, { reason: "fine" }),
    finds: ["INV-EXE-5", "S9.1", /the row has a `reason` that is not a terminal reason/],
  },
  {
    what: "the executor's value in a row",
    base: "retried",
    tamper: (run) => Object.assign(run.report.actions[0]!, { value: "iban" }),
    finds: ["INV-EXE-5", "S9.2", /unexpected field "value"/],
  },
  {
    what: "more in the report than it has to say",
    base: "retried",
    tamper: (run) => Object.assign(run.report, { stack: "at x" }),
    finds: ["INV-EXE-5", "S9.1", /the report has the unexpected field "stack"/],
  },
  {
    what: "something in an issue that does not belong there",
    base: "retried",
    tamper: (run) => Object.assign(run.report, { issues: [{ path: "a", expected: "b", value: 7 }] }),
    finds: ["INV-EXE-5", "S9.1", /`issues` that is not a list of issues/],
  },
  {
    what: "a declared secret",
    base: "retried",
    tamper: (run) => {
      for (const event of run.events) if ("id" in event && event.actionIndex === 0) event["id"] = 'a "7"';
      Object.assign(run, { secrets: ["other", '"7"'] });
    },
    finds: ["INV-EXE-5", "S9.1", /action.started contains the declared secret 1/],
  },
  {
    what: "something that is no event",
    base: "retried",
    tamper: (run) => run.events.push("garbage" as never),
    finds: ["INV-EXE-5", "S8.1", /not an event of the closed union/],
  },
  {
    what: "an event that lacks a field",
    base: "retried",
    tamper: (run) => {
      delete at(run, "wait.started")["cause"];
    },
    finds: ["INV-EXE-5", "S9.1", /wait.started has no `cause`/],
  },
  // INV-EXE-6
  {
    what: "two starts in a window for one",
    base: "rated",
    tamper: (run) => Object.assign(run, { policy: { rateLimit: { perAction: { ACT: { limit: 1, windowMs: 101 } } } } }),
    finds: ["INV-EXE-6", "S6.1", /2 dispatches started within 100 ms; the limit of ACT is 1 in 101 ms/],
  },
  {
    what: "retries over the global limit",
    base: "retried",
    tamper: (run) => Object.assign(run, { policy: { rateLimit: { global: { limit: 2, windowMs: 1000 } } } }),
    finds: ["INV-EXE-6", "S6.1", /3 dispatches started within 110 ms; the limit of global is 2/],
  },
  // The world.
  {
    what: "a once-only effect that happened twice",
    base: "unknown",
    tamper: ({ world }) => (world as ReturnType<typeof createWorld>).apply("action-0"),
    finds: ["INV-EXE-3", "S3.2", /a once-only action happened 2 times/],
  },
  {
    what: "success without effect",
    base: "retried",
    tamper: (run) => Object.assign(run, { world: createWorld() }),
    finds: ["INV-EXE-3", "S3.1", /says success, and nothing happened/],
  },
  {
    what: "failed, with its effect",
    base: "failed",
    tamper: ({ world }) => (world as ReturnType<typeof createWorld>).apply("action-0"),
    finds: ["INV-EXE-3", "S3.1", /says failed, and its effect happened once/],
  },
  {
    what: "an effect without dispatch",
    base: "unknown",
    tamper: ({ world }) => (world as ReturnType<typeof createWorld>).apply("action-1"),
    finds: ["INV-EXE-3", "S3.10", /never dispatched, and its effect happened once/],
  },
  {
    what: "more effects than dispatches",
    base: "repeated",
    tamper: ({ world }) => {
      (world as ReturnType<typeof createWorld>).apply("action-0");
      (world as ReturnType<typeof createWorld>).apply("action-0");
    },
    finds: ["INV-EXE-3", "S3.4", /2 dispatches, and the effect happened 3 times/],
  },
];

describe("checkInvariants", () => {
  for (const name of Object.keys(bases) as (keyof typeof bases)[]) {
    it(`finds nothing in an honest record (${name}), as it is and as JSON`, async () => {
      expect(checkInvariants(await bases[name]())).toEqual([]);
      expect(checkInvariants((await tampered(name)) as Recorded)).toEqual([]);
    });
  }

  for (const { what, base, tamper, finds } of cases) {
    it(`${finds[1]} finds ${what}`, async () => {
      const run = await tampered(base);
      tamper(run);
      const [invariant, clause, message] = finds;
      expect(checkInvariants(run as Recorded)).toContainEqual(
        expect.objectContaining({ invariant, clause, message: expect.stringMatching(message) }),
      );
    });
  }

  it("says at which event and action", async () => {
    const run = await tampered("retried");
    Object.assign(run, { policy: { retry: { maxRetries: 0 } } });
    expect(checkInvariants(run as Recorded)).toEqual([
      {
        invariant: "INV-EXE-2",
        clause: "S3.4",
        message: "dispatch 2 of the action; the policy allows 1 (1 + maxRetries)",
        seq: 8,
        actionIndex: 0,
      },
    ]);
  });

  it("never repeats what it found in the wrong place", async () => {
    const run = await tampered("retried");
    Object.assign(run.report, { stack: "s3cr3t" });
    at(run, "attempt.finished")["errorCode"] = "S3CR3T";
    Object.assign(run, { secrets: ["s3cr3t"] });
    const violations = checkInvariants(run as Recorded);
    expect(violations.length).toBeGreaterThan(0);
    expect(JSON.stringify(violations).toLowerCase()).not.toContain("s3cr3t");
  });

  it("allows real timers to be as late as it is told", async () => {
    const run = await tampered("retried");
    const policy = { timeout: { attemptTimeoutMs: 3, abortGraceMs: 1 } };
    const limits = { ...run, policy } as Recorded;
    for (const event of run.events) if (event.type === "attempt.started") event["limitMs"] = 3;
    expect(checkInvariants(limits).map(({ clause }) => clause)).toEqual(["S4.2", "S4.2", "S4.2"]);
    expect(checkInvariants({ ...limits, slackMs: 1 })).toEqual([]);
  });

  it("leaves reads, and effects of other actions alone", async () => {
    const world = createWorld();
    world.apply("somebody else's");
    expect(checkInvariants(await record({ steps: [succeeds()], world }))).toEqual([]);
    const read = [{ action: "ACT" as const, effect: "none" as const }];
    expect(
      checkInvariants(
        await record({ decision: { action: "ACT", actions: read }, steps: [succeeds(1, { applies: false })] }),
      ),
    ).toEqual([]);
  });

  it("takes records that were parsed from JSON, which has no plan hash, and still tells another plan", async () => {
    const decision = {
      action: "ACT" as const,
      actions: [{ action: "ACT" as const, id: "refund", params: { b: 1, a: 2 } }],
    };
    const { clock: _, world: __, ...run } = await record({ decision, steps: [succeeds()] });
    const parsed = JSON.parse(JSON.stringify(run)) as Recorded;
    expect(parsed.plan.planHash).toBeUndefined();
    expect(checkInvariants(parsed)).toEqual([]);
    const [action] = parsed.plan.actions;
    const other = { actions: [{ ...action, params: { a: 3 } }] };
    expect(checkInvariants({ ...parsed, plan: other as never }).map(({ message }) => message)).toEqual([
      "the report is of another plan",
    ]);
  });

  for (const [what, decision, policy] of [
    ["decision", { action: "BUY" }, {}],
    ["policy", { action: "ACT" }, { maxConcurrency: 0 }],
  ] as const) {
    it(`S1.2 accepts the report of an execution whose ${what} was refused`, async () => {
      const events: ExecutionEvent[] = [];
      const onEvent = (event: ExecutionEvent) => void events.push(event);
      const report = await execute(decision as never, {}, policy, () => ({ ok: true }), { onEvent });
      expect(checkInvariants({ plan: aPlan(), policy, events, report })).toEqual([]);
    });
  }

  it("S7.2 accepts a replay, whose effect happened in another execution", async () => {
    const store: { kept?: ReturnType<typeof createMemoryIdempotencyStore> } = {};
    const twice = () =>
      record({
        policy: { idempotency: { enabled: true } },
        steps: [succeeds()],
        options: ({ clock }) => {
          store.kept ??= createMemoryIdempotencyStore({ clock });
          return { idempotencyStore: store.kept };
        },
      });
    await twice();
    const replay = await twice();
    expect(replay.report.replayedCount).toBe(1);
    expect(checkInvariants(replay)).toEqual([]);
  });

  it("S2.4 accepts an action that was skipped before the halt, and whose key took until after it", async () => {
    const recorded = await record({
      decision: TWO,
      policy: {
        maxConcurrency: 2,
        idempotency: { enabled: true },
        rateLimit: { global: { limit: 1, windowMs: 1000 } },
      },
      steps: [rejects("no", { afterMs: 10, retryable: false })],
      options: ({ clock }) => {
        const killSwitch = createManualKillSwitch();
        clock.setTimer(() => killSwitch.halt(), 30);
        const store = createMemoryIdempotencyStore({ clock });
        const idempotencyStore = faulty(store, { release: () => ({ replyMs: 50 }) }, { clock });
        return { killSwitch, idempotencyStore, rateLimiter: createMemoryRateLimiter() };
      },
    });
    expect(recorded.report.actions[1]).toMatchObject({ status: "skipped", reason: "prior_action_failed" });
    expect(recorded.events.map(({ type }) => type)).toContain("halt.observed");
    expect(checkInvariants(recorded)).toEqual([]);
  });

  it("S2.1 accepts the report of an execution that the context forbade, whatever the policy", async () => {
    const recorded = await record({
      steps: [succeeds()],
      context: { ops_state: "RED" },
      policy: { defaultEffect: "none" },
    });
    expect(checkInvariants(recorded)).toEqual([]);
  });

  it("does not stumble over garbage", () => {
    const report = { actions: "none" } as never;
    expect(checkInvariants({ plan: aPlan(), policy: {}, events: [null, 7, {}] as never, report })).toHaveLength(4);
  });
});

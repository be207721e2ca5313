import {
  createManualKillSwitch,
  createMemoryRateLimiter,
  type ExecutionEvent,
  type ExecutionPolicyInput,
  execute,
  type FinalDecisionInput,
} from "@eoc/core";
import { canonicalJson } from "@eoc/decision-schema";
import {
  createScriptedExecutor,
  createVirtualClock,
  hangs,
  rejects,
  type ScriptedStep,
  succeeds,
  throws,
} from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import {
  createJsonlJournal,
  type JournalEvent,
  type JournalRecord,
  type JournalVerdict,
  verifyJournal,
} from "../src/index.js";
import { sealRecord } from "../src/journal-record.js";

/*
 * Journals of real executions to which somebody who knows the format has added what must not happen: events numbered anew, counts put
 * right, everything chained anew. Nothing but conformance can tell.
 */

interface Kept {
  policy: ExecutionPolicyInput;
  events: JournalEvent[];
}

async function keep(
  actions: FinalDecisionInput["actions"],
  steps: readonly ScriptedStep[],
  policy: ExecutionPolicyInput = {},
  haltAtMs?: number,
): Promise<Kept> {
  const clock = createVirtualClock();
  const killSwitch = createManualKillSwitch();
  const lines: string[] = [];
  const journal = createJsonlJournal({ append: (line) => void lines.push(line) }, { policy });
  const decision: FinalDecisionInput = { action: "ACT", actions };
  if (haltAtMs !== undefined) clock.setTimer(() => killSwitch.halt("enough"), haltAtMs);
  const executor = createScriptedExecutor(steps, { clock });
  const rateLimiter = createMemoryRateLimiter();
  const into = journal.forExecution(decision, policy);
  await clock.run(() => execute(decision, {}, policy, executor, { clock, killSwitch, rateLimiter, journal: into }));
  const honest = await verifyJournal(lines, { head: journal.head(), policy });
  expect([honest.pairing.verdict, honest.conformance.verdict, honest.completeness.verdict]).toEqual([
    "PASS",
    "PASS",
    "PASS",
  ]);
  return { policy, events: lines.map((line) => (JSON.parse(line) as JournalRecord).event) };
}

/** Numbers, counts and chains anew; whoever checks it has the policy and the head. */
async function forge({ policy }: Kept, events: readonly JournalEvent[]): Promise<JournalVerdict> {
  const dispatches = (index: number) =>
    events.filter((event) => event.type === "attempt.started" && event.actionIndex === index).length;
  let seq = 0;
  let head = { seq: -1, hash: "0".repeat(64) };
  const lines = events.map((event) => {
    const numbered = event.type.startsWith("journal.") ? event : { ...event, seq: seq++ };
    const counted =
      numbered.type === "action.finished" ? { ...numbered, attemptCount: dispatches(numbered.actionIndex) } : numbered;
    const sealed = sealRecord(head, canonicalJson(counted));
    head = sealed.head;
    return sealed.line;
  });
  const verdict = await verifyJournal(lines, { head, policy });
  expect([
    verdict.integrity.verdict,
    verdict.continuity.verdict,
    verdict.pairing.problems,
    verdict.completeness.verdict,
  ]).toEqual(["PASS", "PASS", [], "PASS"]);
  expect(verdict.ok).toBe(verdict.conformance.verdict !== "FAIL");
  return verdict;
}

type Body = {
  [K in ExecutionEvent["type"]]: Omit<ExecutionEvent & { type: K }, "seq" | "atMs" | "executionId">;
}[ExecutionEvent["type"]];

/** An attempt as it would have been written at the time of the event before it. */
function anAttempt(
  before: JournalEvent,
  actionIndex: number,
  attemptNumber: number,
  { status = "failed", errorCode = "busy" }: { status?: "success" | "failed" | "unknown"; errorCode?: string } = {},
): ExecutionEvent[] {
  const { atMs, executionId } = before as ExecutionEvent;
  const stamped = (body: Body) => ({ seq: 0, atMs, executionId, ...body }) as ExecutionEvent;
  return [
    stamped({ type: "attempt.intended", actionIndex, attemptNumber, action: "ACT" }),
    stamped({ type: "attempt.started", actionIndex, attemptNumber, limitMs: 1 }),
    stamped({
      type: "attempt.finished",
      actionIndex,
      attemptNumber,
      action: "ACT",
      startedAtMs: atMs,
      latencyMs: 0,
      status,
      errorCode,
    }),
  ];
}

const placeOf = ({ events }: Kept, type: JournalEvent["type"], nth = 0): number => {
  const places = events.flatMap((event, index) => (event.type === type ? [index] : []));
  expect(places.length).toBeGreaterThan(nth);
  return places[nth]!;
};

const after = (kept: Kept, index: number, added: readonly JournalEvent[]) =>
  kept.events.toSpliced(index + 1, 0, ...added);

const found = ({ conformance }: JournalVerdict) => conformance.problems.map(({ line, code }) => `${line} ${code}`);

const two: FinalDecisionInput["actions"] = [
  { action: "ACT", id: "a" },
  { action: "ACT", id: "b" },
];

describe("Show 2: a journal that was forged and chained correctly fails conformance", () => {
  it("with one dispatch too many (S3.4)", async () => {
    const kept = await keep(two.slice(0, 1), [rejects("busy"), rejects("busy")], { retry: { maxRetries: 1 } });
    const last = placeOf(kept, "attempt.finished", 1);
    const verdict = await forge(kept, after(kept, last, anAttempt(kept.events[last]!, 0, 2)));
    expect(found(verdict)).toEqual([`${last + 3} too_many_dispatches`]);
  });

  it("with a dispatch after the halt (S2.2)", async () => {
    const kept = await keep(two, [rejects("busy"), succeeds()], { retry: { initialBackoffMs: 500 } }, 100);
    const halt = placeOf(kept, "halt.observed");
    const verdict = await forge(kept, after(kept, halt, anAttempt(kept.events[halt]!, 0, 1)));
    expect(found(verdict)).toEqual([`${halt + 2} after_halt`, `${halt + 3} after_halt`]);
  });

  it("with a dispatch over a rate limit (S6.1)", async () => {
    const rateLimit = { global: { limit: 2, windowMs: 1000 } };
    const policy: ExecutionPolicyInput = { rateLimit, retry: { initialBackoffMs: 10 } };
    const kept = await keep(two.slice(0, 1), [rejects("busy"), rejects("busy"), succeeds()], policy);
    const second = placeOf(kept, "attempt.finished", 1);
    // The dispatch that follows, a second later, gets another number.
    const renumbered = { ...kept, events: kept.events.map(later(second)) };
    const verdict = await forge(kept, after(renumbered, second, anAttempt(kept.events[second]!, 0, 2)));
    expect(found(verdict)).toContain(`${second + 3} rate_exceeded`);
  });

  it("with a dispatch over a rate limit that was given another time (S8.1)", async () => {
    const rateLimit = { global: { limit: 1, windowMs: 1000 } };
    const kept = await keep(two.slice(0, 1), [rejects("busy"), succeeds()], { rateLimit });
    const first = placeOf(kept, "attempt.finished");
    const [intended, started, finished] = anAttempt(kept.events[first]!, 0, 1);
    const early = { ...started!, atMs: started!.atMs - 5000 };
    const renumbered = { ...kept, events: kept.events.map(later(first)) };
    const verdict = await forge(kept, after(renumbered, first, [intended!, early, finished!]));
    expect(found(verdict)).toContain(`${first + 3} time_went_back`);
  });

  it("with a retry of a once-only action whose outcome is unknown (S3.1)", async () => {
    const kept = await keep(two.slice(0, 1), [throws()]);
    const last = placeOf(kept, "attempt.finished");
    const verdict = await forge(kept, after(kept, last, anAttempt(kept.events[last]!, 0, 1)));
    expect(found(verdict)).toEqual([`${last + 3} repeated_after_unknown`]);
  });

  it("with two attempts that overlap (S4.3)", async () => {
    const kept = await keep(
      [{ action: "ACT", id: "a", effect: "idempotent" }],
      [rejects("busy", { afterMs: 50 }), succeeds()],
      {
        maxConcurrency: 2,
      },
    );
    const started = placeOf(kept, "attempt.started");
    const renumbered = { ...kept, events: kept.events.map(later(placeOf(kept, "attempt.finished"))) };
    const verdict = await forge(kept, after(renumbered, started, anAttempt(kept.events[started]!, 0, 1)));
    expect(found(verdict)).toContain(`${started + 3} overlap`);
  });

  it("with an attempt while one that was given up is still at work (S4.3)", async () => {
    const policy: ExecutionPolicyInput = { timeout: { attemptTimeoutMs: 50, maxTotalTimeMs: 5000 } };
    const kept = await keep([{ action: "ACT", effect: "idempotent" }], [hangs({ ignoresAbort: true })], policy);
    const given = placeOf(kept, "attempt.finished");
    const verdict = await forge(kept, after(kept, given, anAttempt(kept.events[given]!, 0, 1)));
    expect(found(verdict)).toContain(`${given + 3} overlap`);
  });

  it("with more in flight than there may be (S4.4)", async () => {
    const kept = await keep(two, [rejects("busy", { afterMs: 50 }), succeeds()], { onFailure: "continue" });
    const started = placeOf(kept, "attempt.started");
    const other = (type: JournalEvent["type"]) =>
      kept.events.find((event) => event.type === type && "actionIndex" in event && event.actionIndex === 1)!;
    const begun = { ...other("action.started"), atMs: (kept.events[started] as ExecutionEvent).atMs };
    const events = kept.events.filter((event) => !("actionIndex" in event && event.actionIndex === 1));
    const rest = anAttempt(kept.events[started]!, 1, 0, { status: "success" });
    const row = { ...other("action.finished"), atMs: rest[2]!.atMs } as JournalEvent;
    const at = events.indexOf(kept.events[started]!);
    const verdict = await forge(kept, events.toSpliced(at + 1, 0, begun as JournalEvent, ...rest, row));
    expect(found(verdict)).toEqual([`${at + 4} concurrency_exceeded`]);
  });

  it("with a dispatch of an action that is not in the plan (S5.3)", async () => {
    const kept = await keep(two.slice(0, 1), [succeeds()]);
    const row = placeOf(kept, "action.finished");
    const begun = { ...(kept.events[row] as ExecutionEvent), type: "action.started", actionIndex: 1, id: "b" };
    const added = [begun as ExecutionEvent, ...anAttempt(kept.events[row]!, 1, 0, { status: "success" })];
    const closed = { ...(kept.events[row] as ExecutionEvent), actionIndex: 1, id: "b" } as ExecutionEvent;
    const events = after(kept, row, [...added, closed]);
    const widened = events.map((event) => (event.type === "execution.started" ? { ...event, actionCount: 2 } : event));
    const verdict = await forge(kept, widened);
    expect(found(verdict)[0]).toBe(`${placeOf(kept, "journal.bounds") + 1} bounds_mismatch`);
  });

  it("with a dispatch of a HOLD (S1.5)", async () => {
    const kept = await keep([{ action: "HOLD", id: "a" }], [succeeds()]);
    const begun = placeOf(kept, "action.started");
    const verdict = await forge(kept, after(kept, begun, anAttempt(kept.events[begun]!, 0, 0)));
    expect(found(verdict)).toContain(`${begun + 3} hold_dispatched`);
  });

  it("with bounds that came later, or twice", async () => {
    const kept = await keep(two.slice(0, 1), [throws()]);
    const last = placeOf(kept, "attempt.finished");
    const bounds = { ...kept.events[placeOf(kept, "journal.bounds")]!, effects: ["idempotent"] } as JournalEvent;
    const again = [bounds, ...anAttempt(kept.events[last]!, 0, 1)];
    expect(found(await forge(kept, after(kept, last, again)))).toContain(`${last + 2} bounds_mismatch`);
    const without = kept.events.toSpliced(placeOf(kept, "journal.bounds"), 1);
    const moved = { ...kept, events: without };
    expect(found(await forge(kept, after(moved, last - 1, again)))).toContain(`${last + 1} bounds_mismatch`);
  });

  it("with the policy on record made wider, and not where it is the one that was given", async () => {
    const kept = await keep(two.slice(0, 1), [rejects("busy")], { retry: { maxRetries: 0 } });
    const last = placeOf(kept, "attempt.finished");
    const wider = await keep(two.slice(0, 1), [rejects("busy"), rejects("busy")], {
      retry: { maxRetries: 1, initialBackoffMs: 0 },
    });
    const events = after(kept, last, anAttempt(kept.events[last]!, 0, 1)).with(0, wider.events[0]!);
    const bounds = placeOf(kept, "journal.bounds");
    const verdict = await forge(
      kept,
      events.with(bounds, {
        ...kept.events[bounds]!,
        policyDigest: (wider.events[0] as never as { policyDigest: string }).policyDigest,
      } as JournalEvent),
    );
    expect(found(verdict)).toEqual([
      "1 policy_mismatch",
      `${bounds + 1} policy_mismatch`,
      `${last + 3} too_many_dispatches`,
    ]);
  });
});

/** Gives the attempts after this place the next number. */
function later(place: number) {
  return (event: JournalEvent, index: number): JournalEvent => {
    const isAttempt = index > place && "attemptNumber" in event && !event.type.startsWith("wait.");
    return isAttempt ? ({ ...event, attemptNumber: event.attemptNumber + 1 } as JournalEvent) : event;
  };
}

import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  type ExecutionEvent,
  execute,
  reportFromEvents,
} from "@eoc/core";
import {
  createFlakyExecutor,
  createScriptedExecutor,
  createVirtualClock,
  hangs,
  rejects,
  succeeds,
  succeedsLate,
} from "@eoc/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addExecutionTrace,
  createJsonlJournal,
  explainReport,
  type JournalRecord,
  renderTimeline,
  reportToDict,
  verifyJournal,
} from "../src/index.js";

function journalInMemory() {
  const lines: string[] = [];
  const journal = createJsonlJournal({ append: (line) => void lines.push(line) });
  const events = () => lines.slice(1).map((line) => (JSON.parse(line) as JournalRecord).event as ExecutionEvent);
  return { lines, journal, events };
}

describe("an execution with a journal", () => {
  it("S8.2 writes every intent before its dispatch, and verifies", async () => {
    const clock = createVirtualClock();
    const { lines, journal } = journalInMemory();
    const intended: number[] = [];
    const report = await clock.run(() =>
      execute(
        { action: "ACT", actions: [{ action: "ACT" }, { action: "EXIT" }] },
        {},
        { maxConcurrency: 2 },
        async () => {
          intended.push(lines.filter((line) => line.includes("attempt.intended")).length);
          return intended.length === 1 ? { ok: false, code: "busy" } : { ok: true };
        },
        { clock, journal, executionId: "run-1" },
      ),
    );
    expect(intended.every((count, index) => count > index)).toBe(true);
    expect(report.status).toBe("success");
    expect(await verifyJournal(lines, { head: journal.head() })).toMatchObject({
      ok: true,
      pairing: { verdict: "PASS" },
      completeness: { verdict: "PASS" },
    });
  });

  it("S8.2 is not dispatched when the journal's sink fails", async () => {
    const clock = createVirtualClock();
    const journal = createJsonlJournal({ append: () => Promise.reject(new Error("ENOSPC")) });
    const executor = createScriptedExecutor([succeeds()], { clock });
    const report = await clock.run(() => execute({ action: "ACT" }, {}, {}, executor, { clock, journal }));
    expect(executor.calls).toHaveLength(0);
    expect(report).toMatchObject({ status: "denied", reason: "journal_unavailable", failClosed: true });
  });

  it("draws what happened: a halt in the middle of two dispatches", async () => {
    const clock = createVirtualClock();
    const killSwitch = createManualKillSwitch();
    const { lines, journal, events } = journalInMemory();
    const executor = createScriptedExecutor(
      ({ index }) =>
        index === 0 ? succeedsLate(900) : index === 1 ? rejects("mailbox_full", { afterMs: 120 }) : hangs(),
      { clock },
    );
    clock.setTimer(() => killSwitch.halt("drill"), 400);
    const report = await clock.run(() =>
      execute(
        {
          action: "ACT",
          actions: [
            { action: "ACT", id: "refund" },
            { action: "ACT", id: "notify" },
            { action: "EXIT", id: "close" },
          ],
        },
        {},
        { maxConcurrency: 2, retry: { initialBackoffMs: 1000 } },
        executor,
        { clock, journal, killSwitch, executionId: "run-7" },
      ),
    );
    await clock.run(() => clock.sleep(2000));
    await expect(renderTimeline(events())).toMatchFileSnapshot("golden/executed.txt");
    await expect(explainReport(report)).toMatchFileSnapshot("golden/executed-explained.txt");
    expect((await verifyJournal(lines, { head: journal.head() })).ok).toBe(true);
  });

  it("S8.1 keeps every event: its journal verifies and rebuilds the report, whatever happens", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1 }),
        fc.array(fc.constantFrom("once", "idempotent", "none"), { minLength: 1, maxLength: 5 }),
        fc.record({
          maxConcurrency: fc.integer({ min: 1, max: 3 }),
          onFailure: fc.constantFrom("stop", "continue"),
          onHalt: fc.constantFrom("abort", "finish"),
        }),
        fc.option(fc.integer({ min: 0, max: 3000 })),
        fc.boolean(),
        async (seed, effects, policy, haltAtMs, keyed) => {
          const clock = createVirtualClock();
          const killSwitch = createManualKillSwitch();
          const { lines, journal, events } = journalInMemory();
          const executor = createFlakyExecutor({ seed, clock, lateMs: 2000 });
          if (haltAtMs !== null) clock.setTimer(() => killSwitch.halt(), haltAtMs);
          const report = await clock.run(() =>
            execute(
              { action: "ACT", actions: effects.map((effect) => ({ action: "ACT", effect })) } as never,
              {},
              {
                ...policy,
                idempotency: { enabled: keyed },
                timeout: { attemptTimeoutMs: 500, maxTotalTimeMs: 5000 },
              } as never,
              executor,
              {
                clock,
                journal,
                killSwitch,
                idempotencyStore: createMemoryIdempotencyStore({ clock }),
                executionId: "x",
              },
            ),
          );
          await clock.run(() => clock.sleep(10_000));
          const verdict = await verifyJournal(lines, { head: journal.head() });
          expect([verdict.ok, verdict.pairing.problems]).toEqual([true, []]);
          const rebuilt = reportFromEvents(events());
          expect(reportToDict(rebuilt)).toEqual(reportToDict(report));
          expect(addExecutionTrace({}, rebuilt)).toEqual(addExecutionTrace({}, report));
          for (const line of renderTimeline(events()).split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
          if (report.unknownCount > 0) expect(explainReport(report)).toContain("NOT safe to run again");
        },
      ),
    );
  });
});

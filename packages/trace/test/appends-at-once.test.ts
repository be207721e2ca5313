import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExecutionEvent, execute } from "@eoc/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJsonlJournal, type JournalRecord, verifyJournal } from "../src/index.js";
import { createFileSink, journalFiles } from "../src/node.js";
import { halted, reconciled, retried } from "./scenarios.js";

/** A sink that takes many lines; its writes end when the test says so. */
function pagedSink() {
  const writes: string[][] = [];
  const waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  const appendAll = (lines: readonly string[]) => {
    writes.push([...lines]);
    return new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
  };
  return { writes, waiting, append: (line: string) => appendAll([line]), appendAll };
}

/** The same, whose writes end by themselves. */
function quickSink() {
  const writes: string[][] = [];
  const appendAll = async (lines: readonly string[]) => {
    writes.push([...lines]);
    await new Promise(setImmediate);
  };
  return { writes, append: (line: string) => appendAll([line]), appendAll };
}

const typesOf = (lines: readonly string[]) => lines.map((line) => (JSON.parse(line) as JournalRecord).event.type);

const turns = async (count = 10) => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
};

/** Appends, and says which of the appends have ended, and how. */
function watched(journal: { append(event: ExecutionEvent): void | Promise<void> }) {
  const outcomes: string[] = [];
  return {
    outcomes,
    append(event: ExecutionEvent) {
      const index = outcomes.push("under way") - 1;
      Promise.resolve(journal.append(event)).then(
        () => (outcomes[index] = "kept"),
        () => (outcomes[index] = "failed"),
      );
    },
  };
}

describe("S8.2 a journal whose sink takes many lines at once", () => {
  it("writes what is appended in one turn together, and what comes meanwhile after it, together again", async () => {
    const sink = pagedSink();
    const journal = createJsonlJournal(sink);
    const { append, outcomes } = watched(journal);
    const [first, second, third, ...others] = retried();
    append(first!);
    append(second!);
    expect(sink.writes).toEqual([]);
    await turns();
    append(third!);
    for (const event of others) append(event);
    await turns();
    expect(sink.writes.map(({ length }) => length)).toEqual([3]);
    expect(outcomes.every((outcome) => outcome === "under way")).toBe(true);
    expect(journal.head().count).toBe(0);

    sink.waiting[0]!.resolve();
    await turns();
    expect(sink.writes.map(({ length }) => length)).toEqual([3, 1 + others.length]);
    expect(outcomes.slice(0, 3)).toEqual(["kept", "kept", "under way"]);
    expect(journal.head().count).toBe(3);

    sink.waiting[1]!.resolve();
    await turns();
    expect(new Set(outcomes)).toEqual(new Set(["kept"]));
    const lines = sink.writes.flat();
    expect(typesOf(lines).slice(1)).toEqual(retried().map(({ type }) => type));
    expect((await verifyJournal(lines, { head: journal.head() })).ok).toBe(true);
  });

  it("hands a single line on as one", async () => {
    const { writes, append } = quickSink();
    const appendAll = () => Promise.reject(new Error("one line is no list"));
    const journal = createJsonlJournal({ append, appendAll, head: { seq: 4, hash: "ab".repeat(32) } });
    await expect(journal.append(retried()[0]!)).rejects.toThrow("the journal is broken"); // With what says that it goes on.
    const fresh = createJsonlJournal({ append, appendAll: quickSink().appendAll });
    await fresh.append(retried()[0]!);
    await fresh.append(retried()[1]!);
    expect(writes.map(typesOf)).toEqual([[retried()[1]!.type]]);
  });

  it("keeps a turn short: what is much is written in several goes", async () => {
    const sink = quickSink();
    const journal = createJsonlJournal(sink);
    const events = Array.from({ length: 2000 }, (_, seq) => ({ ...retried()[0]!, executionId: `run-${seq}` }));
    await Promise.all(events.map((event) => journal.append(event)));
    const sizes = sink.writes.map((lines) => lines.join("").length);
    expect(sizes.length).toBeGreaterThan(2);
    expect(Math.max(...sizes)).toBeLessThan(300_000);
    expect((await verifyJournal(sink.writes.flat())).integrity.verdict).toBe("PASS");
  });

  it("fails what was in the write that failed, and all that came later; what came before is kept", async () => {
    const sink = pagedSink();
    const journal = createJsonlJournal(sink);
    const { append, outcomes } = watched(journal);
    const events = retried();
    append(events[0]!);
    await turns();
    append(events[1]!);
    append(events[2]!);
    sink.waiting[0]!.resolve();
    await turns();
    append(events[3]!);
    sink.waiting[1]!.reject(new Error("ENOSPC"));
    await turns();
    expect(outcomes).toEqual(["kept", "failed", "failed", "failed"]);
    expect(sink.writes).toHaveLength(2);
    expect(journal.head().count).toBe(2);
    expect(() => journal.append(events[4]!)).toThrow("the journal is broken");
  });

  it("writes what was appended before an event that is no JSON, and nothing after it", async () => {
    const sink = pagedSink();
    const journal = createJsonlJournal(sink);
    const { append, outcomes } = watched(journal);
    append(retried()[0]!);
    await turns();
    append(retried()[1]!);
    expect(() => journal.append({ ...retried()[2]!, atMs: Number.NaN })).toThrow("the journal is broken");
    sink.waiting[0]!.resolve();
    await turns();
    sink.waiting[1]!.resolve();
    await turns();
    expect(outcomes).toEqual(["kept", "kept"]);
    expect(() => journal.append(retried()[2]!)).toThrow("the journal is broken");
    expect(sink.writes).toHaveLength(2);
  });

  it("counts every record for the next checkpoint, however many come at once", async () => {
    const kept: string[] = [];
    const checkpoints = { sink: { append: (line: string) => void kept.push(line) }, every: 5 };
    const journal = createJsonlJournal(quickSink(), { checkpoints });
    await Promise.all(
      retried()
        .slice(0, 6)
        .map((event) => journal.append(event)),
    );
    await turns();
    expect(kept.map((line) => (JSON.parse(line) as { count: number }).count)).toEqual([7]);
    for (const event of retried().slice(6, 10)) await journal.append(event);
    await turns();
    expect(kept).toHaveLength(1);
    await journal.append(retried()[0]!);
    await turns();
    expect(kept).toHaveLength(2);
  });

  it("leaves the same bytes in the same files as one append after the other", async () => {
    const folder = mkdtempSync(join(tmpdir(), "eoc-at-once-"));
    const events = [...retried(), ...halted(), ...reconciled()];
    const write = async (name: string, maxBytes: number, atOnce: boolean) => {
      const path = join(folder, name);
      const sink = createFileSink(path, { fsync: "never", maxBytes });
      const journal = createJsonlJournal(sink, { policy: { maxConcurrency: 2 } });
      if (atOnce) await Promise.all(events.map((event) => journal.append(event)));
      else for (const event of events) await journal.append(event);
      await sink.close();
      return journalFiles(path).map((file) => readFileSync(file, "utf8"));
    };
    try {
      for (const maxBytes of [1, 500, 1000, 2500, 7000, 1e9]) {
        const one = await write(`one-${maxBytes}`, maxBytes, false);
        expect(await write(`all-${maxBytes}`, maxBytes, true)).toEqual(one);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("takes two writes for an execution, and as few for a hundred at once", async () => {
    const { writes, ...sink } = quickSink();
    const journal = createJsonlJournal(sink);
    const run = () => execute({ action: "ACT" }, {}, {}, async () => ({ ok: true }), { journal });
    await run();
    expect(writes.map(typesOf)).toEqual([
      ["journal.opened", "execution.started", "action.started", "attempt.intended"],
      ["attempt.started", "attempt.finished", "action.finished", "execution.finished"],
    ]);
    const reports = await Promise.all(Array.from({ length: 100 }, run));
    expect(new Set(reports.map(({ status }) => status))).toEqual(new Set(["success"]));
    expect(writes.length).toBeLessThanOrEqual(6);
    const { ok, pairing } = await verifyJournal(writes.flat(), { head: journal.head() });
    expect([ok, pairing.verdict]).toEqual([true, "PASS"]);
  });

  it("has kept what it says is kept, in the order of the calls, whenever it dies", async () => {
    const schedule = fc.array(fc.oneof(fc.constant("append"), fc.constant("wait"), fc.constant("write ends")), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(schedule, fc.nat({ max: 12 }), async (steps, failingWrite) => {
        const sink = pagedSink();
        const journal = createJsonlJournal(sink);
        const { append, outcomes } = watched(journal);
        let ended = 0;
        for (const step of steps) {
          if (step === "wait") await turns();
          else if (step === "write ends" && ended < sink.waiting.length) {
            if (ended === failingWrite) sink.waiting[ended++]!.reject(new Error("EIO"));
            else sink.waiting[ended++]!.resolve();
          } else if (step === "append" && !outcomes.includes("failed")) {
            if (ended <= failingWrite) append({ ...retried()[0]!, executionId: `run-${outcomes.length}` });
          }
        }
        await turns();
        // What the disk has when the process dies now: every write that it has acknowledged.
        const durable = sink.writes.slice(0, Math.min(ended, failingWrite)).flat();
        const ids = durable
          .map((line) => (JSON.parse(line) as JournalRecord).event)
          .flatMap((event) => ("executionId" in event ? [event.executionId] : []));
        expect(ids).toEqual(ids.map((_, index) => `run-${index}`));
        const kept = outcomes.filter((outcome) => outcome === "kept").length;
        expect(outcomes.slice(0, kept)).toEqual(Array(kept).fill("kept"));
        expect(kept).toBeLessThanOrEqual(ids.length);
        expect(journal.head().count).toBe(durable.length);
        if (durable.length > 0) expect((await verifyJournal(durable)).continuity.verdict).toBe("PASS");
      }),
      { numRuns: 300 },
    );
  });
});

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execute } from "@eoc/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJsonlJournal, type JournalRecord, verifyJournal } from "../src/index.js";
import { createFileSink, journalFiles } from "../src/node.js";
import { pagedSink, quickSink, turns, typesOf, watched } from "./appends.js";
import { halted, reconciled, retried } from "./scenarios.js";

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

  it("writes another checkpoint when many records have come while one was written", async () => {
    const counts: number[] = [];
    let written: (() => void) | undefined;
    const append = (line: string) => {
      counts.push((JSON.parse(line) as { count: number }).count);
      return new Promise<void>((resolve) => {
        written = resolve;
      });
    };
    const journal = createJsonlJournal(quickSink(), { checkpoints: { sink: { append }, every: 5 } });
    await Promise.all(
      retried()
        .slice(0, 4)
        .map((event) => journal.append(event)),
    );
    await turns();
    expect(counts).toEqual([5]);
    await Promise.all(retried().map((event) => journal.append(event)));
    expect(counts).toEqual([5]);
    written!();
    await turns();
    expect(counts).toEqual([5, journal.head().count]);
  });

  it("leaves the same bytes in the same files as one append after the other", async () => {
    const folder = mkdtempSync(join(tmpdir(), "eoc-at-once-"));
    const foreign = retried().map((event) => ({ ...event, executionId: `日本語-${"ß".repeat(event.seq)}` }));
    const events = [...retried(), ...foreign, ...halted(), ...reconciled()];
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
      const [whole] = await write("whole", 1e9, false);
      const ends = [3, 8, 20].map((count) => Buffer.byteLength(`${whole!.split("\n").slice(0, count).join("\n")}\n`));
      for (const maxBytes of [1, 500, 1000, 2500, 7000, 1e9, ...ends, ...ends.map((end) => end + 1)]) {
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

  it("is not waited for, and has what is behind it, by whoever wraps it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "eoc-wrapped-"));
    const sink = createFileSink(join(folder, "journal.jsonl"));
    try {
      const lines: string[] = [];
      const mirrored = createJsonlJournal({
        ...sink,
        append: async (line) => {
          lines.push(line);
          await sink.append(line);
        },
      });
      const journal = mirrored.forExecution({ action: "ACT" }, {});
      expect([journal.keepsOrder, { ...journal }.keepsOrder, { ...mirrored }.keepsOrder]).toEqual([
        true,
        undefined,
        undefined,
      ]);
      await Promise.all(retried().map((event) => journal.append(event)));
      expect(lines).toHaveLength(retried().length + 1);
    } finally {
      await sink.close();
      rmSync(folder, { recursive: true });
    }
  });

  it("keeps what was appended in the turn in which its file is closed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "eoc-closed-"));
    const path = join(folder, "journal.jsonl");
    const sink = createFileSink(path);
    const journal = createJsonlJournal(sink);
    const appended = retried().map((event) => journal.append(event));
    await Promise.all([sink.close(), ...appended]);
    expect(typesOf(readFileSync(path, "utf8").trimEnd().split("\n"))).toHaveLength(retried().length + 1);
    await expect(sink.appendAll([])).rejects.toThrow("closed");
    rmSync(folder, { recursive: true });
  });
});

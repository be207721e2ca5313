import { createRedactor, type ExecutionEvent, execute } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { createJsonlJournal, verifyJournal } from "../src/index.js";
import { pagedSink, quickSink, turns, typesOf, watched } from "./appends.js";
import { retried } from "./scenarios.js";

describe("S8.2 a journal whose sink takes many lines at once and fails", () => {
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

  it("settles every append of many writes when the first throws, and writes none of the others", async () => {
    let writes = 0;
    const appendAll = () => {
      writes++;
      throw new Error("EIO");
    };
    const journal = createJsonlJournal({ append: () => {}, appendAll });
    const { append, outcomes } = watched(journal);
    for (let seq = 0; seq < 1500; seq++) append({ ...retried()[0]!, executionId: `run-${seq}` });
    await turns(5000);
    expect([new Set(outcomes), writes]).toEqual([new Set(["failed"]), 1]);
  });

  for (const [what, sink] of [
    ["rejects when another file is to begin", { rotate: async () => Promise.reject(new Error("EACCES")) }],
    [
      "cannot say whether it is full",
      {
        isFull: () => {
          throw new Error("EIO");
        },
      },
    ],
  ] as const) {
    it(`fails what came with it when the sink ${what}`, async () => {
      const { writes, ...quick } = quickSink();
      const journal = createJsonlJournal({ ...quick, isFull: (pending) => pending > 1500, ...sink });
      const { append, outcomes } = watched(journal);
      for (const event of retried()) append(event);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(new Set(outcomes)).toEqual(new Set(["failed"]));
      expect(() => journal.append(retried()[0]!)).toThrow("the journal is broken");
      const written = writes.flat();
      expect(journal.head().count).toBe(written.length);
      if (written.length > 0) expect((await verifyJournal(written)).continuity.verdict).toBe("PASS");
    });
  }
});

describe("S8.2 a journal whose sink takes one line at a time", () => {
  const chainOf = async (lines: readonly string[]) => (await verifyJournal(lines)).continuity.verdict;

  it("is not forked by who appends to it while it is written, or when a checkpoint is", async () => {
    const lines: string[] = [];
    let more = 3;
    const again = () => {
      if (more-- > 0) void journal.append(retried()[1]!);
    };
    const append = (line: string) => {
      again();
      lines.push(line);
    };
    const checkpoints = { every: 1, sink: { append: again } };
    const journal = createJsonlJournal({ append }, { checkpoints });
    for (const event of retried()) void journal.append(event);
    await turns(100);
    expect(lines).toHaveLength(1 + retried().length + 3);
    expect(await chainOf(lines)).toBe("PASS");
  });

  it("keeps what comes before one that fails in the middle of many, and nothing behind it", async () => {
    const lines: string[] = [];
    const append = async (line: string) => {
      await Promise.resolve();
      if (lines.length === 4) throw new Error("ENOSPC");
      lines.push(line);
    };
    const journal = createJsonlJournal({ append });
    const { append: start, outcomes } = watched(journal);
    for (const event of retried().slice(0, 8)) start(event);
    await turns(200);
    expect(outcomes).toEqual(["kept", "kept", "kept", "failed", "failed", "failed", "failed", "failed"]);
    expect([lines.length, journal.head().count, await chainOf(lines)]).toEqual([4, 4, "PASS"]);
  });

  it("fails for good after an event that its redactor cannot take", async () => {
    const lines: string[] = [];
    const whole = createRedactor();
    const redact = <T>(value: T): T => {
      if ((value as ExecutionEvent).type === "action.started") throw new Error("no");
      return whole.redact(value) as T;
    };
    const journal = createJsonlJournal({ append: (line) => void lines.push(line) }, { redactor: { ...whole, redact } });
    const report = await execute({ action: "ACT" }, {}, {}, () => ({ ok: true }), { journal });
    expect(report).toMatchObject({ status: "denied", reason: "journal_unavailable", attemptCount: 0 });
    expect(typesOf(lines)).toEqual(["journal.opened", "execution.started"]);
  });
});

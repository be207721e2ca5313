import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EocError, execute } from "@eoc/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createJsonlJournal,
  type JournalHead,
  type JournalSink,
  type JsonlJournal,
  verifyJournal,
} from "../src/index.js";
import { createFileSink, readJournal } from "../src/node.js";
import { pagedSink } from "./appends.js";

const NONE = { seq: -1, hash: "0".repeat(64) };

function memorySink(head?: JournalHead) {
  const lines: string[] = [];
  return { lines, head, append: (line: string) => void lines.push(line) };
}

const run = (journal: JsonlJournal) => execute({ action: "ACT" }, {}, {}, () => ({ ok: true }), { journal });

/** What is refused, by the name of the option. */
function refusalOf(make: () => unknown): string | undefined {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(EocError);
    expect(error).toMatchObject({ code: "invalid_option" });
    return (error as EocError).issues?.[0]?.path;
  }
  return undefined;
}

describe("a sink has one journal", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "eoc-one-"));
    path = join(folder, "journal.jsonl");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("S8.2 refuses a second one, as a handler of requests would make it, and the file is whole and opens again", async () => {
    const sink = createFileSink(path);
    const journal = createJsonlJournal(sink);
    await run(journal);
    expect(() => createJsonlJournal(sink)).toThrow(
      "sink must be one without a journal, unless `head` says after which record this one goes on in its place, not one that has a journal",
    );
    expect((await run(journal)).status).toBe("success");
    await sink.close();
    expect(await verifyJournal(readJournal(path), { head: journal.head() })).toMatchObject({
      ok: true,
      completeness: { verdict: "PASS" },
    });
    await createFileSink(path).close();
  });

  it("refuses a second one also before the first has written, and over a sink that knows its head", async () => {
    const sink = memorySink();
    createJsonlJournal(sink);
    expect(refusalOf(() => createJsonlJournal(sink))).toBe("sink");
    const known = memorySink({ seq: 4, hash: "ab".repeat(32) });
    createJsonlJournal(known);
    expect(refusalOf(() => createJsonlJournal(known))).toBe("sink");
  });

  it("has none yet where one was refused", () => {
    const sink = memorySink();
    expect(refusalOf(() => createJsonlJournal(sink, { head: { seq: 1 } as never }))).toBe("head");
    expect(() => createJsonlJournal(sink, { policy: { retry: { maxRetries: -1 } } })).toThrow(/maxRetries/);
    expect(createJsonlJournal(sink).head()).toEqual({ ...NONE, count: 0 });
  });

  it.each([
    ["which answers at once", () => memorySink()],
    [
      "which is given several lines at a time",
      () => {
        const sink = memorySink();
        return { ...sink, appendAll: async (all: readonly string[]) => void sink.lines.push(...all) };
      },
    ],
  ])(
    "goes on in another one after the head that it is given, and the first writes nothing more; a sink %s",
    async (_, make) => {
      const sink = make();
      const first = createJsonlJournal(sink);
      await run(first);
      const second = createJsonlJournal(sink, { head: first.head() });
      expect(await run(first)).toMatchObject({ status: "denied", reason: "journal_unavailable", attempts: [] });
      expect((await run(second)).status).toBe("success");
      expect(() => first.append({} as never)).toThrow("another journal goes on in the place of this one");
      expect(await verifyJournal(sink.lines, { head: second.head() })).toMatchObject({
        ok: true,
        completeness: { verdict: "PASS" },
      });
    },
  );

  it("goes on nowhere else than after the last record", async () => {
    const sink = memorySink();
    const first = createJsonlJournal(sink);
    const before = first.head();
    await run(first);
    const { seq, hash } = first.head();
    const wrong = [before, { seq: seq - 1, hash }, { seq, hash: "ab".repeat(32) }];
    for (const head of wrong)
      expect(
        refusalOf(() => createJsonlJournal(sink, { head })),
        `${head.seq}`,
      ).toBe("head");
    expect((await run(first)).status).toBe("success");
    // Somebody else may have written meanwhile.
    const later = { seq: first.head().seq + 5, hash: "cd".repeat(32) };
    expect(createJsonlJournal(sink, { head: later }).head()).toMatchObject(later);
  });

  it("is not given another while it is written to", async () => {
    const sink = pagedSink();
    const first = createJsonlJournal(sink);
    const appended = first.append({ type: "x" } as never);
    const head = first.head();
    await expect.poll(() => sink.waiting.length).toBe(1);
    expect(refusalOf(() => createJsonlJournal(sink, { head }))).toBe("sink");
    sink.waiting[0]!.resolve();
    await appended;
    expect(createJsonlJournal(sink, { head: first.head() }).head().seq).toBe(1);
  });

  it("goes on after one that is broken by what the sink says is there", async () => {
    const lines: string[] = [];
    let isFull = false;
    const sink: JournalSink = {
      append(line) {
        lines.push(line);
        // Kept, but nobody heard of it.
        if (isFull) throw new Error("ENOSPC");
      },
    };
    const first = createJsonlJournal(sink);
    await run(first);
    isFull = true;
    expect((await run(first)).reason).toBe("journal_unavailable");
    isFull = false;
    expect(refusalOf(() => createJsonlJournal(sink))).toBe("sink");
    const second = createJsonlJournal(sink, { head: JSON.parse(lines.at(-1)!) });
    expect(second.head().seq).toBe(first.head().seq + 1);
    expect((await run(second)).status).toBe("success");
    expect(await verifyJournal(lines, { head: second.head() })).toMatchObject({ ok: true });
  });

  it("S8.2 is whole in a file also when each wraps the sink anew: what does not follow is not written", async () => {
    const sink = createFileSink(path);
    const wrapped = () => ({ append: (line: string) => sink.append(line) });
    const first = createJsonlJournal(wrapped());
    await run(first);
    const unknowing = createJsonlJournal(wrapped());
    const { seq } = first.head();
    const misled = createJsonlJournal(
      { ...wrapped(), appendAll: sink.appendAll },
      { head: { seq, hash: "ab".repeat(32) } },
    );
    for (const second of [unknowing, misled])
      expect(await run(second)).toMatchObject({ reason: "journal_unavailable", attempts: [] });
    expect((await run(first)).status).toBe("success");
    const informed = createJsonlJournal(wrapped(), { head: first.head() });
    expect((await run(informed)).status).toBe("success");
    expect((await run(first)).reason).toBe("journal_unavailable");
    await sink.close();
    const again = createFileSink(path);
    expect(again.recovered.head?.hash).toBe(informed.head().hash);
    expect((await run(createJsonlJournal({ append: again.append }))).reason).toBe("journal_unavailable");
    const heir = createJsonlJournal(again);
    expect((await run(heir)).status).toBe("success");
    await again.close();
    expect(seq).toBeLessThan(heir.head().seq);
    expect(await verifyJournal(readJournal(path), { head: heir.head() })).toMatchObject({
      ok: true,
      completeness: { verdict: "PASS" },
    });
  });

  it("dispatches nothing over a file that was closed", async () => {
    const sink = createFileSink(path);
    const first = createJsonlJournal(sink);
    await run(first);
    await sink.close();
    expect(refusalOf(() => createJsonlJournal(sink))).toBe("sink");
    expect(await run(createJsonlJournal(sink, { head: first.head() }))).toMatchObject({
      reason: "journal_unavailable",
      attempts: [],
    });
  });
});

describe("the head that a journal is given", () => {
  const hash = "ab".repeat(32);

  it.each<[string, unknown]>([
    ["without a hash", { seq: 1 }],
    ["whose number is a text", { seq: "1", hash }],
    ["whose hash is none", { seq: 1, hash: "x" }],
    ["before the first", { seq: -2, hash }],
    ["of no record, with a hash", { seq: -1, hash }],
  ])("is refused %s, and so is that of a sink", (_, head) => {
    expect(refusalOf(() => createJsonlJournal(memorySink(), { head: head as never }))).toBe("head");
    expect(refusalOf(() => createJsonlJournal(memorySink(head as never)))).toBe("sink.head");
  });

  it("is the one that its sink has, where it has one", () => {
    const own = { seq: 6, hash };
    for (const head of [{ ...own, seq: 3 }, { ...own, seq: 7 }, { ...own, hash: "0".repeat(64) }, NONE])
      expect(
        refusalOf(() => createJsonlJournal(memorySink(own), { head })),
        `${head.seq}`,
      ).toBe("head");
    expect(() => createJsonlJournal(memorySink(own), { head: { ...own, seq: 3 } })).toThrow(
      "head must be the last record of the sink, 6:abababab…, not 3:abababab…",
    );
    expect(createJsonlJournal(memorySink(own), { head: { ...own } }).head()).toEqual({ ...own, count: 7 });
  });

  it("is taken from a record that has more, and from none", () => {
    const record = { v: 1, seq: 0, prev: NONE.hash, hash, event: {} };
    expect(createJsonlJournal(memorySink(record as never)).head()).toEqual({ seq: 0, hash, count: 1 });
    expect(createJsonlJournal(memorySink(), { head: NONE }).head()).toEqual({ ...NONE, count: 0 });
    expect(createJsonlJournal(memorySink(null as never)).head()).toEqual({ ...NONE, count: 0 });
  });
});

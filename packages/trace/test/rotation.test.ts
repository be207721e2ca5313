import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createJsonlJournal,
  type JournalHead,
  type JournalRecord,
  type JsonlJournal,
  openIntents,
  verifyJournal,
} from "../src/index.js";
import { createFileSink, journalFiles, readJournal, readJournalFile } from "../src/node.js";
import { crashed, halted, reconciled, retried } from "./scenarios.js";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eoc-rotation-"));
  path = join(folder, "journal.jsonl");
});

afterEach(() => rmSync(folder, { recursive: true }));

type Events = Parameters<JsonlJournal["append"]>[0][];

async function write(events: Events, maxBytes = 2500): Promise<JournalHead> {
  const sink = createFileSink(path, { fsync: "never", maxBytes });
  const journal = createJsonlJournal(sink, { versions: { service: "1" }, policy: { maxConcurrency: 2 } });
  await Promise.all(events.map((event) => journal.append(event)));
  await sink.close();
  return journal.head();
}

const recordsOf = (file: string) =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as JournalRecord);

describe("a journal that is rotated", () => {
  it("goes on in files of its own, and verifies across them", async () => {
    const head = await write([...retried(), ...halted(), ...reconciled()]);
    const files = journalFiles(path);
    expect(files.length).toBeGreaterThan(3);
    expect(files.slice(0, 2)).toEqual([path, `${path}.000001`]);
    expect(await verifyJournal(readJournal(path), { head })).toMatchObject({
      ok: true,
      continuity: { verdict: "PASS" },
      pairing: { verdict: "PASS" },
      completeness: { verdict: "PASS", missingBefore: 0 },
    });
  });

  it("begins every file with the head of the one before, and with what writes it", async () => {
    await write([...retried(), ...halted()]);
    const files = journalFiles(path).map(recordsOf);
    expect(files[0]![0]!.event.type).toBe("journal.opened");
    files.slice(1).forEach((records, index) => {
      const { seq, hash } = files[index]!.at(-1)!;
      expect(records[0]).toMatchObject({
        seq: seq + 1,
        prev: hash,
        event: { type: "journal.continued", previous: { seq, hash }, versions: { service: "1" } },
      });
      expect(records[0]!.event).toHaveProperty("policyDigest");
    });
  });

  it("closes a file once it has reached its size, and never splits a record", async () => {
    await write(retried(), 3000);
    for (const file of journalFiles(path).slice(0, -1)) {
      const content = readFileSync(file, "utf8");
      expect(content.length).toBeGreaterThanOrEqual(3000);
      expect(content.split("\n").slice(0, -2).join("\n").length).toBeLessThan(3000);
    }
  });

  it("goes on in its last file when it is opened again, whatever the size is now", async () => {
    await write(retried());
    const before = journalFiles(path);
    const head = await write(halted(), 1_000_000);
    expect(journalFiles(path)).toEqual(before);
    expect(await verifyJournal(readJournal(path), { head })).toMatchObject({ ok: true });
  });

  it("is the same from a relative path", async () => {
    path = relative(process.cwd(), path);
    await write(retried());
    const head = await write(halted());
    expect(await verifyJournal(readJournal(path), { head })).toMatchObject({ ok: true });
  });

  it("goes on after a crash that left a new file empty, or with half a record", async () => {
    for (const torn of ["", '{"event":{"prev']) {
      rmSync(folder, { recursive: true });
      folder = mkdtempSync(join(tmpdir(), "eoc-rotation-"));
      path = join(folder, "journal.jsonl");
      const { seq, hash } = await write(retried());
      writeFileSync(`${path}.${String(journalFiles(path).length).padStart(6, "0")}`, torn);
      const last = journalFiles(path).at(-1)!;
      const sink = createFileSink(path);
      expect(sink.recovered).toEqual({ head: { seq, hash }, tornBytes: torn.length });
      await sink.close();
      const head = await write(halted(), 1_000_000);
      expect(
        recordsOf(last)
          .map(({ event }) => event.type)
          .slice(0, 3),
      ).toEqual(["journal.continued", "journal.resumed", "execution.started"]);
      expect(await verifyJournal(readJournal(path), { head })).toMatchObject({ ok: true });
    }
  });

  it("refuses to go on after a file that does not end in a record", async () => {
    await write(retried());
    const files = journalFiles(path);
    truncateSync(files.at(-2)!, 100);
    writeFileSync(files.at(-1)!, "");
    expect(() => createFileSink(path)).toThrow("does not end in a journal record");
  });

  it("notices that somebody else has rotated it", async () => {
    const sink = createFileSink(path);
    await sink.append("a");
    writeFileSync(`${path}.000001`, "b\n"); // There is nothing wrong with its own file.
    await expect(sink.append("c")).rejects.toThrow("something else writes");
    await sink.close();
  });

  it("stays in its folder when the process goes to work in another", async () => {
    const [home, elsewhere] = [process.cwd(), mkdtempSync(join(tmpdir(), "eoc-elsewhere-"))];
    try {
      process.chdir(folder);
      const sink = createFileSink("journal.jsonl", { maxBytes: 1 });
      process.chdir(elsewhere);
      const journal = createJsonlJournal(sink);
      for (const event of retried()) await journal.append(event);
      expect(await verifyJournal(readJournal(path), { head: journal.head() })).toMatchObject({ ok: true });
      await sink.close();
    } finally {
      process.chdir(home);
    }
    expect(readdirSync(elsewhere)).toEqual([]);
    rmSync(elsewhere, { recursive: true });
  });

  it("S8.2 fails for good when the next file is there already", async () => {
    const sink = createFileSink(path, { maxBytes: 1 });
    const journal = createJsonlJournal(sink);
    const stale = `${path}.000001`;
    await sink.append("x");
    writeFileSync(stale, "");
    await expect(sink.rotate!()).rejects.toThrow("EEXIST");
    await expect(async () => journal.append(retried()[0]!)).rejects.toThrow("the journal is broken");
    expect(readFileSync(stale, "utf8")).toBe("");
    await sink.close();
  });

  it("takes only its own files for files of it", async () => {
    await write(retried());
    const before = journalFiles(path);
    for (const name of ["journal.jsonl.bak", "journal.jsonl.1", "journal.jsonl.000000", "other.jsonl.000001"]) {
      writeFileSync(join(folder, name), "");
    }
    expect(journalFiles(path)).toEqual(before);
    expect(readdirSync(folder).length).toBe(before.length + 4);
  });

  it("misses a file in the middle, at the first record after it", async () => {
    const head = await write([...retried(), ...halted()]);
    const [first, second] = journalFiles(path).map(recordsOf);
    rmSync(`${path}.000001`);
    const verdict = await verifyJournal(readJournal(path), { head });
    expect(verdict).toMatchObject({ ok: false, completeness: { verdict: "FAIL" } });
    expect(verdict.continuity.problems).toMatchObject([
      { line: first!.length + 1, code: "missing_records", seq: second!.at(-1)!.seq + 1 },
    ]);
  });

  it("is a cut-off tail when its last file is missing", async () => {
    const head = await write([...retried(), ...halted()]);
    rmSync(journalFiles(path).at(-1)!);
    expect((await verifyJournal(readJournal(path))).completeness.verdict).toBe("NOT PROVEN");
    expect((await verifyJournal(readJournal(path), { head })).completeness).toMatchObject({
      verdict: "FAIL",
      problems: [{ code: "truncated" }],
    });
  });

  it("can be looked at from any of its files on, and is complete only from the first", async () => {
    const head = await write([...retried(), ...halted(), ...reconciled()]);
    for (const file of journalFiles(path).slice(1)) {
      const { seq } = recordsOf(file)[0]!;
      rmSync(path, { force: true });
      const verdict = await verifyJournal(fromFile(file), { head });
      expect(verdict).toMatchObject({
        ok: true,
        continuity: { verdict: "PASS" },
        conformance: { problems: [] },
        completeness: { verdict: "NOT PROVEN", missingBefore: seq, provenUpTo: head.seq },
      });
      expect(verdict.pairing.verdict).not.toBe("FAIL");
    }
    expect(existsSync(path)).toBe(false);
    expect((await verifyJournal(readJournal(path), { head })).ok).toBe(true);
  });

  it("finds a file that carries another head than that of the file before it", async () => {
    await write([...retried(), ...halted()]);
    const lines = [];
    for await (const line of readJournal(path)) lines.push(line);
    const at = lines.findIndex((line) => line.includes("journal.continued"));
    const { event } = JSON.parse(lines[at]!) as JournalRecord;
    const forged: string[] = [];
    const unmasked = {
      redact: (value: unknown) => value,
      redactWithManifest: (value: unknown) => ({ value, manifest: [] }),
    };
    const journal = createJsonlJournal({ append: (line) => void forged.push(line) }, { redactor: unmasked });
    for (const event of retried()) await journal.append(event);
    await journal.append(event as never);
    const { problems } = (await verifyJournal(forged)).continuity;
    expect(problems).toMatchObject([{ line: forged.length, code: "wrong_prev" }]);
  });

  it("keeps what was in flight across its files", async () => {
    await write(crashed(), 600);
    expect(journalFiles(path).length).toBeGreaterThan(1);
    expect(await openIntents(readJournal(path))).toMatchObject([
      { executionId: "refunds-7", idempotencyKey: "refund-7" },
    ]);
  });

  it("refuses a size that is none", () => {
    for (const maxBytes of [0, -1, Number.NaN]) {
      expect(() => createFileSink(path, { maxBytes })).toThrow(`maxBytes must be a number >= 1, not ${maxBytes}`);
    }
  });

  it("says whether it is full to who does not say what is to come, and takes no lines for none", async () => {
    const sink = createFileSink(path, { maxBytes: 2 });
    await sink.appendAll([]);
    expect([sink.isFull!(0), (sink.isFull as () => boolean)(), readFileSync(path, "utf8")]).toEqual([false, false, ""]);
    await sink.append("a");
    expect([sink.isFull!(0), (sink.isFull as () => boolean)()]).toEqual([true, true]);
    await sink.close();
  });
});

/** The lines of this file and of all after it. */
async function* fromFile(file: string) {
  const files = journalFiles(path);
  for (const one of files.slice(files.indexOf(file))) yield* readJournalFile(one);
}

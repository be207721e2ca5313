import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type ExecuteOptions, type ExecutionEvent, execute, type Journal } from "@eoc/core";
import { createJsonlJournal, type JsonlJournal, openIntents, verifyJournal } from "@eoc/trace";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  createLocalRuntime,
  type LocalRuntime,
  type LocalRuntimeOptions,
  openSqliteJournals,
  type SqliteJournalSink,
} from "../src/index.js";
import { aFile, opened } from "./support.js";

const run = (journal: object | undefined, executor: () => Promise<{ ok: true }> = async () => ({ ok: true })) =>
  execute({ action: "ACT" }, {}, {}, executor, { journal } as object);

describe("the journal", () => {
  it("S8.2 is verified as any other, and goes on where the last process stopped", async () => {
    const file = aFile();
    let head: { seq: number; hash: string } | undefined;
    for (let life = 0; life < 3; life++) {
      let made: ReturnType<typeof createJsonlJournal> | undefined;
      const runtime = await opened(file, {
        journal: (sink) => {
          expect(sink.head).toEqual(head);
          made = createJsonlJournal(sink, { versions: { life: String(life) } });
          return made;
        },
      });
      expect((await run(runtime.journal)).status).toBe("success");
      const { seq, hash } = made!.head();
      head = { seq, hash };
      await runtime.close();
    }
    const runtime = await opened(file);
    const verdict = await verifyJournal(runtime.journalLines(), { head });
    expect(verdict).toMatchObject({ ok: true, last: head, completeness: { verdict: "PASS" } });
    expect(await openIntents(runtime.journalLines())).toEqual([]);
  });

  it("S8.2 is read in parts when it is long", async () => {
    const runtime = await opened(aFile(), { journal: createJsonlJournal });
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 8 }, () => run(runtime.journal)));
    const verdict = await verifyJournal(runtime.journalLines());
    expect(verdict.ok).toBe(true);
    expect(verdict.recordCount).toBeGreaterThan(400);
  });

  it("S8.2 has one writer that is alive; another process gives its own a name", async () => {
    const file = aFile();
    const first = await opened(file, { journal: createJsonlJournal });
    await expect(opened(file, { journal: createJsonlJournal })).rejects.toMatchObject({
      code: "journal_in_use",
      message: expect.stringContaining("of this process or of another"),
    });
    const second = await opened(file, { journal: createJsonlJournal, journalName: "second" });
    await Promise.all([run(first.journal), run(second.journal)]);
    for (const name of ["main", "second"]) {
      expect((await verifyJournal(second.journalLines(name))).recordCount).toBeGreaterThan(3);
    }
    await first.close();
    const heir = await opened(file, { journal: createJsonlJournal });
    expect((await run(heir.journal)).status).toBe("success");
    expect((await verifyJournal(second.journalLines())).ok).toBe(true);
  });

  it("S8.2 refuses a line that does not follow the last, and one that is no record", async () => {
    let sink: SqliteJournalSink | undefined;
    const runtime = await opened(aFile(), {
      journal: (given) => {
        sink = given;
        return createJsonlJournal(given);
      },
    });
    await run(runtime.journal);
    const lines: string[] = [];
    for await (const line of runtime.journalLines()) lines.push(line.trimEnd());
    await expect(sink!.append(lines.at(-1)!)).rejects.toMatchObject({ code: "journal_conflict" });
    await expect(sink!.append('{"seq":"next"}')).rejects.toMatchObject({ code: "journal_conflict" });
    expect((await run(createJsonlJournal({ ...sink! }))).reason).toBe("journal_unavailable");
  });

  it("S8.2 keeps what was appended in the turn in which the store is closed", async () => {
    const file = aFile();
    const runtime = await opened(file, { journal: createJsonlJournal });
    await run(runtime.journal);
    const kept: string[] = [];
    for await (const line of runtime.journalLines()) kept.push(line);
    const { event } = JSON.parse(kept[1]!) as { event: ExecutionEvent };
    await Promise.all([runtime.journal!.append({ ...event, executionId: "another" }), runtime.close()]);
    const again = await opened(file, { journal: createJsonlJournal });
    expect((await verifyJournal(again.journalLines())).recordCount).toBe(kept.length + 1);
    await again.close();
  });

  it("is the runtime's as it was made: what a crash left in doubt is settled by it", async () => {
    const file = aFile();
    const first = await createLocalRuntime(file, { journal: (sink) => createJsonlJournal(sink, { versions: {} }) });
    const lost = async () => {
      throw new Error("the reply is lost");
    };
    await run(first.journal.forExecution({ action: "ACT" }, {}), lost);
    await first.close();
    const runtime = await createLocalRuntime(file, { journal: createJsonlJournal });
    const [intent] = await openIntents(runtime.journalLines());
    await runtime.journal.settle({ ...intent!, outcome: "applied" });
    const verdict = await verifyJournal(runtime.journalLines(), { head: runtime.journal.head() });
    expect(verdict).toMatchObject({ ok: true, pairing: { openIntents: [] }, completeness: { verdict: "PASS" } });
    await runtime.close();
  });

  it("has the type that its maker gives it; without one, or perhaps with one, there may be none", () => {
    const withJournal = (file: string) => createLocalRuntime(file, { journal: createJsonlJournal });
    const without = (file: string) => createLocalRuntime(file, { pollMs: 1 });
    const perhaps = (file: string, options: LocalRuntimeOptions<JsonlJournal>) => createLocalRuntime(file, options);
    const anyOptions = (file: string, options: LocalRuntimeOptions) => createLocalRuntime(file, options);
    expectTypeOf<Awaited<ReturnType<typeof withJournal>>["journal"]>().toExtend<JsonlJournal>();
    expectTypeOf<Awaited<ReturnType<typeof withJournal>>>().toExtend<LocalRuntime>();
    expectTypeOf<Awaited<ReturnType<typeof without>>["journal"]>().toEqualTypeOf<Journal | undefined>();
    expectTypeOf<Awaited<ReturnType<typeof perhaps>>["journal"]>().toEqualTypeOf<JsonlJournal | undefined>();
    expectTypeOf<Awaited<ReturnType<typeof anyOptions>>>().toEqualTypeOf<LocalRuntime>();
    expectTypeOf<Awaited<ReturnType<typeof withJournal>>>().toExtend<ExecuteOptions>();
    expectTypeOf<LocalRuntime>().toExtend<ExecuteOptions>();
  });

  it("a factory that throws leaves nothing open", async () => {
    const file = aFile();
    const failing = () => {
      throw new Error("no journal");
    };
    await expect(opened(file, { journal: failing })).rejects.toThrow("no journal");
    expect((await opened(file, { journal: createJsonlJournal })).journal).toBeDefined();
  });
});

describe("the journals of a file, read from outside", () => {
  it("are there by name while others write, and nothing in the file is changed", async () => {
    const file = aFile();
    const writer = await opened(file, { journal: createJsonlJournal, journalName: "other" });
    await run(writer.journal);
    const contents = () => readdirSync(dirname(file)).sort();
    const before = contents();
    const journals = await openSqliteJournals(file);
    expect(await journals.names()).toEqual(["other"]);
    expect(await verifyJournal(journals.lines())).toMatchObject({ recordCount: 0 });
    const { recordCount } = await verifyJournal(journals.lines("other"));
    await run(writer.journal);
    const verdict = await verifyJournal(journals.lines("other"));
    expect(verdict.ok).toBe(true);
    expect(verdict.recordCount).toBeGreaterThan(recordCount);
    await journals.close();
    expect(contents()).toEqual(before);
    await writer.close();
  });

  it("are there when the file comes to be written only afterwards", async () => {
    const file = aFile();
    const first = await opened(file, { journal: createJsonlJournal });
    await run(first.journal);
    await first.close();
    const journals = await openSqliteJournals(file);
    const { recordCount } = await verifyJournal(journals.lines());
    const second = await opened(file, { journal: createJsonlJournal });
    await run(second.journal);
    await second.close();
    const verdict = await verifyJournal(journals.lines());
    expect([verdict.ok, verdict.recordCount > recordCount]).toEqual([true, true]);
    await journals.close();
  });

  it("are there of a file that is read-only, and leave what the dead have left where it is", async () => {
    const file = aFile();
    const writer = await opened(file, { journal: createJsonlJournal });
    await run(writer.journal);
    await writer.close();
    const left = `${file}-owner-0123456789abcdef`;
    writeFileSync(left, "");
    chmodSync(file, 0o400);
    const before = readFileSync(file);
    const journals = await openSqliteJournals(file);
    expect(await verifyJournal(journals.lines())).toMatchObject({ ok: true });
    await journals.close();
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(existsSync(left)).toBe(true);
  });

  it("are refused of what is no file of ours, and none is made", async () => {
    const file = aFile();
    const codeOf = (path: unknown, options: object = {}) =>
      openSqliteJournals(path as string, options).then(
        () => "opened",
        ({ code }: { code: string }) => code,
      );
    expect(await codeOf(file)).toBe("cannot_open");
    expect(existsSync(file)).toBe(false);
    writeFileSync(file, "");
    expect(await codeOf(file)).toBe("cannot_open");
    writeFileSync(file, "no database at all, but long enough to be looked at as one".repeat(20));
    expect(await codeOf(file)).toBe("corrupt");
    expect(await codeOf(undefined)).toBe("invalid_option");
    expect(await codeOf(file, { busyTimeout: 1 })).toBe("invalid_option");
    expect(await codeOf(file, { timeoutMs: 0 })).toBe("invalid_option");
  });
});

import { type ExecutionEvent, execute } from "@eoc/core";
import { createJsonlJournal, openIntents, verifyJournal } from "@eoc/trace";
import { describe, expect, it } from "vitest";
import type { SqliteJournalSink } from "../src/index.js";
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
    await expect(opened(file, { journal: createJsonlJournal })).rejects.toMatchObject({ code: "journal_in_use" });
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
    expect((await run(createJsonlJournal(sink!))).reason).toBe("journal_unavailable");
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

  it("a factory that throws leaves nothing open", async () => {
    const file = aFile();
    const failing = () => {
      throw new Error("no journal");
    };
    await expect(opened(file, { journal: failing })).rejects.toThrow("no journal");
    expect((await opened(file, { journal: createJsonlJournal })).journal).toBeDefined();
  });
});

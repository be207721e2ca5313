import { createRedactor, type ExecutionEvent, execute } from "@eoc/core";
import { canonicalJson, sha256Hex } from "@eoc/decision-schema";
import { createVirtualClock } from "@eoc/testkit";
import { describe, expect, it } from "vitest";
import { createJsonlJournal, type JournalRecord, type JsonlJournal, openIntents, verifyJournal } from "../src/index.js";
import { halted, retried } from "./scenarios.js";

/** A sink whose appends end when the test says so. */
function slowSink() {
  const lines: string[] = [];
  const waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  return {
    lines,
    waiting,
    append(line: string) {
      lines.push(line);
      return new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
    },
  };
}

function memorySink() {
  const lines: string[] = [];
  return { lines, append: (line: string) => void lines.push(line) };
}

const recordsOf = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as JournalRecord);

async function appendAll(journal: JsonlJournal, events: readonly ExecutionEvent[]): Promise<void> {
  for (const event of events) await journal.append(event);
}

const turns = async (count = 10) => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
};

describe("createJsonlJournal", () => {
  it("S8.2 chains every record to the one before by SHA-256 over its RFC 8785 JSON without the hash", async () => {
    const sink = memorySink();
    await appendAll(createJsonlJournal(sink), retried());
    let prev = "0".repeat(64);
    for (const [index, { hash, ...body }] of recordsOf(sink.lines).entries()) {
      expect(body).toMatchObject({ v: 1, seq: index, prev });
      expect(hash).toBe(sha256Hex(canonicalJson(body)));
      expect(sink.lines[index]).toBe(canonicalJson({ ...body, hash }));
      prev = hash;
    }
    expect(sink.lines).toHaveLength(retried().length + 1);
  });

  it("begins with a record of what writes it, before the first event", async () => {
    const sink = memorySink();
    const journal = createJsonlJournal(sink, { versions: { "@eoc/core": "0.1.0" } });
    expect(sink.lines).toEqual([]);
    await journal.append(retried()[0]!);
    expect(recordsOf(sink.lines).map(({ event }) => event)).toEqual([
      { type: "journal.opened", versions: { "@eoc/core": "0.1.0" } },
      retried()[0],
    ]);
  });

  it("says where it ends, counting only what the sink has acknowledged", async () => {
    const sink = slowSink();
    const journal = createJsonlJournal(sink);
    expect(journal.head()).toEqual({ seq: -1, hash: "0".repeat(64), count: 0 });
    const appended = journal.append(retried()[0]!);
    expect(journal.head().count).toBe(0);
    sink.waiting[0]!.resolve();
    await turns();
    expect(journal.head()).toMatchObject({ seq: 0, count: 1 });
    sink.waiting[1]!.resolve();
    await appended;
    expect(journal.head()).toEqual({ seq: 1, hash: recordsOf(sink.lines)[1]!.hash, count: 2 });
  });

  it("appends one line after the other, in the order of the calls, when called concurrently", async () => {
    const sink = slowSink();
    const journal = createJsonlJournal(sink);
    const appends = retried().map((event) => Promise.resolve(journal.append(event)));
    for (let done = 0; done <= retried().length; done++) {
      await turns();
      expect(sink.lines).toHaveLength(done + 1);
      sink.waiting[done]!.resolve();
    }
    await Promise.all(appends);
    expect(
      recordsOf(sink.lines)
        .slice(1)
        .map(({ event }) => event),
    ).toEqual(retried());
    expect((await verifyJournal(sink.lines, { head: journal.head() })).ok).toBe(true);
  });

  it("costs no promise over a synchronous sink", () => {
    const journal = createJsonlJournal(memorySink());
    for (const event of retried()) expect(journal.append(event)).toBeUndefined();
    expect(journal.head().count).toBe(retried().length + 1);
  });

  it("fails for good after one append that was rejected, also those that wait", async () => {
    const sink = slowSink();
    const journal = createJsonlJournal(sink);
    const [first, second, third] = retried().map((event) => event);
    const appends = [journal.append(first!), journal.append(second!)];
    sink.waiting[0]!.resolve();
    await turns();
    sink.waiting[1]!.reject(new Error("ENOSPC"));
    const results = await Promise.allSettled(appends);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(() => journal.append(third!)).toThrow("the journal is broken");
    expect(sink.lines).toHaveLength(2);
    expect(journal.head().count).toBe(1);
  });

  it("fails for good after one append that threw", () => {
    let full = false;
    const lines: string[] = [];
    const journal = createJsonlJournal({
      append(line) {
        if (full) throw new Error("ENOSPC");
        lines.push(line);
      },
    });
    void journal.append(retried()[0]!);
    full = true;
    expect(() => journal.append(retried()[1]!)).toThrow("the journal is broken");
    full = false;
    expect(() => journal.append(retried()[2]!)).toThrow("the journal is broken");
    expect(lines).toHaveLength(2);
  });

  it("fails for good after an event that cannot be written as JSON: the record would have a hole", () => {
    const sink = memorySink();
    const journal = createJsonlJournal(sink);
    void journal.append(retried()[0]!);
    const event = { ...retried()[1]!, atMs: Number.NaN };
    expect(() => journal.append(event)).toThrow("the journal is broken");
    expect(() => journal.append(retried()[1]!)).toThrow("the journal is broken");
    expect(recordsOf(sink.lines).map(({ event }) => event.type)).toEqual(["journal.opened", "execution.started"]);
  });

  it("S8.2 writes an unpaired surrogate as �, so that nobody's id keeps the journal from being written", async () => {
    const sink = memorySink();
    const journal = createJsonlJournal(sink, { policy: {} });
    const run = (policy: object, executionId: string) =>
      execute({ action: "ACT" }, {}, policy, () => ({ ok: true }), {
        executionId,
        journal: journal.forExecution({ action: "ACT" }, policy),
      });
    // `execute` refuses such ids; a driver of somebody else's may not.
    for (const event of retried()) await journal.append({ ...event, executionId: "run-\ud800" });
    expect((await run({ "\udc00": 1 }, "run-2")).recordError).toBeUndefined();
    expect(await run({}, "run-3")).toMatchObject({ status: "success" });
    expect(recordsOf(sink.lines)[1]!.event).toMatchObject({ executionId: "run-\ufffd" });
    const { ok, pairing, conformance } = await verifyJournal(sink.lines, { head: journal.head() });
    expect([ok, pairing.verdict, conformance.verdict]).toEqual([true, "PASS", "PASS"]);
  });

  it("S9 masks secrets before it hashes, and leaves idempotency keys readable", async () => {
    const sink = memorySink();
    const journal = createJsonlJournal(sink, { redactor: createRedactor({ secrets: ["c4n4ry-77"] }) });
    await journal.append({ ...retried()[0]!, executionId: "run-c4n4ry-77" });
    expect(sink.lines.join()).not.toContain("c4n4ry-77");
    expect((await verifyJournal(sink.lines)).integrity.verdict).toBe("PASS");

    const byDefault = memorySink();
    await appendAll(createJsonlJournal(byDefault), halted());
    expect(
      recordsOf(byDefault.lines)
        .slice(1)
        .map(({ event }) => event),
    ).toEqual(halted());
  });

  it("S7.1 writes ids and keys as they are: people have to find them, and records one another", async () => {
    const clock = createVirtualClock();
    for (const secrets of [undefined, ["c4n4ry-77"]]) {
      const sink = memorySink();
      const redactor = secrets && createRedactor({ secrets });
      const journal = createJsonlJournal(sink, redactor && { redactor });
      const run = (id: string, key: string) =>
        execute(
          { action: "ACT", actions: [{ action: "ACT", id: `act-${id}`, idempotency_key: key }] },
          {},
          {},
          () => new Promise((resolve) => clock.setTimer(() => resolve({ ok: true }), 10)),
          { clock, journal, executionId: id },
        );
      await clock.run(() =>
        Promise.all([
          run("rotate-token:8", "reset-password:alice"),
          run("rotate-token:9", "revoke-token:17"),
          run("run-c4n4ry-77", "refund-7"),
        ]),
      );
      const { ok, pairing } = await verifyJournal(sink.lines);
      expect([ok, pairing.verdict]).toEqual([true, "PASS"]);
      const started = sink.lines.findLastIndex((line) => line.includes("attempt.started"));
      const open = await openIntents(sink.lines.slice(0, started + 1));
      const known = open.map(({ executionId, actionId, idempotencyKey }) => [executionId, actionId, idempotencyKey]);
      const masked = /^[\w:-]*\[REDACTED\]~[0-9a-f]{8}$/;
      expect(known).toEqual(
        secrets === undefined
          ? [
              ["rotate-token:8", "act-rotate-token:8", "reset-password:alice"],
              ["rotate-token:9", "act-rotate-token:9", "revoke-token:17"],
              ["run-c4n4ry-77", "act-run-c4n4ry-77", "refund-7"],
            ]
          : [
              Array.from({ length: 3 }, () => expect.stringMatching(masked)),
              Array.from({ length: 3 }, () => expect.stringMatching(masked)),
              [expect.stringMatching(masked), expect.stringMatching(masked), "refund-7"],
            ],
      );
      expect(new Set(known.flat()).size).toBe(9);
      expect(sink.lines.join().includes("c4n4ry")).toBe(secrets === undefined);
    }
  });

  it("takes events as they are at the call, whatever happens to them later", async () => {
    const sink = slowSink();
    const journal = createJsonlJournal(sink);
    const event = { ...retried()[0]! };
    const appended = journal.append(event);
    event.executionId = "changed";
    sink.waiting[0]!.resolve();
    await turns();
    sink.waiting[1]!.resolve();
    await appended;
    expect(sink.lines.join()).not.toContain("changed");
  });

  it("goes on after the head that it is given, or that its sink has, and says that it was resumed", async () => {
    const sink = memorySink();
    const before = createJsonlJournal(sink);
    await appendAll(before, retried());
    const { seq, hash } = before.head();
    const after = createJsonlJournal({ ...sink, head: { seq, hash } });
    await appendAll(after, halted());
    expect(recordsOf(sink.lines)[seq + 1]).toMatchObject({
      seq: seq + 1,
      prev: hash,
      event: { type: "journal.resumed" },
    });
    expect(await verifyJournal(sink.lines, { head: after.head() })).toMatchObject({
      ok: true,
      pairing: { verdict: "PASS" },
      completeness: { verdict: "PASS" },
    });
  });

  it("was resumed also when it had got no further than its opening record", async () => {
    const sink = memorySink();
    const journal = createJsonlJournal(sink, { head: { seq: 0, hash: "ab".repeat(32) } });
    await journal.append(retried()[0]!);
    expect(recordsOf(sink.lines)[0]).toMatchObject({ seq: 1, event: { type: "journal.resumed" } });
  });
});

import { canonicalJson, sha256Hex } from "@eoc/decision-schema";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { createJsonlJournal, type JournalHead, type JournalRecord, openIntents, verifyJournal } from "../src/index.js";
import { crashed, halted, reconciled, retried } from "./scenarios.js";
import { eventsOf, PLAN_HASH, STARTED_AT } from "./support.js";

let lines: string[];
let head: JournalHead;

beforeAll(async () => {
  ({ lines, head } = await journalOf([...retried(), ...halted(), ...reconciled()]));
});

async function journalOf(
  events: readonly Parameters<ReturnType<typeof createJsonlJournal>["append"]>[0][],
  versions = {},
) {
  const written: string[] = [];
  const journal = createJsonlJournal({ append: (line) => void written.push(line) }, { versions });
  for (const event of events) await journal.append(event);
  return { lines: written, head: journal.head() };
}

/** `line` with other content and the hash that fits it. */
function rewritten(line: string, change: (record: JournalRecord) => object): string {
  const { hash: _, ...body } = { ...JSON.parse(line), ...change(JSON.parse(line)) };
  return canonicalJson({ ...body, hash: sha256Hex(canonicalJson(body)) });
}

/** Every record after `from` chained anew, as a forger would. */
function rechained(forged: readonly string[]): string[] {
  let prev = "0".repeat(64);
  return forged.map((line, seq) => {
    const next = rewritten(line, () => ({ seq, prev }));
    prev = (JSON.parse(next) as JournalRecord).hash;
    return next;
  });
}

const places = (problems: readonly { line: number; code: string }[]) =>
  problems.map(({ line, code }) => `${line} ${code}`);

describe("verifyJournal", () => {
  it("passes an untouched journal, complete only as far as the head says", async () => {
    expect(await verifyJournal(lines, { head })).toMatchObject({
      ok: true,
      integrity: { verdict: "PASS", problems: [], problemCount: 0 },
      continuity: { verdict: "PASS" },
      pairing: { verdict: "PASS", openIntents: [] },
      completeness: { verdict: "PASS" },
      recordCount: lines.length,
      last: { seq: head.seq, hash: head.hash },
    });
    expect(await verifyJournal(lines)).toMatchObject({
      ok: true,
      completeness: { verdict: "NOT PROVEN", problems: [] },
    });
  });

  it("takes records that were parsed before, and judges what they hold, if not the bytes that held it", async () => {
    const records = lines.map((line) => JSON.parse(line) as JournalRecord);
    expect(await verifyJournal(records, { head })).toMatchObject({ ok: true, completeness: { verdict: "PASS" } });
    const edited = records.with(4, { ...records[4]!, event: { ...records[4]!.event, type: "halt.observed" } as never });
    expect(places((await verifyJournal(edited)).integrity.problems)).toEqual(["5 hash_mismatch"]);
    const odd = records.with(4, { ...records[4]!, v: Number.NaN as 1 });
    expect(places((await verifyJournal(odd)).integrity.problems)).toEqual(["5 not_json"]);
    expect(await openIntents((await journalOf(crashed())).lines.map((line) => JSON.parse(line)))).toHaveLength(1);
  });

  it("reads lines with their ends, from a generator, and one empty line at the end", async () => {
    async function* source() {
      for (const line of lines) yield `${line}\n`;
    }
    expect(await verifyJournal(source(), { head })).toMatchObject({ ok: true, completeness: { verdict: "PASS" } });
    expect(await verifyJournal(`${lines.join("\n")}\n`.split("\n"), { head })).toMatchObject({ ok: true });
  });

  describe("a last line without its end", () => {
    const ended = () => lines.map((line) => `${line}\n`);

    it("is what a crash leaves behind, and counts as not there", async () => {
      const torn = ended().with(-1, lines.at(-1)!.slice(0, 20));
      const before = JSON.parse(lines.at(-2)!) as JournalRecord;
      const verdict = await verifyJournal(torn, { head: before });
      expect(verdict).toMatchObject({ ok: true, recordCount: lines.length - 1, last: { seq: before.seq } });
      expect(verdict.tornTail).toEqual({ line: lines.length, length: 20 });
      expect(await verifyJournal(torn, { head })).toMatchObject({ ok: false, completeness: { verdict: "FAIL" } });
    });

    it("is torn also where only the end is missing: its append was never acknowledged", async () => {
      const torn = ended().with(-1, lines.at(-1)!);
      expect(await verifyJournal(torn)).toMatchObject({ ok: true, tornTail: { length: lines.at(-1)!.length } });
      expect(await verifyJournal(torn, { head })).toMatchObject({ ok: false, completeness: { verdict: "FAIL" } });
    });

    it("is torn also when it is the first: a crash left nothing else", async () => {
      for (const length of [1, 5, 9, 40]) {
        const verdict = await verifyJournal([lines[0]!.slice(0, length)]);
        expect(verdict).toMatchObject({ ok: true, recordCount: 0, tornTail: { line: 1, length } });
      }
      expect(await verifyJournal([lines[0]!])).toMatchObject({ ok: true, recordCount: 1 });
      for (const other of ["x", "{}", '{"event":1}']) expect((await verifyJournal([other])).ok).toBe(false);
    });

    it("is no torn tail in the middle, nor where no line has an end", async () => {
      const middle = ended().with(4, lines[4]!.slice(0, 20));
      const { integrity, tornTail } = await verifyJournal(middle);
      expect([places(integrity.problems), tornTail]).toEqual([["5 not_json", "5 not_canonical"], undefined]);
      expect(await verifyJournal(lines.with(-1, lines.at(-1)!.slice(0, 20)))).toMatchObject({ ok: false });
    });
  });

  it("finds an edited record", async () => {
    const seq = lines.findIndex((line) => line.includes('"status":"failed"'));
    const forged = lines.with(seq, lines[seq]!.replace('"status":"failed"', '"status":"success"'));
    const verdict = await verifyJournal(forged, { head });
    expect(verdict.ok).toBe(false);
    expect(places(verdict.integrity.problems)).toEqual([`${seq + 1} hash_mismatch`]);
    expect(verdict.integrity.problems[0]).toMatchObject({ seq });
    expect(verdict.continuity.verdict).toBe("PASS");
    expect(verdict.completeness.verdict).toBe("FAIL");
  });

  it("finds an edited record with a hash that fits, at the record after it", async () => {
    const forged = lines.with(
      7,
      rewritten(lines[7]!, ({ event }) => ({ event: { ...event, atMs: 1 } })),
    );
    const verdict = await verifyJournal(forged);
    expect(verdict.ok).toBe(false);
    expect(verdict.integrity.verdict).toBe("PASS");
    expect(places(verdict.continuity.problems)).toEqual(["9 wrong_prev"]);
  });

  it("finds what was deleted in the middle, and says how much", async () => {
    const verdict = await verifyJournal(lines.toSpliced(5, 2), { head });
    expect(places(verdict.continuity.problems)).toEqual(["6 missing_records"]);
    expect(verdict.continuity.problems[0]!.message).toBe("2 records from 5 on are missing before this one");
    expect(verdict.completeness.verdict).toBe("FAIL");
  });

  it("finds what was deleted at the start", async () => {
    const verdict = await verifyJournal(lines.slice(1));
    expect(places(verdict.continuity.problems)).toEqual(["1 no_opening"]);
    expect(verdict.ok).toBe(false);
  });

  it("finds an opening record that is not the first of its journal", async () => {
    const renumbered = rewritten(lines[0]!, () => ({ seq: 3 }));
    expect(places((await verifyJournal([renumbered])).continuity.problems)).toEqual(["1 missing_records"]);
    const linked = rewritten(lines[0]!, () => ({ prev: "a".repeat(64) }));
    expect(places((await verifyJournal([linked])).continuity.problems)).toEqual(["1 wrong_prev"]);
  });

  it("finds an opening record in the middle of a journal that is chained correctly", async () => {
    const written: string[] = [];
    const sink = { append: (line: string) => void written.push(line) };
    const first = createJsonlJournal(sink);
    for (const event of retried()) await first.append(event);
    await first.append({ ...retried()[0]!, type: "journal.opened" } as never);
    const { continuity } = await verifyJournal(written, { head: first.head() });
    expect(places(continuity.problems)).toEqual([`${written.length} out_of_place`]);
  });

  it("finds an inserted record, and only that one", async () => {
    expect(places((await verifyJournal(lines.toSpliced(6, 0, lines[3]!))).continuity.problems)).toEqual([
      "7 out_of_place",
    ]);
  });

  it("finds a forged record that takes the place of the next, at the next", async () => {
    const { hash } = JSON.parse(lines[5]!) as JournalRecord;
    const forged = rewritten(lines[9]!, () => ({ seq: 6, prev: hash }));
    expect(places((await verifyJournal(lines.toSpliced(6, 0, forged))).continuity.problems)).toEqual([
      "8 out_of_place",
    ]);
  });

  it("finds two records that changed places", async () => {
    const moved = lines.with(4, lines[5]!).with(5, lines[4]!);
    expect(places((await verifyJournal(moved)).continuity.problems)).toEqual(["5 missing_records", "6 out_of_place"]);
  });

  it("calls a truncated tail NOT PROVEN without a head, and a failure with one", async () => {
    const cut = lines.slice(0, retried().length + 1);
    expect(await verifyJournal(cut)).toMatchObject({ ok: true, completeness: { verdict: "NOT PROVEN" } });
    const verdict = await verifyJournal(cut, { head });
    expect(verdict).toMatchObject({ ok: false, continuity: { verdict: "PASS" }, completeness: { verdict: "FAIL" } });
    expect(places(verdict.completeness.problems)).toEqual([`${cut.length + 1} truncated`]);
  });

  it("tells another journal by its head, at the right record", async () => {
    const other = await journalOf([...halted(), ...retried(), ...reconciled()]);
    expect(other.lines).toHaveLength(lines.length);
    const verdict = await verifyJournal(other.lines, { head });
    expect(verdict).toMatchObject({ ok: false, integrity: { verdict: "PASS" }, continuity: { verdict: "PASS" } });
    expect(places(verdict.completeness.problems)).toEqual([`${lines.length} wrong_head`]);
  });

  it("finds the place where another journal goes on", async () => {
    const other = await journalOf(halted(), { service: "other" });
    const spliced = [...lines.slice(0, 6), ...other.lines.slice(6)];
    expect(places((await verifyJournal(spliced)).continuity.problems)).toEqual(["7 wrong_prev"]);
    const appended = [...lines, ...other.lines];
    expect(places((await verifyJournal(appended)).continuity.problems)[0]).toBe(`${lines.length + 1} out_of_place`);
  });

  it("holds a journal of one record against its head, too", async () => {
    const { hash } = JSON.parse(lines[0]!) as JournalRecord;
    expect((await verifyJournal(lines.slice(0, 1), { head: { seq: 0, hash } })).completeness.verdict).toBe("PASS");
    const other = { seq: 0, hash: "ab".repeat(32) };
    expect((await verifyJournal(lines.slice(0, 1), { head: other })).completeness.verdict).toBe("FAIL");
  });

  it("refuses records after the head", async () => {
    const before = JSON.parse(lines.at(-2)!) as JournalRecord;
    const verdict = await verifyJournal(lines, { head: before });
    expect(places(verdict.completeness.problems)).toEqual([`${lines.length} beyond_head`]);
  });

  it("holds a journal against its checkpoints, which prove nothing about what comes after", async () => {
    const at = (seq: number) => JSON.parse(lines[seq]!) as JournalRecord;
    const checkpoints = [at(3), at(10)];
    expect((await verifyJournal(lines, { checkpoints })).completeness.verdict).toBe("NOT PROVEN");
    expect(places((await verifyJournal(lines.slice(0, 8), { checkpoints })).completeness.problems)).toEqual([
      "9 truncated",
    ]);
    const other = await journalOf([...halted(), ...retried()]);
    expect(places((await verifyJournal(other.lines, { checkpoints })).completeness.problems)).toEqual([
      "4 wrong_head",
      "11 wrong_head",
    ]);
  });

  it("says up to which record nothing is missing, by the head or the furthest checkpoint", async () => {
    const at = (seq: number) => JSON.parse(lines[seq]!) as JournalRecord;
    const provenUpTo = async (some: readonly string[], options: Parameters<typeof verifyJournal>[1]) =>
      (await verifyJournal(some, options)).completeness.provenUpTo;
    expect(await provenUpTo(lines, {})).toBe(-1);
    expect(await provenUpTo(lines, { checkpoints: [at(10), at(3)] })).toBe(10);
    expect(await provenUpTo(lines, { checkpoints: [at(3)], head })).toBe(head.seq);
    expect(await provenUpTo(lines.toSpliced(5, 1), { checkpoints: [at(3)] })).toBe(-1);
  });

  it("believes neither of two checkpoints that contradict each other", async () => {
    const right = JSON.parse(lines[3]!) as JournalRecord;
    const wrong = { seq: 3, hash: "ab".repeat(32) };
    for (const checkpoints of [
      [right, wrong],
      [wrong, right],
    ]) {
      expect(places((await verifyJournal(lines, { checkpoints })).completeness.problems)).toEqual(["4 wrong_head"]);
    }
  });

  it("misses a record that a checkpoint names, also in the middle", async () => {
    const checkpoints = [JSON.parse(lines[3]!) as JournalRecord];
    const { completeness } = await verifyJournal(lines.toSpliced(3, 1), { checkpoints });
    expect(completeness).toMatchObject({ verdict: "FAIL", problems: [{ code: "broken_chain" }] });
  });

  it("finds a whole journal that was written anew only by its head", async () => {
    const forged = rechained(lines.toSpliced(retried().length + 1, halted().length));
    expect(await verifyJournal(forged)).toMatchObject({ ok: true, completeness: { verdict: "NOT PROVEN" } });
    expect(await verifyJournal(forged, { head })).toMatchObject({ ok: false, completeness: { verdict: "FAIL" } });
  });

  it("says what is wrong with a line that is no record", async () => {
    const canonical = JSON.stringify(JSON.parse(lines[3]!), null, 1).replaceAll("\n", "");
    const damaged = lines
      .with(2, '{"event":{"actionIndex":0,"ac')
      .with(3, canonical)
      .with(5, "[]")
      .with(
        6,
        rewritten(lines[6]!, () => ({ v: 2 })),
      )
      .with(8, "");
    const { integrity } = await verifyJournal(damaged);
    expect(places(integrity.problems)).toEqual([
      "3 not_json",
      "4 not_canonical",
      "6 not_a_record",
      "7 unknown_version",
      "9 not_json",
    ]);
  });

  it("finds a key that stands twice: readers could see different things", async () => {
    const doubled = lines[4]!.replace('"v":1}', '"v":1,"v":1}');
    expect(places((await verifyJournal(lines.with(4, doubled))).integrity.problems)).toEqual(["5 not_canonical"]);
  });

  it("links nothing through a line that cannot be read, and goes on after it", async () => {
    const verdict = await verifyJournal(lines.with(6, "garbage"));
    expect(places(verdict.continuity.problems)).toEqual(["7 unreadable"]);
  });

  it("has nothing against an empty journal but the head that it lacks", async () => {
    expect(await verifyJournal([])).toMatchObject({
      ok: true,
      recordCount: 0,
      completeness: { verdict: "NOT PROVEN" },
    });
    expect(await verifyJournal([], { head })).toMatchObject({ ok: false, completeness: { verdict: "FAIL" } });
    const none = { seq: -1, hash: "0".repeat(64) };
    expect(await verifyJournal([], { head: none })).toMatchObject({ ok: true, completeness: { verdict: "PASS" } });
    expect(await openIntents([])).toEqual([]);
  });

  it("has no record before the first, and speaks of none", async () => {
    const none = { seq: -1, hash: "0".repeat(64) };
    const whatIsWrong = async (...args: Parameters<typeof verifyJournal>) => {
      const { completeness, continuity } = await verifyJournal(...args);
      return [...continuity.problems, ...completeness.problems].map(({ code, message }) => `${code}: ${message}`);
    };
    expect(await whatIsWrong(lines, { head: none })).toEqual([
      "beyond_head: the head is that of a journal without a record, but there are some",
    ]);
    expect(await whatIsWrong(["garbage\n"], { head: none })).toEqual([
      "unreadable: this line cannot be linked to its neighbours",
      "broken_chain: the head says that there is nothing here",
    ]);
    for (const wrong of [
      { ...none, seq: -2 },
      { ...none, hash: "ab".repeat(32) },
    ]) {
      expect(await whatIsWrong([], { head: wrong })).toEqual([
        "wrong_head: no journal has such a head: before the first record it is -1, with a hash of zeros",
      ]);
    }
    const other = { ...(JSON.parse(lines[0]!) as JournalRecord), prev: "ab".repeat(32) };
    expect(await whatIsWrong([other])).toEqual(["wrong_prev: its prev is not zeros, although it is the first"]);
  });

  it("keeps a hundred problems and counts the rest", async () => {
    const { integrity } = await verifyJournal(Array.from({ length: 500 }, () => "x"));
    expect(integrity.problems).toHaveLength(100);
    expect(integrity.problemCount).toBe(500);
  });

  it("finds any change of any one character", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), async (at, where, char) => {
        const index = at % lines.length;
        const line = lines[index]!;
        const position = where % line.length;
        fc.pre(line[position] !== char && char !== "\n");
        const changed = line.slice(0, position) + char + line.slice(position + 1);
        const { ok, integrity } = await verifyJournal(lines.with(index, changed));
        expect([ok, integrity.problems[0]?.line]).toEqual([false, index + 1]);
      }),
    );
  });

  it("finds any cut, in the middle without the head and at the end with it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 5 }), async (at, count) => {
        const from = at % lines.length;
        const cut = lines.toSpliced(from, count);
        expect((await verifyJournal(cut, { head })).ok).toBe(false);
        if (from + count < lines.length) expect((await verifyJournal(cut)).ok).toBe(false);
      }),
    );
  });
});

describe("verifyJournal, pairing", () => {
  it("lists what was in flight when the journal stopped", async () => {
    const { lines: open } = await journalOf(crashed());
    const { ok, pairing } = await verifyJournal(open);
    expect(ok).toBe(true);
    expect(pairing).toMatchObject({
      verdict: "OPEN",
      openIntents: [
        {
          executionId: "refunds-7",
          actionIndex: 0,
          attemptNumber: 0,
          actionId: "refund-customer",
          action: "ACT",
          idempotencyKey: "refund-7",
          intendedAtMs: STARTED_AT,
          startedAtMs: STARTED_AT,
          dispatched: true,
          line: 4,
          seq: 3,
        },
      ],
    });
    expect(places(pairing.problems)).toEqual(["2 left_open", "4 left_open"]);
  });

  it("lists an intent whose dispatch was not recorded: it may have happened", async () => {
    const { lines: open } = await journalOf(crashed().slice(0, 3));
    const [intent] = await openIntents(open);
    expect(intent).toMatchObject({ dispatched: false });
    expect(intent).not.toHaveProperty("startedAtMs");
  });

  /** The events of one action that were there when the process died. */
  const inDoubt = (...events: readonly object[]) =>
    eventsOf("refunds-7", [
      [0, { type: "execution.started", planHash: PLAN_HASH, actionCount: 1 }],
      [0, { type: "action.started", actionIndex: 0, id: "refund", action: "ACT" }],
      ...events.map((event): [number, never] => [1, { actionIndex: 0, attemptNumber: 0, ...event } as never]),
    ]);
  const dispatch = (attemptNumber: number, status: string) => [
    { type: "attempt.intended", action: "ACT", attemptNumber },
    { type: "attempt.started", limitMs: 5000, attemptNumber },
    { type: "attempt.finished", action: "ACT", status, startedAtMs: 1, latencyMs: 1, attemptNumber },
  ];
  const row = { id: "refund", action: "ACT", reason: "completed", attemptCount: 1, latencyMs: 1, waitedMs: 0 };
  const rows = (status: string) => ({ type: "action.finished", ...row, status, basis: "result", replayed: false });
  const reconciling = { type: "reconcile.started" };

  for (const [what, events, attempts] of [
    ["an unknown outcome that nothing has settled", dispatch(0, "unknown"), [0]],
    ["one that is being reconciled", [...dispatch(0, "unknown"), reconciling], [0]],
    [
      "one of which reconcile knows nothing",
      [...dispatch(0, "unknown"), reconciling, { type: "reconcile.finished", verdict: "unknown" }],
      [0],
    ],
    [
      "one that reconcile has settled",
      [...dispatch(0, "unknown"), reconciling, { type: "reconcile.finished", verdict: "not_applied" }],
      [],
    ],
    [
      "one that was asked for while its executor was running",
      [
        ...dispatch(0, "unknown"),
        reconciling,
        { type: "reconcile.finished", verdict: "not_applied", whileRunning: true },
      ],
      [0],
    ],
    ["a known one", dispatch(0, "failed"), []],
    ["one before a refusal", [...dispatch(0, "unknown"), ...dispatch(1, "failed")], [0]],
    ["two", [...dispatch(0, "unknown"), ...dispatch(1, "unknown")], [0, 1]],
    ["one before a success", [...dispatch(0, "unknown"), ...dispatch(1, "success")], []],
    ["one and what is in flight", [...dispatch(0, "unknown"), ...dispatch(1, "unknown").slice(0, 2)], [0, 1]],
    ["one that was heard of late", [...dispatch(0, "unknown"), { type: "attempt.settled_late", status: "failed" }], []],
    ["a row that says so", [...dispatch(0, "unknown"), rows("unknown")], [0]],
    [
      "a row that reconcile has made",
      [...dispatch(0, "unknown"), reconciling, { type: "reconcile.finished", verdict: "applied" }, rows("success")],
      [],
    ],
  ] as const) {
    it(`lists what nobody knows when the process dies: ${what}`, async () => {
      const { lines: open } = await journalOf(inDoubt(...events));
      const { ok, pairing } = await verifyJournal(open);
      expect([ok, pairing.verdict]).toEqual([true, "OPEN"]);
      expect(pairing.openIntents.map(({ attemptNumber }) => attemptNumber)).toEqual(attempts);
      for (const { attemptNumber, outcome } of pairing.openIntents) {
        const isInFlight = attemptNumber === 1 && what === "one and what is in flight";
        expect(outcome).toBe(isInFlight ? undefined : "unknown");
      }
    });
  }

  it("keeps what a crash left open, and lets the same execution begin anew after a restart", async () => {
    const written: string[] = [];
    const sink = { append: (line: string) => void written.push(line) };
    const first = createJsonlJournal(sink);
    for (const event of crashed()) await first.append(event);
    const second = createJsonlJournal(sink, { head: first.head() });
    for (const event of halted()) await second.append(event);
    const { ok, pairing } = await verifyJournal(written, { head: second.head() });
    expect(ok).toBe(true);
    expect(pairing.verdict).toBe("OPEN");
    expect(pairing.openIntents).toMatchObject([{ line: 4 }]);
  });

  const without = (type: string) => {
    const events = halted();
    const index = events.findIndex((event) => event.type === type);
    return events.toSpliced(index, 1).map((event, seq) => ({ ...event, seq }));
  };

  for (const [type, line, code] of [
    ["execution.started", 2, "end_without_start"],
    ["attempt.intended", 4, "end_without_start"],
    ["attempt.started", 15, "end_without_start"],
    ["attempt.finished", 17, "left_open"],
    ["action.started", 3, "end_without_start"],
    ["wait.started", 11, "end_without_start"],
    ["wait.finished", 17, "left_open"],
    ["action.finished", 17, "left_open"],
  ] as const) {
    it(`finds that ${type} is missing, in a journal that is chained and numbered without a gap`, async () => {
      const { lines: forged, head: forgedHead } = await journalOf(without(type));
      const verdict = await verifyJournal(forged, { head: forgedHead });
      expect(verdict).toMatchObject({ ok: false, continuity: { verdict: "PASS" }, pairing: { verdict: "FAIL" } });
      expect(places(verdict.pairing.problems)[0]).toBe(`${line} ${code}`);
    });
  }

  it("S5.3 finds that an action has no row", async () => {
    const events = halted()
      .filter((event) => !("actionIndex" in event && event.actionIndex === 2))
      .map((event, seq) => ({ ...event, seq }));
    const { problems } = (await verifyJournal((await journalOf(events)).lines)).pairing;
    expect(problems).toMatchObject([
      { line: 16, code: "event_missing", message: "its execution ends with 2 of 3 actions" },
    ]);
  });

  it("finds a gap in the numbers of an execution's events", async () => {
    const { lines: forged } = await journalOf(retried().toSpliced(5, 2));
    expect(places((await verifyJournal(forged)).pairing.problems)).toEqual(["7 event_missing"]);
  });

  it("finds what was begun or ended twice", async () => {
    const twice = (type: string) => {
      const events = retried();
      const index = events.findIndex((event) => event.type === type);
      return events.toSpliced(index, 0, events[index]!).map((event, seq) => ({ ...event, seq }));
    };
    const found = async (type: string) =>
      places((await verifyJournal((await journalOf(twice(type))).lines)).pairing.problems)[0];
    expect(await found("execution.started")).toBe("3 started_twice");
    expect(await found("action.started")).toBe("4 started_twice");
    expect(await found("attempt.intended")).toBe("5 started_twice");
    expect(await found("attempt.started")).toBe("6 end_without_start");
    expect(await found("attempt.finished")).toBe("7 end_without_start");
    expect(await found("action.finished")).toBe("20 end_without_start");
  });

  it("accepts answers and key outcomes that come after the report", async () => {
    const late = [
      ...halted(),
      {
        ...halted().at(-1)!,
        seq: halted().length,
        type: "key.completed",
        actionIndex: 0,
        idempotencyKey: "refund-7",
        recorded: true,
      } as const,
    ];
    expect((await verifyJournal((await journalOf(late)).lines)).pairing.verdict).toBe("PASS");
  });

  it("refuses an outcome of a key that was never claimed", async () => {
    const events = retried();
    const unclaimed = { type: "key.completed", actionIndex: 0, idempotencyKey: "k", recorded: true } as const;
    const forged = events.toSpliced(17, 0, { ...events[17]!, ...unclaimed }).map((event, seq) => ({ ...event, seq }));
    expect(places((await verifyJournal((await journalOf(forged)).lines)).pairing.problems)).toEqual([
      "19 end_without_start",
    ]);
  });

  it("refuses an event without an execution", async () => {
    const { lines: forged } = await journalOf([{ ...retried()[0]!, executionId: 7 as unknown as string }]);
    expect(places((await verifyJournal(forged)).pairing.problems)).toEqual(["2 malformed_event"]);
  });
});

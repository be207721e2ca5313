import {
  createMemoryIdempotencyStore,
  createRedactor,
  type ExecutionEvent,
  execute,
  type FinalDecisionInput,
} from "@eoc/core";
import { describe, expect, it } from "vitest";
import {
  createJsonlJournal,
  type JournalRecord,
  type JsonlJournal,
  openIntents,
  renderTimeline,
  verifyJournal,
} from "../src/index.js";
import { sealRecord } from "../src/journal-record.js";
import { crashed, halted } from "./scenarios.js";
import { eventsOf, PLAN_HASH, STARTED_AT } from "./support.js";

const clock = { now: () => STARTED_AT + 60_000 };
const NAMED = { executionId: "refunds-7", actionIndex: 0, attemptNumber: 0 };
const REFUND = { seq: 3, executionId: "refunds-7", actionIndex: 0, attemptNumber: 0 };

/** A journal that is being written. */
async function begun(...events: readonly (readonly ExecutionEvent[])[]) {
  const lines: string[] = [];
  const sink = { append: (line: string) => void lines.push(line) };
  const first = createJsonlJournal(sink);
  for (const event of events.flat()) await first.append(event);
  return { lines, sink, first };
}

/** A journal whose writer died, and how its next writer finds it. */
async function afterRestart(...events: readonly (readonly ExecutionEvent[])[]) {
  const { lines, sink, first } = await begun(...events);
  return { lines, journal: createJsonlJournal(sink, { head: first.head(), clock }) };
}

const pictureOf = (lines: readonly string[]) => renderTimeline(recordsOf(lines).map(({ event }) => event));
/** Attempts that the picture leaves in doubt. */
const doubtsIn = (lines: readonly string[]) =>
  pictureOf(lines)
    .split("\n")
    .filter((line) => /^ {2}attempt .*UNKNOWN/.test(line) && !/, (key )?found /.test(line)).length;
const recordsOf = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as JournalRecord);
const appendAll = async (journal: JsonlJournal, events: readonly ExecutionEvent[]) => {
  for (const event of events) await journal.append(event);
};

/** Attempts of one action, and what else there was of them, of execution `refunds-7`. */
const attempts = (...events: readonly object[]) =>
  eventsOf("refunds-7", [
    [0, { type: "execution.started", planHash: PLAN_HASH, actionCount: 1 }],
    [0, { type: "action.started", actionIndex: 0, id: "refund", action: "ACT" }],
    ...events.map((event): [number, never] => [1, { actionIndex: 0, attemptNumber: 0, ...event } as never]),
  ]);
const dispatch = (attemptNumber: number, status?: string) => [
  { type: "attempt.intended", action: "ACT", attemptNumber },
  { type: "attempt.started", limitMs: 5000, attemptNumber },
  ...(status === undefined
    ? []
    : [{ type: "attempt.finished", action: "ACT", status, startedAtMs: 1, latencyMs: 1, attemptNumber }]),
];

describe("JsonlJournal.settle", () => {
  it("puts on record what an operator found out, and the journal is open no more", async () => {
    const { lines, journal } = await afterRestart(crashed());
    expect((await verifyJournal(lines)).pairing.verdict).toBe("OPEN");
    const [intent] = await openIntents(lines);
    await journal.settle({ ...intent!, outcome: "applied", by: "ops", note: "the bank has it" });

    expect(recordsOf(lines).at(-1)?.event).toEqual({
      type: "journal.settled",
      intentSeq: 3,
      ...NAMED,
      outcome: "applied",
      settledAtMs: STARTED_AT + 60_000,
      by: "ops",
      note: "the bank has it",
    });
    const { ok, pairing } = await verifyJournal(lines, { head: journal.head() });
    expect(ok).toBe(true);
    expect(pairing).toEqual({
      verdict: "PASS",
      problems: [],
      problemCount: 0,
      openIntents: [],
      cutShort: [{ executionId: "refunds-7", line: 2, seq: 1 }],
    });
  });

  for (const [what, events, settled, left] of [
    ["one in flight", dispatch(0), [0], []],
    ["one whose dispatch is not on record", dispatch(0).slice(0, 1), [0], []],
    ["an unknown outcome", dispatch(0, "unknown"), [0], []],
    ["one of two unknown outcomes", [...dispatch(0, "unknown"), ...dispatch(1, "unknown")], [0], [1]],
    ["the other one", [...dispatch(0, "unknown"), ...dispatch(1, "unknown")], [1], [0]],
    ["both", [...dispatch(0, "unknown"), ...dispatch(1)], [1, 0], []],
  ] as const) {
    it(`settles what it names and nothing else: ${what}`, async () => {
      const { lines, journal } = await afterRestart(attempts(...events));
      const open = await openIntents(lines);
      for (const attemptNumber of settled) {
        const { seq } = open.find((intent) => intent.attemptNumber === attemptNumber)!;
        await journal.settle({ ...REFUND, seq, attemptNumber, outcome: "not_applied" });
      }
      const { ok, pairing } = await verifyJournal(lines);
      expect(ok).toBe(true);
      expect(pairing.openIntents.map(({ attemptNumber }) => attemptNumber)).toEqual(left);
      expect(pairing.verdict).toBe(left.length === 0 ? "PASS" : "OPEN");
    });
  }

  it("goes by the record of the intent, whatever has the same names", async () => {
    const { lines, journal } = await afterRestart(attempts(...dispatch(0)));
    await appendAll(journal, attempts(...dispatch(0, "unknown")));
    const [first, second] = await openIntents(lines);
    expect([first, second]).toMatchObject([NAMED, { ...NAMED, outcome: "unknown" }]);
    await journal.settle({ ...second!, outcome: "applied" });
    expect((await openIntents(lines)).map(({ seq }) => seq)).toEqual([first!.seq]);
    await journal.settle({ ...first!, outcome: "not_applied" });
    expect(await openIntents(lines)).toEqual([]);
  });

  it("does not end the execution of a writer that is still there", async () => {
    const { lines, first } = await begun(attempts(...dispatch(0, "unknown")));
    await first.settle({ ...REFUND, outcome: "applied" });
    const { pairing } = await verifyJournal(lines);
    expect(pairing).toMatchObject({ verdict: "OPEN", openIntents: [], cutShort: [] });
    expect(pairing.problems.map(({ line, code }) => `${line} ${code}`)).toEqual(["2 left_open"]);
  });

  for (const status of ["success", "failed", "unknown"]) {
    it(`lets an attempt end all the same that somebody has settled while it was in flight: ${status}`, async () => {
      const { lines, first } = await begun(attempts(...dispatch(0)));
      await first.settle({ ...REFUND, outcome: "applied" });
      await first.append(attempts(...dispatch(0, status)).at(-1)!);
      const { ok, pairing } = await verifyJournal(lines);
      expect([ok, pairing.openIntents]).toEqual([true, []]);
    });
  }

  it("forgets what it settled once that has ended: the same attempt of a later execution is in doubt", async () => {
    const { lines, sink, first } = await begun(attempts(...dispatch(0)));
    await first.settle({ ...REFUND, outcome: "applied" });
    const journal = createJsonlJournal(sink, { head: first.head() });
    await appendAll(
      journal,
      attempts(...dispatch(0, "unknown")).map((event) => ({ ...event })),
    );
    expect((await verifyJournal(lines)).pairing.openIntents).toMatchObject([{ ...REFUND, outcome: "unknown", seq: 9 }]);
  });

  it("settles what was cut off when the same execution has begun anew", async () => {
    const { lines, journal } = await afterRestart(crashed());
    await appendAll(journal, halted());
    await journal.settle({ ...REFUND, outcome: "not_applied" });
    const { ok, pairing } = await verifyJournal(lines);
    expect([ok, pairing.verdict, pairing.cutShort.length]).toEqual([true, "PASS", 1]);
  });

  it("may be of an execution that has ended: the record of what was found stands", async () => {
    const { lines, first } = await begun(halted());
    await first.settle({ ...REFUND, outcome: "applied" });
    const { ok, pairing, conformance } = await verifyJournal(lines);
    expect([ok, pairing.verdict, conformance.verdict]).toEqual([true, "PASS", "NOT PROVEN"]);
  });

  it("settles what its records have masked ids of", async () => {
    const lines: string[] = [];
    const sink = { append: (line: string) => void lines.push(line) };
    const redactor = createRedactor({ secrets: ["c4n4ry-77"] });
    const first = createJsonlJournal(sink, { redactor });
    for (const event of crashed()) await first.append({ ...event, executionId: "c4n4ry-77" });
    const journal = createJsonlJournal(sink, { redactor, head: first.head() });
    const [intent] = await openIntents(lines);
    expect(intent?.executionId).not.toContain("c4n4ry");
    await journal.settle({ ...intent!, outcome: "applied" });
    expect(recordsOf(lines).at(-1)?.event).toMatchObject({ executionId: intent!.executionId });
    expect((await verifyJournal(lines)).pairing).toMatchObject({ verdict: "PASS", openIntents: [] });
    expect(lines.join()).not.toContain("c4n4ry");
  });

  it("S9.1 redacts who said it and how they know", async () => {
    const { lines, journal } = await afterRestart(crashed());
    await journal.settle({ ...REFUND, outcome: "applied", note: "asked with Bearer abcdefghijklmnopqrstuvwxyz" });
    expect(lines.at(-1)).not.toContain("abcdefghijklmnop");
    expect(lines.at(-1)).toContain("asked with");
  });

  for (const [wrong, words] of [
    [{ outcome: "unknown" }, 'settlement.outcome must be one of applied, not_applied, not "unknown"'],
    [{ executionId: undefined }, "settlement.executionId must be a text, not undefined"],
    [{ actionIndex: -1 }, "settlement.actionIndex must be a whole number from 0 on, not -1"],
    [{ attemptNumber: 0.5 }, "settlement.attemptNumber must be a whole number from 0 on, not 0.5"],
    [{ by: 7 }, "settlement.by must be a text, not 7"],
    [{ note: {} }, "settlement.note must be a text, not object"],
  ] as const) {
    it(`refuses what is no settlement: ${JSON.stringify(wrong)}`, async () => {
      const { lines, journal } = await afterRestart(crashed());
      const before = lines.length;
      await expect(journal.settle({ ...REFUND, outcome: "applied", ...wrong } as never)).rejects.toMatchObject({
        code: "invalid_option",
        message: words,
      });
      expect(lines).toHaveLength(before);
    });
  }
});

describe("verifyJournal, settlements", () => {
  it("finds one that says nothing", async () => {
    const { lines, journal } = await afterRestart(crashed());
    await journal.append(halted()[0]!);
    const event = { type: "journal.settled", ...REFUND, outcome: "perhaps", settledAtMs: 0 };
    const forged = sealRecord(journal.head(), JSON.stringify(event, Object.keys(event).sort()));
    const { ok, pairing } = await verifyJournal([...lines, forged.line]);
    expect(ok).toBe(false);
    expect(pairing.problems[0]).toMatchObject({ code: "malformed_event", line: lines.length + 1 });
    expect(pairing.openIntents).toHaveLength(1);
  });

  const late = { type: "attempt.settled_late", status: "success" };
  const asked = [{ type: "reconcile.started" }, { type: "reconcile.finished", verdict: "applied" }];
  const IN_DOUBT = dispatch(0, "unknown");
  it.each<[string, readonly object[], readonly object[], string, number]>([
    ["of another execution", IN_DOUBT, [{ executionId: "another" }], "names another dispatch", 1],
    ["of another action", IN_DOUBT, [{ actionIndex: 5 }], "names another dispatch", 1],
    ["of another attempt, of what is in flight", dispatch(0), [{ attemptNumber: 9 }], "names another dispatch", 1],
    ["that contradicts one before", IN_DOUBT, [{ outcome: "applied" }, {}], "was found applied before", 0],
    ["that contradicts one of what is in flight", dispatch(0), [{ outcome: "applied" }, {}], "found applied before", 0],
    ["that contradicts a late answer", [...IN_DOUBT, late], [{}], "found applied before", 0],
    ["that contradicts reconcile", [...IN_DOUBT, ...asked], [{}], "found applied before", 0],
  ])("finds one %s, which settles nothing", async (_, events, settlements, words, left) => {
    const { lines, journal } = await afterRestart(attempts(...events));
    for (const each of settlements) await journal.settle({ ...REFUND, outcome: "not_applied", ...each });
    const { ok, pairing } = await verifyJournal(lines, { head: journal.head() });
    const found = pairing.problems.filter(({ code }) => code === "settlement_mismatch");
    expect([ok, pairing.verdict, found.map(({ line }) => line)]).toEqual([false, "FAIL", [lines.length]]);
    expect(found[0]?.message).toContain(words);
    expect(await openIntents(lines)).toHaveLength(left);
  });

  it.each<[string, readonly object[], object, number]>([
    ["of a record that is not there", IN_DOUBT, { seq: 99 }, 1],
    ["of a record that is no intent", IN_DOUBT, { seq: 0 }, 1],
    ["of what has ended while somebody was asking", dispatch(0, "success"), {}, 0],
  ])("has nothing against one %s, which settles nothing", async (_, events, settlement, left) => {
    const { lines, journal } = await afterRestart(attempts(...events));
    await journal.settle({ ...REFUND, outcome: "applied", ...settlement });
    const { problems } = (await verifyJournal(lines)).pairing;
    expect(problems.map(({ code }) => code)).not.toContain("settlement_mismatch");
    expect(await openIntents(lines)).toHaveLength(left);
  });

  it.each<[string, readonly object[]]>([
    ["a settlement", []],
    ["a late answer", [late]],
    ["reconcile", asked],
  ])("has nothing against one that says again what %s has said", async (_, events) => {
    const { lines, journal } = await afterRestart(attempts(...IN_DOUBT, ...events));
    for (let i = 0; i < 2; i++) await journal.settle({ ...REFUND, outcome: "applied" });
    const { ok, pairing } = await verifyJournal(lines);
    expect([ok, pairing.verdict, pairing.openIntents]).toEqual([true, "PASS", []]);
  });

  it("finds one that contradicts what an executor said after its execution had ended", async () => {
    const { lines, journal } = await afterRestart(
      attempts(
        ...IN_DOUBT,
        {
          type: "action.finished",
          id: "refund",
          action: "ACT",
          status: "unknown",
          reason: "attempt_timeout",
          attemptCount: 1,
        },
        { type: "execution.finished", status: "unknown", totalLatencyMs: 1, failClosed: true },
        late,
      ),
    );
    await journal.settle({ ...REFUND, outcome: "not_applied" });
    expect((await verifyJournal(lines)).pairing.problems).toMatchObject([{ code: "settlement_mismatch" }]);
  });

  it("cannot judge one of an intent in a file that was not given", async () => {
    const files: string[][] = [[]];
    let isFull = false;
    const sink = { append: (line: string) => void files.at(-1)!.push(line), isFull: () => isFull, rotate };
    function rotate() {
      isFull = false;
      files.push([]);
    }
    const journal = createJsonlJournal(sink);
    await appendAll(journal, attempts(...IN_DOUBT));
    isFull = true;
    await journal.settle({ ...REFUND, outcome: "applied" });
    expect((await verifyJournal(files[1]!)).pairing.problems).toEqual([]);
    expect(await openIntents(files.flat())).toEqual([]);
  });

  it("counts what a restart cut short, with nothing in doubt, as over", async () => {
    const { lines, journal } = await afterRestart(attempts(...dispatch(0, "failed")));
    expect((await verifyJournal(lines)).pairing).toMatchObject({ verdict: "OPEN", cutShort: [] });
    await appendAll(
      journal,
      attempts()
        .slice(0, 1)
        .map((event) => ({ ...event, executionId: "refunds-8" })),
    );
    const { pairing } = await verifyJournal(lines);
    expect(pairing.cutShort).toEqual([{ executionId: "refunds-7", line: 2, seq: 1 }]);
    expect(pairing.problems.map(({ message }) => message)).toEqual(["execution refunds-8 has no end"]);
  });
});

describe("openIntents, of executions that have ended", () => {
  const KEYED: FinalDecisionInput = { action: "ACT", actions: [{ action: "ACT", idempotency_key: "refund-7" }] };

  /** An execution that ended with an unknown outcome, and what its journal can be gone on with. */
  async function unknown(
    policy = {},
    executor: Parameters<typeof execute>[3] = () => Promise.reject(new Error("reset")),
  ) {
    const lines: string[] = [];
    const journal = createJsonlJournal({ append: (line) => void lines.push(line) }, { clock });
    const idempotencyStore = createMemoryIdempotencyStore();
    const run = (by: Parameters<typeof execute>[3], executionId: string) =>
      execute(KEYED, {}, { idempotency: { enabled: true }, ...policy }, by, { journal, idempotencyStore, executionId });
    expect((await run(executor, "first")).status).toBe("unknown");
    return { lines, journal, run, idempotencyStore };
  }

  it("lists what ended in doubt, and nothing is wrong with the journal", async () => {
    const { lines } = await unknown();
    const { ok, pairing } = await verifyJournal(lines);
    expect([ok, pairing.verdict, pairing.problems]).toEqual([true, "PASS", []]);
    expect(pairing.openIntents).toMatchObject([
      { executionId: "first", idempotencyKey: "refund-7", outcome: "unknown", dispatched: true },
    ]);
  });

  it("until somebody settles it", async () => {
    const { lines, journal } = await unknown();
    const [intent] = await openIntents(lines);
    await journal.settle({ ...intent!, seq: intent!.seq + 1, outcome: "applied" });
    expect(await openIntents(lines)).toHaveLength(1);
    await journal.settle({ ...intent!, outcome: "not_applied" });
    expect(await openIntents(lines)).toEqual([]);
  });

  for (const [what, state] of [
    ["applied, and completes its key", "applied"],
    ["not applied, and another dispatch completes it", "not_applied"],
  ] as const) {
    it(`until another execution proves it ${what}`, async () => {
      const { lines, run } = await unknown();
      const report = await run({ execute: () => ({ ok: true }), reconcile: () => ({ state }) }, "second");
      expect(report.status).toBe("success");
      expect(await openIntents(lines)).toEqual([]);
      const words = `UNKNOWN, key found ${state.replace("_", " ")} (exec`;
      expect(pictureOf(lines)).toContain(words);
      // Of the execution alone nobody could know.
      const alone = recordsOf(lines).flatMap(({ event }) =>
        "executionId" in event && event.executionId === "first" ? [event] : [],
      );
      expect(renderTimeline(alone)).toMatch(/attempt 0 .*UNKNOWN: execution_exception$/m);
    });
  }

  it("and not because another execution of the key knows nothing either", async () => {
    const { lines, run } = await unknown();
    await run(() => ({ ok: true }), "second");
    await run({ execute: () => ({ ok: true }), reconcile: () => ({ state: "unknown" }) }, "third");
    expect((await openIntents(lines)).map(({ executionId }) => executionId)).toEqual(["first"]);
    expect(doubtsIn(lines)).toBe(1);
  });

  for (const [status, left] of [
    ["success", []],
    ["failed", [0]],
    ["unknown", [0, 1]],
  ] as const) {
    it(`until its executor says late what came of it: ${status}`, async () => {
      const { lines, first } = await begun(
        attempts(
          ...dispatch(0, "unknown"),
          ...dispatch(1, "unknown"),
          {
            type: "action.finished",
            id: "refund",
            action: "ACT",
            status: "unknown",
            reason: "attempt_timeout",
            attemptCount: 1,
            latencyMs: 1,
            waitedMs: 0,
            basis: "timeout",
            replayed: false,
          },
          { type: "execution.finished", status: "unknown", totalLatencyMs: 1, failClosed: true },
          { type: "attempt.settled_late", status, attemptNumber: 1 },
        ),
      );
      expect(first.head().count).toBe(lines.length);
      expect((await openIntents(lines)).map(({ attemptNumber }) => attemptNumber)).toEqual(left);
    });
  }

  it("and not because the key is completed or released by somebody who knew nothing of it", async () => {
    for (const gate of [undefined, () => ({ allow: false, code: "no" }) as const]) {
      // A store in memory, which has died with its process.
      const { lines, journal } = await unknown();
      const idempotencyStore = createMemoryIdempotencyStore();
      const options = { journal, idempotencyStore, ...(gate && { gates: [gate] }) };
      await execute(KEYED, {}, { idempotency: { enabled: true } }, () => ({ ok: true }), options);
      expect(lines.some((line) => line.includes(gate ? '"key.released"' : '"key.completed"'))).toBe(true);
      expect(await openIntents(lines)).toHaveLength(1);
    }
  });

  it("nor by reconcile of a key that the doubtful execution had not claimed", async () => {
    const lines: string[] = [];
    const journal = createJsonlJournal({ append: (line) => void lines.push(line) }, { clock });
    await execute(KEYED, {}, {}, () => Promise.reject(new Error("reset")), { journal });
    const idempotencyStore = createMemoryIdempotencyStore();
    const policy = { idempotency: { enabled: true } };
    await execute(KEYED, {}, policy, () => Promise.reject(new Error("reset")), { journal, idempotencyStore });
    const byReconcile = { execute: () => ({ ok: true as const }), reconcile: () => ({ state: "applied" as const }) };
    await execute(KEYED, {}, policy, byReconcile, { journal, idempotencyStore });
    const left = await openIntents(lines);
    expect(left.map(({ seq }) => seq)).toEqual([3]);
    expect(doubtsIn(lines)).toBe(1);
  });

  it("what a crash left of a key is settled by reconcile of whoever finds the key in doubt", async () => {
    const lines: string[] = [];
    const sink = { append: (line: string) => void lines.push(line) };
    const first = createJsonlJournal(sink, { clock });
    const events: ExecutionEvent[] = [];
    const policy = { idempotency: { enabled: true } };
    const store = createMemoryIdempotencyStore();
    const dies = { idempotencyStore: store, onEvent: (event: ExecutionEvent) => events.push(event) };
    await execute(KEYED, {}, policy, () => Promise.reject(new Error("reset")), dies);
    const cut = events.findIndex(({ type }) => type === "attempt.started");
    for (const event of events.slice(0, cut + 1)) await first.append(event);
    const journal = createJsonlJournal(sink, { head: first.head(), clock });
    expect(await openIntents(lines)).toHaveLength(1);
    const byReconcile = {
      execute: () => ({ ok: true as const }),
      reconcile: () => ({ state: "not_applied" as const }),
    };
    await execute(KEYED, {}, policy, byReconcile, { journal, idempotencyStore: store });
    const { pairing } = await verifyJournal(lines);
    expect(pairing).toMatchObject({ verdict: "PASS", openIntents: [], cutShort: [{ line: 2 }] });
    expect(pictureOf(lines)).toMatch(/attempt 0 .*UNKNOWN, key found not applied$/m);
  });

  const claimed = (idempotencyKey: string) => ({ type: "key.claimed", idempotencyKey });
  const asked = (verdict: string, more = {}) => [
    { type: "reconcile.started" },
    { type: "reconcile.finished", verdict, ...more },
  ];
  it.each<[string, boolean, readonly object[], string | undefined]>([
    ["applied", true, [claimed("k"), ...asked("applied")], "applied"],
    ["not applied", true, [claimed("k"), ...asked("not_applied")], "not applied"],
    [
      "not applied, of an executor that was still running",
      true,
      [claimed("k"), ...asked("not_applied", { whileRunning: true })],
      undefined,
    ],
    ["nothing", true, [claimed("k"), ...asked("unknown")], undefined],
    ["of another key", true, [claimed("other"), ...asked("applied")], undefined],
    ["without a claim", true, asked("applied"), undefined],
    ["of its own dispatch", true, [claimed("k"), ...dispatch(0, "unknown"), ...asked("applied")], undefined],
    ["while its writer is still there", false, [claimed("k"), ...asked("applied")], undefined],
  ])("is drawn as the pairing has it, when another execution found %s", async (_, isRestarted, events, found) => {
    const { lines, sink, first } = await begun(
      attempts(claimed("k"), ...dispatch(0).map((e) => ({ ...e, idempotencyKey: "k" }))),
    );
    const journal = isRestarted ? createJsonlJournal(sink, { head: first.head() }) : first;
    await appendAll(
      journal,
      attempts(...events).map((event) => ({ ...event, executionId: "refunds-8" })),
    );
    const left = (await openIntents(lines)).filter(({ executionId }) => executionId === "refunds-7").length;
    expect(left).toBe(found === undefined ? 1 : 0);
    const picture = pictureOf(lines).split("refunds-8")[0]!;
    if (found !== undefined) expect(picture).toMatch(new RegExp(`UNKNOWN, key found ${found}$`, "m"));
    else expect(picture).toMatch(/UNKNOWN: no end recorded$/m);
  });
});

describe("verifyJournal, files without those before", () => {
  it("lists what they hold of executions that began before", async () => {
    const { lines, head } = await rotatedBefore("attempt.intended");
    const { ok, pairing, completeness } = await verifyJournal(lines, { head });
    expect([ok, pairing.verdict]).toEqual([true, "OPEN"]);
    expect(completeness.missingBefore).toBeGreaterThan(0);
    expect(pairing.openIntents).toMatchObject([{ ...NAMED, idempotencyKey: "refund-7", dispatched: true }]);
  });

  it("also where the intent itself is in a file before", async () => {
    const { lines } = await rotatedBefore("attempt.started");
    expect((await verifyJournal(lines)).pairing.openIntents).toMatchObject([
      { ...NAMED, action: "", dispatched: true },
    ]);
  });

  it("and has nothing against what ends there", async () => {
    for (const type of [
      "action.started",
      "attempt.intended",
      "attempt.started",
      "attempt.finished",
      "action.finished",
    ]) {
      const { lines } = await rotatedBefore(type, halted());
      const { ok, pairing } = await verifyJournal(lines);
      expect([type, ok, pairing.verdict]).toEqual([type, true, "PASS"]);
    }
  });

  /** The second file of a journal that was rotated before the first event of a type. */
  async function rotatedBefore(type: string, events = crashed()) {
    const files: string[][] = [[]];
    const at = events.findIndex((event) => event.type === type);
    let count = 0;
    const journal = createJsonlJournal({
      append: (line) => void files.at(-1)!.push(line),
      isFull: () => count === at,
      rotate: () => void files.push([]),
    });
    for (const event of events) {
      await journal.append(event);
      count++;
    }
    return { lines: files[1]!, head: journal.head() };
  }
});

describe("two executions with one id at a time", () => {
  it("are found, and what is in flight of either is listed", async () => {
    const { lines, first } = await begun(crashed());
    for (const event of halted().slice(0, 1)) await first.append(event);
    const { ok, pairing } = await verifyJournal(lines);
    expect(ok).toBe(false);
    expect(pairing.problems[0]).toMatchObject({ code: "started_twice" });
    expect(pairing.openIntents).toMatchObject([REFUND]);
  });
});

describe("renderTimeline, settlements", () => {
  it("says beside an attempt in doubt what somebody has found out", async () => {
    const { lines, journal } = await afterRestart(crashed());
    await journal.settle({ ...REFUND, outcome: "not_applied" });
    const picture = pictureOf(lines);
    expect(picture).toMatch(/attempt 0 .*UNKNOWN, found not applied$/m);
    expect(picture.split("\n").every((line) => line.length <= 80)).toBe(true);
  });

  it("says first what was found, which is not cut off then", async () => {
    const { lines, first } = await begun(
      attempts(...dispatch(0).slice(0, 2), {
        ...{ type: "attempt.finished", action: "ACT", status: "unknown", startedAtMs: STARTED_AT, latencyMs: 1 },
        errorCode: "nobody_knows_what_became_of_it",
      }),
    );
    await first.settle({ ...REFUND, outcome: "not_applied" });
    expect(pictureOf(lines)).toMatch(/attempt 0 .*UNKNOWN, found not applied \(nobody_kn.*…$/m);
  });

  it("has nothing to draw of one alone", async () => {
    const { lines, journal } = await afterRestart();
    await journal.settle({ ...REFUND, outcome: "applied" });
    expect(renderTimeline(recordsOf(lines).map(({ event }) => event))).toBe("");
  });
});

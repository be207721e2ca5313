import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExecutionPolicyInput, execute, type FinalDecisionInput } from "@eoc/core";
import { createScriptedExecutor, createVirtualClock, rejects, succeeds } from "@eoc/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createJsonlJournal, type JournalHead, type JournalVerdict, verifyJournal } from "../src/index.js";
import { createFileSink, readJournal } from "../src/node.js";

/*
 * Two journals of real executions, on disk, and everything that somebody who can write the file may do to one of them without
 * chaining it anew. Each has to show at the right record. What chaining anew takes is in conformance.test.ts.
 */

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eoc-tampering-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

interface Kept {
  path: string;
  head: JournalHead;
  lines: string[];
}

async function keepJournal(name: string): Promise<Kept> {
  const path = join(folder, `${name}.jsonl`);
  const clock = createVirtualClock();
  const sink = createFileSink(path, { fsync: "never" });
  const policy: ExecutionPolicyInput = { retry: { maxRetries: 2 }, onFailure: "continue" };
  const decision: FinalDecisionInput = { action: "ACT", actions: [{ action: "ACT", id: "pay" }, { action: "EXIT" }] };
  const journal = createJsonlJournal(sink, { policy, versions: { service: name } });
  const executor = createScriptedExecutor([rejects("busy", { afterMs: 5 }), succeeds(), succeeds()], { clock });
  await clock.run(() => execute(decision, {}, policy, executor, { clock, journal, executionId: name }));
  await sink.close();
  return { path, head: journal.head(), lines: readFileSync(path, "utf8").trimEnd().split("\n") };
}

async function verify({ path, lines }: Kept, tampered: readonly string[], head?: JournalHead): Promise<JournalVerdict> {
  expect(tampered).not.toEqual(lines);
  writeFileSync(path, `${tampered.join("\n")}\n`);
  return verifyJournal(readJournal(path), { head });
}

const first = ({ problems }: { problems: readonly { line: number; code: string }[] }) =>
  problems[0] === undefined ? undefined : `${problems[0].line} ${problems[0].code}`;

describe("Show 1: a journal that was tampered with", { timeout: 20_000 }, () => {
  it("passes as long as nobody has", async () => {
    const { path, head } = await keepJournal("mine");
    const verdict = await verifyJournal(readJournal(path), { head });
    const verdicts = [
      verdict.integrity,
      verdict.continuity,
      verdict.pairing,
      verdict.conformance,
      verdict.completeness,
    ];
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(["PASS", "PASS", "PASS", "PASS", "PASS"]);
  });

  it("shows every edited record", async () => {
    const mine = await keepJournal("mine");
    for (let index = 0; index < mine.lines.length; index++) {
      const edited = mine.lines[index]!.replace(/"type":"[a-z]/, (start) => `${start}x`);
      const { ok, integrity } = await verify(mine, mine.lines.with(index, edited));
      expect([ok, first(integrity)]).toEqual([false, `${index + 1} hash_mismatch`]);
    }
  });

  it("shows every record that was inserted, which is a copy of another", async () => {
    const mine = await keepJournal("mine");
    for (let index = 1; index <= mine.lines.length; index++) {
      const { ok, continuity } = await verify(mine, mine.lines.toSpliced(index, 0, mine.lines[index - 1]!));
      expect([ok, first(continuity)]).toEqual([false, `${index + 1} out_of_place`]);
    }
  });

  it("shows every two records that changed places", async () => {
    const mine = await keepJournal("mine");
    for (let index = 1; index < mine.lines.length - 1; index++) {
      const swapped = mine.lines.with(index, mine.lines[index + 1]!).with(index + 1, mine.lines[index]!);
      const { ok, continuity } = await verify(mine, swapped);
      expect([ok, first(continuity)]).toEqual([false, `${index + 1} missing_records`]);
    }
  });

  it("shows every record that was deleted in the middle, at the one after it", async () => {
    const mine = await keepJournal("mine");
    for (let index = 1; index < mine.lines.length - 1; index++) {
      const { ok, continuity } = await verify(mine, mine.lines.toSpliced(index, 1));
      expect([ok, first(continuity)]).toEqual([false, `${index + 1} missing_records`]);
    }
    expect(first((await verify(mine, mine.lines.slice(1))).continuity)).toBe("1 no_opening");
  });

  it("is NOT PROVEN without a head when its tail was cut off, and fails with it, wherever it was cut", async () => {
    const mine = await keepJournal("mine");
    for (let length = 1; length < mine.lines.length; length++) {
      const cut = mine.lines.slice(0, length);
      const without = await verify(mine, cut);
      expect(without).toMatchObject({ ok: true, completeness: { verdict: "NOT PROVEN", problems: [] } });
      const withHead = await verify(mine, cut, mine.head);
      expect([withHead.ok, first(withHead.completeness)]).toEqual([false, `${length + 1} truncated`]);
    }
  });

  it("is told from another journal in its place by the head alone", async () => {
    const [mine, other] = [await keepJournal("mine"), await keepJournal("other")];
    expect(mine.lines.length).toBe(other.lines.length);
    const without = await verify(mine, other.lines);
    expect(without).toMatchObject({ ok: true, completeness: { verdict: "NOT PROVEN" } });
    const withHead = await verify(mine, other.lines, mine.head);
    expect([withHead.ok, first(withHead.completeness)]).toEqual([false, `${mine.lines.length} wrong_head`]);
  });

  it("shows where another journal goes on in its middle", async () => {
    const [mine, other] = [await keepJournal("mine"), await keepJournal("other")];
    for (let index = 1; index < mine.lines.length; index++) {
      const spliced = [...mine.lines.slice(0, index), ...other.lines.slice(index)];
      const { ok, continuity } = await verify(mine, spliced);
      expect([ok, first(continuity)]).toEqual([false, `${index + 1} wrong_prev`]);
    }
  });
});

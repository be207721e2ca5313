import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExecutionPolicyInput, execute, type FinalDecisionInput } from "@eoc/core";
import { createScriptedExecutor, createVirtualClock, rejects, succeeds } from "@eoc/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createJsonlJournal, type JournalHead, verifyJournal } from "../src/index.js";
import { createFileSink, readJournal } from "../src/node.js";

/*
 * What a record says is one thing, the bytes that say it another: nobody may write a record of a journal in other bytes than its
 * writer did, even where every reader would see the same in them.
 */

let folder: string;
let path: string;
let head: JournalHead;
/** The file as its writer left it, line by line, each with its end. */
let lines: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "eoc-bytes-"));
  path = join(folder, "journal.jsonl");
  const clock = createVirtualClock();
  const policy: ExecutionPolicyInput = { retry: { maxRetries: 2 } };
  // The replacement character is what a lenient reader makes of broken bytes.
  const decision: FinalDecisionInput = { action: "ACT", actions: [{ action: "ACT", id: "pay\ufffd漢" }] };
  lines = [];
  const journal = createJsonlJournal({ append: (line) => void lines.push(`${line}\n`) }, { policy });
  const executor = createScriptedExecutor([rejects("busy"), succeeds()], { clock });
  await clock.run(() => execute(decision, {}, policy, executor, { clock, journal, executionId: "run-1" }));
  head = journal.head();
});

afterEach(() => rmSync(folder, { recursive: true }));

async function verify(content: string | Uint8Array) {
  writeFileSync(path, content);
  return verifyJournal(readJournal(path), { head });
}

const first = ({ problems }: { problems: readonly { line: number; code: string }[] }) =>
  problems[0] === undefined ? undefined : `${problems[0].line} ${problems[0].code}`;

/** A line in which `from` stands, with `to` instead, and its number. */
function rewritten(from: string | RegExp, to: string): { at: number; all: string } {
  const index = lines.findIndex((line) => (typeof from === "string" ? line.includes(from) : from.test(line)));
  expect(index).toBeGreaterThanOrEqual(0);
  const changed = lines[index]!.replace(from, to);
  expect(changed).not.toBe(lines[index]);
  return { at: index + 1, all: lines.with(index, changed).join("") };
}

describe("Show 1: a journal in other bytes", { timeout: 60_000 }, () => {
  it("passes as its writer wrote it", async () => {
    expect(await verify(lines.join(""))).toMatchObject({ ok: true, completeness: { verdict: "PASS" } });
  });

  const SAME_TO_A_READER: Record<string, [from: string | RegExp, to: string]> = {
    "a number in another form": ['"seq":3,"v"', '"seq":3.0,"v"'],
    "a number with an exponent": [/"actionCount":1\b/, '"actionCount":1e0'],
    "a number with a sign": [/"actionIndex":0\b/, '"actionIndex":-0'],
    "a space after a colon": ['"v":1', '"v": 1'],
    "a space at the end": ["}\n", "} \n"],
    "a carriage return at the end": ["}\n", "}\r\n"],
    "a tab at the start": ["{", "\t{"],
    "an escaped letter": ["run-1", "r\\u0075n-1"],
    "an escaped letter that needs none": ["run-1", "run\\u002d1"],
    "keys in another order": [/"prev":("[^"]*"),"seq":(\d+)/, '"seq":$2,"prev":$1'],
    "a key twice": ['"v":1}', '"v":1,"v":1}'],
    "a key too many": ['"v":1}', '"v":1,"w":1}'],
    "a byte order mark": ["{", "\ufeff{"],
  };

  for (const [name, [from, to]] of Object.entries(SAME_TO_A_READER)) {
    it(`shows ${name}, at its record`, async () => {
      const { at, all } = rewritten(from, to);
      const { ok, integrity } = await verify(all);
      expect([ok, first(integrity)?.split(" ")[0]]).toEqual([false, String(at)]);
    });
  }

  it("shows a hash in capitals", async () => {
    const capitals = lines[4]!.replace(/(?<="hash":")[^"]+/, (hash) => hash.toUpperCase());
    const { ok, integrity } = await verify(lines.with(4, capitals).join(""));
    expect([ok, first(integrity)]).toEqual([false, "5 not_a_record"]);
  });

  it("shows every line that ends in CR LF", async () => {
    const { ok, integrity } = await verify(lines.join("").replaceAll("\n", "\r\n"));
    expect(ok).toBe(false);
    expect(integrity.problems.map(({ line, code }) => `${line} ${code}`)).toEqual(
      lines.map((_, index) => `${index + 1} not_canonical`),
    );
  });

  it("shows bytes that are no UTF-8 although a lenient reader sees what the writer wrote", async () => {
    const bytes = Buffer.from(lines.join(""));
    const at = bytes.indexOf("\ufffd");
    const line = lines.findIndex((text) => text.includes("\ufffd")) + 1;
    for (const broken of [[0xff], [0xe6, 0xbc], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
      const forged = Buffer.concat([bytes.subarray(0, at), Buffer.from(broken), bytes.subarray(at + 3)]);
      const { ok, integrity } = await verify(forged);
      expect([broken, ok, first(integrity)?.split(" ")[0]]).toEqual([broken, false, String(line)]);
    }
  });

  it("shows characters that look alike", async () => {
    const { at, all } = rewritten("漢", "\uf9a9"); // A compatibility form of the same character.
    const { ok, integrity } = await verify(all);
    expect([ok, first(integrity)]).toEqual([false, `${at} hash_mismatch`]);
  });

  it("shows an empty line in the middle, and has nothing against one at the end", async () => {
    expect(first((await verify(lines.toSpliced(3, 0, "\n").join(""))).integrity)).toBe("4 not_json");
    expect((await verify(`${lines.join("")}\n`)).ok).toBe(true);
    expect((await verify(`${lines.join("")}\n\n`)).ok).toBe(false);
  });

  it("shows a line that is longer than any record, reading it in little memory", async () => {
    const long = "x".repeat(2 ** 25);
    for (const content of [
      [...lines.slice(0, 4), `${long}\n`, ...lines.slice(4)],
      [...lines.slice(0, 4), `${lines[4]!.trimEnd()}${" ".repeat(2 ** 25)}\n`, ...lines.slice(5)],
    ]) {
      const { ok, integrity } = await verify(content.join(""));
      expect([ok, integrity.problems.map(({ line }) => line)]).toEqual([false, [5]]);
    }
  });

  it("cannot prove an empty file, which a head tells from a whole one", async () => {
    writeFileSync(path, "");
    const unproven = { verdict: "NOT PROVEN" };
    expect(await verifyJournal(readJournal(path))).toMatchObject({ ok: true, recordCount: 0, completeness: unproven });
    const { ok, completeness } = await verify("");
    expect([ok, first(completeness)]).toEqual([false, "1 truncated"]);
    expect(completeness.problems[0]!.message).toBe(`there is no record: record ${head.seq} is known to exist`);
  });

  const UNENDED: Record<string, (text: string) => string> = {
    "all line ends are carriage returns": (text) => text.replaceAll("\n", "\r"),
    "all line ends are spaces": (text) => text.replaceAll("\n", " "),
    "all line ends are lost": (text) => text.replaceAll("\n", ""),
    "the last two records have carriage returns": (text) => text.replace(/\n(.*)\n$/, "\r$1\r"),
    "the last record has a carriage return": (text) => text.replace(/\n$/, "\r"),
    "the last record is torn, and the one before has a carriage return": (text) =>
      text.replace(/\n(.{9}).*\n$/, "\r$1"),
  };
  for (const [what, convert] of Object.entries(UNENDED)) {
    it(`takes records for no torn tail where ${what}, and leaves them in place`, async () => {
      const content = convert(lines.join(""));
      writeFileSync(path, content);
      const { ok, integrity, tornTail } = await verifyJournal(readJournal(path));
      expect([ok, integrity.verdict, tornTail]).toEqual([false, "FAIL", undefined]);
      expect(() => createFileSink(path)).toThrow(`${path} has records without their line ends`);
      expect(readFileSync(path, "utf8")).toBe(content);
    });
  }

  it("takes zeros after a whole record for torn: a loss of power leaves them", async () => {
    const content = `${lines.join("").slice(0, -1)}${"\0".repeat(9)}`;
    writeFileSync(path, content);
    expect(await verifyJournal(readJournal(path))).toMatchObject({ ok: true, tornTail: { line: lines.length } });
    const sink = createFileSink(path);
    expect(sink.recovered.tornBytes).toBe(lines.at(-1)!.length - 1 + 9);
    await sink.close();
  });

  it("takes a last line without its end for torn, whole as it may be", async () => {
    const content = lines.join("").slice(0, -1);
    writeFileSync(path, content);
    expect(await verifyJournal(readJournal(path))).toMatchObject({
      ok: true,
      tornTail: { line: lines.length, length: lines.at(-1)!.length - 1 },
      completeness: { verdict: "NOT PROVEN" },
    });
    const { ok, completeness } = await verify(content);
    expect([ok, first(completeness)]).toEqual([false, `${lines.length} truncated`]);
    expect(readFileSync(path, "utf8")).toBe(content);
  });

  it("shows any one byte that was changed, at its line", { timeout: 60_000 }, async () => {
    const bytes = Buffer.from(lines.join(""));
    let line = 1;
    let tried = 0;
    for (let index = 0; index < bytes.length; index += 1) {
      const isEnd = bytes[index] === 0x0a;
      if (index % 11 === 0 && !isEnd) {
        const forged = Buffer.from(bytes);
        forged[index]! ^= [0x01, 0x20, 0x80, 0xff][index % 4]!;
        // A line end in the middle makes two lines of one.
        if (forged[index] !== 0x0a) {
          const { ok, integrity } = await verify(forged);
          expect([index, ok, first(integrity)?.split(" ")[0]]).toEqual([index, false, String(line)]);
          tried++;
        }
      }
      if (isEnd) line++;
    }
    expect(tried).toBeGreaterThan(200);
  });
});

import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createJsonlJournal, type JournalRecord } from "@eoc/trace";
import { journalFiles } from "@eoc/trace/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { linesOf, POLICY, run, tell, write } from "./support.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eoc-cli-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** The words beside each verdict. */
function verdicts(out: string): Record<string, string> {
  const rows = [...out.matchAll(/^ {2}([a-z]+) +(PASS|FAIL|OPEN|NOT PROVEN)(?: +(.*))?$/gm)];
  return Object.fromEntries(
    rows.map(([, name, verdict, remark]) => [name, [verdict, remark].filter(Boolean).join(": ")]),
  );
}

describe("eoc verify", () => {
  it("ends in 0 when everything is proven", async () => {
    const { journal, head, checkpoints, publicKey } = await tell("success", folder);
    const policy = write(folder, "policy.json", POLICY);
    const given = ["--head", head, "--checkpoints", checkpoints, "--public-key", publicKey, "--policy", policy];
    const { code, out, err } = await run(["verify", journal, ...given]);
    expect([code, err]).toEqual([0, ""]);
    expect(verdicts(out)).toEqual({
      integrity: "PASS",
      continuity: "PASS",
      pairing: "PASS",
      signatures: "PASS",
      conformance: "PASS",
      completeness: "PASS",
    });
    expect(out.split("\n")[0]).toBe(`${linesOf(journal).length} records, the last is ${head}`);
  });

  it("ends in 4 when nobody says where the journal ends, and says what would prove it", async () => {
    const { journal, checkpoints } = await tell("success", folder);
    const without = await run(["verify", journal]);
    expect(without.code).toBe(4);
    expect(verdicts(without.out)).toMatchObject({
      signatures: "NOT PROVEN: no checkpoints were given",
      completeness: "NOT PROVEN: without --head: its end may have been cut off",
    });
    const last = linesOf(journal).length - 1;
    expect(verdicts((await run(["verify", journal, "--checkpoints", checkpoints])).out)).toMatchObject({
      signatures: "NOT PROVEN: no public key was given",
      completeness: `NOT PROVEN: up to record ${last}; what came after may have been cut off`,
    });
  });

  it("says of a journal without records that it is empty, or that nothing in it is one", async () => {
    const empty = write(folder, "empty.jsonl", "");
    const unproven = await run(["verify", empty]);
    expect([unproven.code, unproven.out.split("\n")[0]]).toEqual([4, "0 records: it is empty"]);
    expect(verdicts(unproven.out)).toMatchObject({
      completeness: "NOT PROVEN: without --head: all of it may have been cut off",
    });
    expect((await run(["verify", empty, `--head=-1:${"0".repeat(64)}`])).out).toMatch(/completeness +PASS\n/);
    const [first] = (await run(["verify", write(folder, "letter.txt", "a letter\nto the editor\n")])).out.split("\n");
    expect(first).toBe("2 lines, and none of them is a record");
    expect((await run(["verify", write(folder, "word.txt", "word\n")])).out).toMatch(/^1 line, and it is no record\n/);
  });

  it("ends in 1 when the journal was tampered with, and names the line", async () => {
    const { journal, head } = await tell("success", folder);
    const lines = linesOf(journal);
    writeFileSync(journal, lines.toSpliced(4, 1).join(""));
    const { code, out } = await run(["verify", journal, "--head", head]);
    expect(code).toBe(1);
    expect(verdicts(out)).toMatchObject({ integrity: "PASS", continuity: "FAIL: 1 problem" });
    expect(out).toContain(`\n${journal}:5  missing_records: record 4 is missing before this one\n`);
  });

  it("Show 1: says NOT PROVEN of a cut-off tail without a head, and FAIL with it", async () => {
    const { journal, head } = await tell("success", folder);
    writeFileSync(journal, linesOf(journal).slice(0, -3).join(""));
    const without = await run(["verify", journal]);
    expect([without.code, verdicts(without.out)["completeness"]?.slice(0, 10)]).toEqual([4, "NOT PROVEN"]);
    const withHead = await run(["verify", journal, "--head", head]);
    expect([withHead.code, verdicts(withHead.out)["completeness"]]).toEqual([1, "FAIL: 1 problem"]);
    expect(withHead.out.split("\n\n")[1]).toMatch(/^\S+ {2}truncated: cut off after record/);
  });

  it("reads a journal through all its files, and names the file of what is wrong", async () => {
    const { journal, head } = await tell("success", folder, { maxBytes: 2500 });
    expect((await run(["verify", journal, "--head", head])).code).toBe(0);
    const second = `${journal}.000001`;
    expect((await run(["verify", journal, second, "--head", head])).code).toBe(0);
    writeFileSync(second, linesOf(second).with(1, "x\n").join(""));
    expect((await run(["verify", journal])).out).toContain(`\n${second}:2  not_json: `);
    const alone = await run(["verify", second, "--head", head]);
    expect(verdicts(alone.out)["completeness"]).toMatch(/^FAIL/);
  });

  it("says so when the first files of a journal were not given", async () => {
    const { journal, head } = await tell("success", folder, { maxBytes: 2500 });
    const { code, out } = await run(["verify", ...journalFiles(journal).slice(1), "--head", head]);
    expect(code).toBe(4);
    expect(verdicts(out)["completeness"]).toMatch(/^NOT PROVEN: records 0 to \d+ are in files that were not given$/);
  });

  it("reads standard input", async () => {
    const { journal, head } = await tell("success", folder);
    const { code, out } = await run(["verify", "-", "--head", head], { stdin: linesOf(journal).join("") });
    expect([code, out.split("\n")[0]]).toEqual([0, `${linesOf(journal).length} records, the last is ${head}`]);
  });

  it("ends in 4 when something was in flight, and reports half a line at the end", async () => {
    const { journal } = await tell("success", folder);
    const lines = linesOf(journal);
    const started = lines.findIndex((line) => line.includes("attempt.started"));
    writeFileSync(journal, lines.slice(0, started + 1).join(""));
    appendFileSync(journal, lines[started + 1]!.slice(0, 30));
    const { code, out } = await run(["verify", journal]);
    expect(code).toBe(4);
    expect(verdicts(out)["pairing"]).toBe("OPEN: 1 dispatch in flight or in doubt: see eoc intents");
    expect(out).toContain(`${journal}:${started + 2}  half a line, never acknowledged`);
  });

  it("shows ten of those that a crash has left open, and says how many there are", async () => {
    const { journal } = await tell("success", folder);
    const lines = linesOf(journal);
    const events = lines.slice(0, lines.findIndex((line) => line.includes("attempt.started")) + 1);
    const written: string[] = [];
    const many = createJsonlJournal({ append: (line) => void written.push(`${line}\n`) });
    for (let run = 0; run < 30; run++) {
      for (const { event } of events.map((line) => JSON.parse(line) as JournalRecord))
        if ("executionId" in event && "seq" in event) void many.append({ ...event, executionId: `run-${run}` });
    }
    writeFileSync(journal, written.join(""));
    const { code, out } = await run(["verify", journal]);
    expect(code).toBe(4);
    expect(out.match(/left_open/g)).toHaveLength(10);
    expect(out).toContain("... and 50 more\n");
  });

  it("ends in 4 when the records do not say under which policy, and in 1 when it was another", async () => {
    const { journal, head } = await tell("success", folder, { policy: false });
    const { code, out } = await run(["verify", journal, "--head", head]);
    expect([code, verdicts(out)["conformance"]]).toEqual([4, "NOT PROVEN: the records do not say enough"]);
    expect(out).toMatch(/journal\.jsonl:5 {2}no_policy: nothing says which policy this execution was under\n/);
    const right = write(folder, "policy.json", POLICY);
    expect((await run(["verify", journal, "--head", head, "--policy", right])).code).toBe(0);
    const strict = write(folder, "strict.json", { retry: { maxRetries: 0 } });
    const broken = await run(["verify", journal, "--head", head, "--policy", strict]);
    expect(broken.code).toBe(1);
    expect(broken.out).toContain("too_many_dispatches: attempt 1 of action 0 is dispatch 2 of 1 + 0");
  });

  it("ends in 1 when a checkpoint is not signed by the key that was given", async () => {
    const { journal, head, checkpoints } = await tell("success", folder);
    const other = mkdtempSync(join(folder, "other-"));
    const { publicKey } = await tell("success", other);
    const { code, out } = await run([
      "verify",
      journal,
      "--head",
      head,
      "--checkpoints",
      checkpoints,
      "--public-key",
      publicKey,
    ]);
    expect([code, verdicts(out)["signatures"]]).toEqual([1, "FAIL: 1 problem"]);
    expect(out).toContain("\ncheckpoint 1  unknown_key: ");
  });

  it("ends in 4 when a key is given and nothing that it could have signed", async () => {
    const { journal, head, publicKey } = await tell("success", folder);
    const { code } = await run(["verify", journal, "--head", head, "--public-key", publicKey]);
    expect(code).toBe(4);
  });

  it("gives the whole verdict as JSON", async () => {
    const { journal, head } = await tell("success", folder);
    const { code, out } = await run(["verify", journal, "--head", head, "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      exitCode: code,
      pairing: { verdict: "PASS", openIntents: [] },
      completeness: { verdict: "PASS", provenUpTo: Number(head.split(":")[0]) },
    });
  });

  it("colours verdicts on a terminal, unless NO_COLOR is set", async () => {
    const { journal } = await tell("success", folder);
    expect((await run(["verify", journal], { isTTY: true })).out).toContain("\u001b[32mPASS\u001b[0m");
    for (const options of [{}, { isTTY: true, env: { NO_COLOR: "1" } }, { isTTY: true, env: { TERM: "dumb" } }]) {
      expect((await run(["verify", journal], options)).out).not.toContain("\u001b");
    }
    expect((await run(["verify", journal], { isTTY: true, env: { NO_COLOR: "" } })).out).toContain("\u001b");
  });

  it("lets nothing in a journal reach the terminal as it is", async () => {
    const path = write(folder, "evil.jsonl", '{"event":{"type":"\u001b[2J"},"hash":"x"}\n');
    const evil = join(folder, "a\u001b[31mb");
    writeFileSync(evil, linesOf(path).join(""));
    const { out } = await run(["verify", evil]);
    expect(out).not.toContain("\u001b");
  });

  it("ends in 2 for what it cannot use, in one line", async () => {
    const { journal, checkpoints } = await tell("success", folder);
    const nothing = join(folder, "nothing");
    const wrong: [string[], RegExp][] = [
      [[], /^eoc: a file is missing/],
      [[nothing], /nothing: it cannot be read \(ENOENT\)$/],
      [[folder], /it cannot be read \(EISDIR\)$/],
      [[journal, "--head", "12"], /^eoc: --head must be SEQ:HASH/],
      [[journal, "--head"], /head/],
      [[journal, "--head", `-1:${"0".repeat(64)}`], /^eoc: Option '--head' .* use '--head=-XYZ'\. \(see --help\)$/],
      [[journal, "--nonsense"], /^eoc: Unknown option '--nonsense'/],
      [[journal, "--checkpoints", nothing], /nothing: it cannot be read/],
      [[journal, "--checkpoints", journal], /line 1 of .* is not a journal's checkpoint$/],
      [[journal, "--public-key", checkpoints], /the key is not a public Ed25519 key$/],
      [[journal, "--policy", checkpoints], /must be|it is not JSON/],
      [[journal, "--policy", write(folder, "bad.json", { retry: { maxRetries: -1 } })], /retry\.maxRetries/],
    ];
    for (const [argv, complaint] of wrong) {
      const { code, out, err } = await run(["verify", ...argv]);
      expect([argv, code, out]).toEqual([argv, 2, ""]);
      expect(err.trimEnd()).toMatch(complaint);
      expect(err.trimEnd()).not.toContain("\n");
    }
  });
});

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isValidExternalKey, packetFromDict } from "@eoc/decision-schema";
import { verifyJournal } from "@eoc/trace";
import { readJournalFile } from "@eoc/trace/node";
import { describe, expect, it, vi } from "vitest";
import { latencyMs } from "../src/scenario/latency.js";
import { aFolder, bundled, reportsOf, runDemo } from "./support.js";

// Real connections, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const REFERENCE = '{"action":"ACT","allowed":true,"reasons":["signal_detected"]}';

describe("the bundled scenarios", () => {
  it("all go as their files expect, and fit 80 columns", async () => {
    const { exitCode, stdout, stderr, folder } = await runDemo([]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).not.toContain("\u001b");
    expect(stdout.split("\n").filter((line) => [...line].length > 80)).toEqual([]);
    expect(stdout).toContain(`Packets and journals: ${folder}`);
    const files = (await readdir(new URL("../decisions/", import.meta.url))).length;
    expect(files).toBeGreaterThanOrEqual(5);
    expect(stdout.match(/ yes$/gm)).toHaveLength(files);
    expect(await readdir(folder)).toHaveLength(2 * files);
  });
});

describe("a decision in the reference's wire form", () => {
  it("is executed from standard input and applied once", async () => {
    const run = await runDemo(["-", "--json"], { stdin: REFERENCE });
    expect(reportsOf(run)).toMatchObject([
      { scenario: "stdin", status: "success", effects: { "action-0": 1 }, attempt_count: 1 },
    ]);
    expect(run.exitCode).toBe(0);
  });

  it("leaves a packet with registered exec keys, and a journal that verifies", async () => {
    const { folder } = await runDemo([bundled("01-reference-form"), "--json"]);
    const packet = packetFromDict(JSON.parse(await readFile(join(folder, "01-reference-form.packet.json"), "utf8")));
    expect(packet.external).toMatchObject({ "exec.status": "success", "exec.attempt_count": 1 });
    expect(Object.keys(packet.external).filter((key) => !isValidExternalKey(key))).toEqual([]);
    expect(packet.final_action).toMatchObject({ action: "ACT", reasons: ["signal_detected"] });
    const verdict = await verifyJournal(readJournalFile(join(folder, "01-reference-form.journal.jsonl")));
    expect([verdict.ok, verdict.conformance.verdict]).toEqual([true, "PASS"]);
  });
});

describe("a dropped reply", () => {
  it("is one effect and `unknown`; naive retry makes it two and says success", async () => {
    const run = await runDemo([bundled("03-dropped-reply"), "--json"]);
    expect(reportsOf(run)).toMatchObject([
      {
        status: "unknown",
        effects: { "refund-7": 1 },
        naive: { status: "success", requests: 2, effects: { "refund-7": 2 } },
      },
    ]);
    expect(run.exitCode).toBe(4);
  });

  it("is a success where the executor can ask, still with one effect", async () => {
    const run = await runDemo([bundled("04-dropped-reply-reconciled"), "--json"]);
    expect(reportsOf(run)).toMatchObject([{ status: "success", requests: 1, effects: { "refund-8": 1 } }]);
    expect(run.exitCode).toBe(0);
  });

  it("is shown with its timeline beside what naive retry did", async () => {
    const { stdout } = await runDemo([bundled("03-dropped-reply")]);
    expect(stdout).toMatch(/attempt 0 .* UNKNOWN: connection_reset/);
    expect(stdout).toMatch(/says +unknown +success/);
    expect(stdout).toMatch(/refund-7 +1 effect +2 effects {2}done again/);
  });
});

describe("the kill switch", () => {
  it("S2.1 in the context denies: nothing is sent, exit code 3", async () => {
    const run = await runDemo([bundled("07-kill-switch"), "--json"]);
    expect(reportsOf(run)).toMatchObject([{ status: "denied", reason: "kill_switch", requests: 0, effects: {} }]);
    expect(run.exitCode).toBe(3);
  });

  it("S2.4 thrown in flight leaves the rest of the plan undone", async () => {
    const run = await runDemo([bundled("09-halt-in-flight"), "--json"]);
    expect(reportsOf(run)).toMatchObject([
      { status: "unknown", requests: 1, effects: { "order-1": 1 }, denied_count: 2 },
    ]);
  });
});

describe("a malformed file", () => {
  const malformed: [name: string, text: string, line: string][] = [
    ["empty", "", "-: (whole file): it is empty"],
    [
      "not JSON",
      '{\n  "action": "ACT",\n}',
      "-: line 3 column 1: it is not JSON: Expected double-quoted property name",
    ],
    ["no JSON at all", "action: ACT", "-: (whole file): it is not JSON: Unexpected token 'a'"],
    ["no object", '["ACT"]', "-: (whole file): expected object, received array"],
    [
      "an unknown action",
      '{"action":"BUY"}',
      '-: action: expected "HOLD" | "ACT" | "EXIT" | "CANCEL" | "STOP", received string',
    ],
    [
      "a wrong type within",
      '{"action":"ACT","actions":[{"action":"ACT","params":7}]}',
      "-: actions[0].params: expected ",
    ],
    [
      "a key by another name",
      '{"action":"ACT","actions":[{"action":"ACT","idempotencyKey":"k"}]}',
      "-: actions[0].idempotencyKey: expected idempotency_key",
    ],
    [
      "a key at another place",
      '{"decision":{"action":"ACT","idempotency_key":"k"}}',
      "-: decision.idempotency_key: expected a member of an action: actions[0].idempotency_key",
    ],
    [
      "a wrong decision in a scenario",
      '{"decision":{"action":"ACT","allowed":"yes"}}',
      "-: decision.allowed: expected boolean, received string",
    ],
    [
      "a wrong policy",
      '{"decision":{"action":"ACT"},"policy":{"retry":{"maxRetries":-1}}}',
      "-: policy.retry.maxRetries: expected an integer from 0 to 10000",
    ],
    [
      "a misspelt field",
      '{"decision":{"action":"ACT"},"wrold":{}}',
      "-: wrold: no such field; known are about, decision,",
    ],
    [
      "a wrong reply",
      '{"decision":{"action":"ACT"},"world":{"replies":{"*":[{"slow_ms":-1}]}}}',
      "-: world.replies.*[0].slow_ms: expected an integer",
    ],
    ["an expectation without status", '{"decision":{"action":"ACT"},"expect":{}}', "-: expect.status: expected"],
  ];

  for (const [name, stdin, line] of malformed) {
    it(`with ${name} is one line with path and reason, exit code 2, and nothing is dispatched`, async () => {
      const { exitCode, stdout, stderr, folder } = await runDemo(["-"], { stdin });
      expect(exitCode).toBe(2);
      expect(stderr.startsWith(line)).toBe(true);
      expect(stderr.split("\n")).toHaveLength(2);
      expect(stdout).toBe("");
      await expect(readdir(folder)).rejects.toThrow("ENOENT");
    });
  }

  it("keeps the good files beside it from being dispatched too", async () => {
    const bad = join(await aFolder(), "bad\n.json");
    await writeFile(bad, "{}");
    const { exitCode, stdout, stderr } = await runDemo([bundled("01-reference-form"), bad]);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/bad\?\.json: action: expected .*\n$/);
  });

  it("may also be one that cannot be read", async () => {
    const { exitCode, stderr } = await runDemo(["no-such-file.json"]);
    expect([exitCode, stderr]).toEqual([2, "no-such-file.json: (whole file): it cannot be read (ENOENT)\n"]);
  });
});

describe("the command line", () => {
  it("refuses options that it does not know, in one line", async () => {
    const { exitCode, stderr } = await runDemo(["--jsno"]);
    expect([exitCode, stderr]).toEqual([2, "Unknown option '--jsno' (see --help)\n"]);
  });

  it("explains itself, exit codes included", async () => {
    const { exitCode, stdout } = await runDemo(["--help"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("Exit codes: 0 ok, 1 failed, 2 usage");
  });

  it("writes into a new or empty folder only", async () => {
    const folder = await aFolder();
    await writeFile(join(folder, "kept"), "");
    const { exitCode, stdout, stderr } = await runDemo([bundled("01-reference-form")], { folder });
    expect([exitCode, stdout, stderr]).toEqual([2, "", `--out ${folder}: the folder is not empty\n`]);
    expect(await readdir(folder)).toEqual(["kept"]);
  });

  it("takes the worst of several reports as its exit code", async () => {
    const files = ["01-reference-form", "07-kill-switch", "03-dropped-reply"].map(bundled);
    expect((await runDemo([...files, "--json"])).exitCode).toBe(4);
    expect((await runDemo([...files.slice(0, 2), "--json"])).exitCode).toBe(3);
  });

  it("uses colour on a terminal, unless NO_COLOR or FORCE_COLOR say otherwise", async () => {
    const coloured = async (isTTY: boolean, env: Record<string, string>) =>
      (await runDemo([bundled("08-not-allowed")], { isTTY, env })).stdout.includes("\u001b[");
    expect(await coloured(true, {})).toBe(true);
    expect(await coloured(false, {})).toBe(false);
    expect(await coloured(true, { NO_COLOR: "1" })).toBe(false);
    expect(await coloured(false, { FORCE_COLOR: "1" })).toBe(true);
    expect(await coloured(true, { FORCE_COLOR: "0" })).toBe(false);
  });

  it("shows no control characters of a file", async () => {
    const stdin = JSON.stringify({
      about: "\u001b[2J",
      decision: { action: "ACT", actions: [{ action: "ACT", id: "\u001b[31m" }] },
    });
    expect((await runDemo(["-"], { stdin })).stdout).not.toContain("\u001b");
  });

  it("starts nothing once it is interrupted", async () => {
    const { exitCode, stdout } = await runDemo(["--json"], { signal: AbortSignal.abort() });
    expect([exitCode, stdout]).toEqual([3, ""]);
  });
});

describe("the bundled scenarios by name", () => {
  it("are listed, as text within 80 columns and as JSON", async () => {
    const listed = await runDemo(["list"]);
    expect(listed.exitCode).toBe(0);
    expect(listed.stdout).toMatch(/^dropped-reply {2,}One refund, to be made once/m);
    expect(listed.stdout.split("\n").filter((line) => [...line].length > 80)).toEqual([]);
    const names = reportsOf(await runDemo(["list", "--json"])).map(({ scenario }) => scenario);
    expect(names).toContain("halt-three-in-flight");
    expect(names).toHaveLength((await readdir(new URL("../decisions/", import.meta.url))).length);
  });

  it("run alone, with or without their number, and end in 0 when they went as expected", async () => {
    for (const name of ["dropped-reply", "03-dropped-reply"]) {
      const run = await runDemo([name, "--json"]);
      expect(reportsOf(run)).toMatchObject([{ scenario: "03-dropped-reply", status: "unknown", as_expected: true }]);
      expect(run.exitCode).toBe(0);
    }
  });

  it("have neighbours that do not exist: one line, exit code 2", async () => {
    const { exitCode, stderr } = await runDemo(["droped-reply"]);
    expect([exitCode, stderr]).toEqual([
      2,
      "droped-reply: there is no such scenario and no such file (demo list says which there are)\n",
    ]);
  });

  it("S7.2 a process that dies after it has sent leaves its key in doubt: its successor sends nothing", async () => {
    const run = await runDemo(["crash-after-send", "--json"]);
    expect(reportsOf(run)).toMatchObject([
      {
        status: "unknown",
        reason: "in_doubt",
        requests: 1,
        effects: { "refund-9": 1 },
        naive: { effects: { "refund-9": 2 } },
      },
    ]);
    expect(run.exitCode).toBe(0);
  });

  it("S2.4 three in flight come to one not applied, one unknown, one denied", async () => {
    const [report] = reportsOf(await runDemo(["halt-three-in-flight", "--json"])) as unknown as [
      { actions: { id: string; status: string }[] },
    ];
    expect(report.actions.map(({ id, status }) => [id, status])).toEqual([
      ["deploy-web", "failed"],
      ["deploy-api", "unknown"],
      ["deploy-db", "denied"],
    ]);
  });
});

describe("--seed", () => {
  it("makes the network as slow for both sides as the page's is, and is refused when empty", async () => {
    const latency = latencyMs("slow", "action-0", 0);
    expect(latency).toBeGreaterThan(25);
    const [report] = reportsOf(await runDemo(["reference-form", "--json", "--seed", "slow"])) as [
      Record<string, number>,
    ];
    // A lower bound only: machines are late, never early.
    expect(report["total_latency_ms"]).toBeGreaterThanOrEqual(latency - 2);
    const { exitCode, stderr } = await runDemo(["reference-form", "--seed", ""]);
    expect([exitCode, stderr]).toEqual([2, "--seed: it is empty (see --help)\n"]);
  });
});

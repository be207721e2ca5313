import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { explainReport, renderTimeline, reportToDict } from "@eoc/trace";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DECISION, linesOf, POLICY, run, STORIES, tell, write } from "./support.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eoc-cli-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const names = Object.keys(STORIES) as (keyof typeof STORIES)[];

describe("eoc", () => {
  it("says what it can do, in 80 columns", async () => {
    for (const argv of [["--help"], ["-h"], ["help"], ["nonsense", "--help"]]) {
      const { code, out, err } = await run(argv);
      expect([code, err]).toEqual([0, ""]);
      for (const command of ["verify", "intents", "timeline", "explain", "policy check"]) {
        expect(out).toContain(`\n  eoc ${command} FILE`);
      }
      for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    }
  });

  it("says of one command what that one can do", async () => {
    for (const argv of [
      ["verify", "--help"],
      ["verify", "journal.jsonl", "--json", "-h"],
      ["help", "verify"],
    ]) {
      const { code, out } = await run(argv);
      expect([code, out.match(/^ {2}eoc [a-z ]+/gm)]).toEqual([0, ["  eoc verify "]]);
      expect(out).toContain("--public-key FILE");
      expect(out).toContain("Exit codes: ");
    }
    expect((await run(["policy", "-h"])).out.match(/^ {2}eoc [a-z ]+/gm)).toEqual(["  eoc policy check "]);
  });

  it("names every option that the commands of a store take", async () => {
    const storeOptions = ["--schema", "--prefix", "--json"];
    for (const command of ["keys list", "keys show", "keys resolve", "halt on", "halt off", "halt status"]) {
      const { out } = await run([...command.split(" "), "--help"]);
      const options = command.startsWith("halt") ? [...storeOptions, "--switch"] : storeOptions;
      for (const option of options) expect([command, out]).toEqual([command, expect.stringContaining(`${option} `)]);
      expect(out).toContain("rediss://");
    }
  });

  it("says which version it is", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    expect(await run(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  it("ends in 2 for a command that there is not", async () => {
    for (const argv of [[], ["nonsense"], ["constructor"], ["policy"], ["policy", "invent"]]) {
      const { code, out, err } = await run(argv);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toMatch(/^eoc: .*--help\)\n$/);
    }
  });
});

describe("eoc explain", () => {
  const CODES = { success: 0, failed: 1, partial: 1, denied: 3, halted: 3, unknown: 4 };

  for (const name of names) {
    it(`tells the story of a report, and ends in ${CODES[name]}: ${name}`, async () => {
      const { report } = await tell(name, folder);
      for (const form of [report, reportToDict(report)]) {
        const { code, out } = await run(["explain", write(folder, "report.json", form)]);
        expect(out).toBe(explainReport(report));
        expect(code).toBe(CODES[name]);
      }
    });
  }

  it("reads one report a line, from standard input, and ends in the code of the worst", async () => {
    const reports = [];
    for (const name of names) reports.push((await tell(name, mkdtempSync(join(folder, "x-")))).report);
    const stdin = reports.map((report) => `${JSON.stringify(reportToDict(report))}\n`).join("");
    const { code, out } = await run(["explain", "-"], { stdin });
    expect(out).toBe(reports.map(explainReport).join("\n"));
    expect(code).toBe(4);
    expect((await run(["explain", "-"], { stdin: stdin.split("\n").slice(0, 4).join("\n") })).code).toBe(1);
  });

  it("gives reports with their stories as JSON, in one list", async () => {
    const reports = [];
    for (const name of ["success", "unknown"] as const)
      reports.push((await tell(name, mkdtempSync(join(folder, "x-")))).report);
    const stdin = reports.map((report) => `${JSON.stringify(report)}\n`).join("");
    const { code, out } = await run(["explain", "-", "--json"], { stdin });
    const expected = reports.map((report) => ({ ...reportToDict(report), explanation: explainReport(report) }));
    expect([code, JSON.parse(out)]).toEqual([4, expected]);
    const one = await run(["explain", "-", "--json"], { stdin: stdin.split("\n")[0]! });
    expect([one.code, JSON.parse(one.out)]).toEqual([0, expected.slice(0, 1)]);
  });

  it("ends in 2 for what is no report, and says where", async () => {
    const { report } = await tell("success", folder);
    const wrong: [string | object, RegExp][] = [
      ["", /it is empty/],
      ["{", /it is not JSON/],
      [`${JSON.stringify(report)}\nnonsense`, /line 2/],
      ["[]", /it must be an object/],
      [{}, /execution_id must be a text/],
      [{ ...report, status: "fine" }, /status must be one of success/],
      [{ ...report, actions: [{ ...report.actions[0]!, reason: "because" }] }, /actions\[0\]\.reason must be one of/],
      [
        { ...report, attempts: [{ ...report.attempts[0]!, latencyMs: "5" }] },
        /attempts\[0\]\.latencyMs must be a number/,
      ],
      [{ ...report, attempts: {} }, /attempts must be a list/],
      [{ ...report, failClosed: "no" }, /failClosed must be true or false/],
      [{ ...report, successCount: -1 }, /successCount must be a whole number/],
      [reportToDict(report, { profile: "reference" }), /reference's form/],
    ];
    for (const [content, complaint] of wrong) {
      const { code, out, err } = await run(["explain", write(folder, "report.json", content)]);
      expect([content, code, out]).toEqual([content, 2, ""]);
      expect(err).toMatch(complaint);
    }
    const record = { event: { type: "journal.opened" }, hash: "", prev: "", seq: 0, v: 1 };
    expect((await run(["explain", write(folder, "journal.jsonl", record)])).err).toContain("it is a journal's record");
    expect((await run(["explain", "one", "two"])).err).toContain("two is one file too many");
  });
});

describe("eoc timeline", () => {
  it("draws a journal in every format", async () => {
    const { journal } = await tell("success", folder);
    const events = linesOf(journal)
      .slice(1)
      .map((line) => JSON.parse(line).event);
    for (const format of ["text", "ansi", "mermaid", "svg"] as const) {
      const { code, out } = await run(["timeline", journal, "--format", format]);
      expect([code, out]).toEqual([0, renderTimeline(events, { format })]);
    }
  });

  it("is in colour on a terminal only, and not where NO_COLOR is set", async () => {
    const { journal } = await tell("success", folder);
    expect((await run(["timeline", journal])).out).not.toContain("\u001b");
    expect((await run(["timeline", journal], { isTTY: true })).out).toContain("\u001b[");
    expect((await run(["timeline", journal], { isTTY: true, env: { NO_COLOR: "1" } })).out).not.toContain("\u001b");
  });

  it("draws reports, one or one a line", async () => {
    const [one, other] = [await tell("success", folder), await tell("unknown", mkdtempSync(join(folder, "x-")))];
    const drawn = await run(["timeline", write(folder, "report.json", one.report)]);
    expect(drawn.out).toBe(renderTimeline(one.report));
    const stdin = [one, other].map(({ report }) => JSON.stringify(reportToDict(report))).join("\n");
    const both = await run(["timeline", "-"], { stdin });
    expect(both.out).toBe([one, other].map(({ report }) => renderTimeline(report)).join("\n"));
    expect((await run(["timeline", "-", "--format", "svg"], { stdin })).err).toContain("--execution");
    const chosen = await run(["timeline", "-", "--format", "svg", "--execution", "unknown-1"], { stdin });
    expect(chosen.out).toBe(renderTimeline(other.report, { format: "svg" }));
  });

  it("draws one execution of a journal, through all its files", async () => {
    const { journal } = await tell("success", folder, { maxBytes: 2500 });
    await tell("unknown", folder, { maxBytes: 2500 });
    const { out } = await run(["timeline", journal, "--execution", "unknown-1"]);
    expect(out).toMatch(/^unknown-1 {2}UNKNOWN/);
    expect(out).not.toContain("success-1");
    expect((await run(["timeline", journal])).out).toMatch(/^success-1 [\s\S]+\nunknown-1 /);
    const none = await run(["timeline", journal, "--execution", "nobody"]);
    expect([none.code, none.err]).toEqual([2, "eoc: there is no execution nobody\n"]);
  });

  it("draws what can be read of a damaged journal, and ends in 1; half a line at its end is no damage", async () => {
    const { journal } = await tell("success", folder);
    appendFileSync(journal, '{"event":{"ac');
    expect(await run(["timeline", journal])).toMatchObject({ code: 0, err: "" });
    writeFileSync(journal, linesOf(journal).with(3, "x\n").join(""));
    const { code, out, err } = await run(["timeline", journal]);
    expect([code, err]).toEqual([1, "eoc: 1 of its lines are no records: see eoc verify\n"]);
    expect(out).toMatch(/^success-1 /);
  });

  it("ends in 2 for a format or a file that is none", async () => {
    const { journal } = await tell("success", folder);
    expect((await run(["timeline", journal, "--format", "png"])).err).toBe(
      "eoc: --format must be one of text, ansi, mermaid, svg\n",
    );
    expect((await run(["timeline", write(folder, "x", "nonsense")])).code).toBe(2);
    expect((await run(["timeline", write(folder, "x", "")])).code).toBe(2);
  });
});

describe("eoc intents", () => {
  async function crashed(): Promise<string> {
    const { journal } = await tell("success", folder);
    const lines = linesOf(journal);
    writeFileSync(journal, lines.slice(0, lines.findIndex((line) => line.includes("attempt.started")) + 1).join(""));
    return journal;
  }

  it("says so when nothing was in flight", async () => {
    const { journal } = await tell("success", folder);
    expect(await run(["intents", journal])).toEqual({
      code: 0,
      out: "Nothing was in flight, and nothing is in doubt.\n",
      err: "",
    });
  });

  it("lists what was in flight, with what the outside world can be asked by, and ends in 4", async () => {
    const journal = await crashed();
    const { code, out } = await run(["intents", journal]);
    expect(code).toBe(4);
    expect(out).toBe(`1 dispatch was in flight. It may or may not have been applied:

  0 ACT refund, attempt 0
    execution success-1
    dispatched at 2023-11-14T22:13:20.000Z
    idempotency key refund-7
    record 3, ${journal}:4

Find out from the outside world before any of it is done again, and put on
record what you found: eoc settle FILE RECORD applied|not_applied
`);
  });

  it("lists an intent without its dispatch too, and gives all of it as JSON", async () => {
    const journal = await crashed();
    writeFileSync(journal, linesOf(journal).slice(0, -1).join(""));
    expect((await run(["intents", journal])).out).toContain("whether it was dispatched is not on record");
    expect(JSON.parse((await run(["intents", journal, "--json"])).out)).toMatchObject([
      { executionId: "success-1", idempotencyKey: "refund-7", dispatched: false, line: 4 },
    ]);
  });

  it("lists what had ended with an unknown outcome, which nothing had settled", async () => {
    const { journal } = await tell("unknown", folder);
    const lines = linesOf(journal);
    const ended = lines.findIndex((line) => line.includes("attempt.finished"));
    writeFileSync(journal, lines.slice(0, ended + 1).join(""));
    const { code, out } = await run(["intents", journal]);
    expect(code).toBe(4);
    expect(out).toContain("1 dispatch was in flight or in doubt. It may or may not have been applied:\n");
    expect(out).toContain("dispatched at 2023-11-14T22:13:20.000Z; it ended with an unknown outcome\n");
  });

  it("lists what ended with an unknown outcome, its execution's end or not", async () => {
    const { journal } = await tell("unknown", folder);
    const { code, out } = await run(["intents", journal]);
    expect(code).toBe(4);
    expect(out).toContain("dispatched at 2023-11-14T22:13:20.000Z; it ended with an unknown outcome\n");
    const { out: verdict } = await run(["verify", journal]);
    expect(verdict).toMatch(/pairing +PASS +1 dispatch in flight or in doubt: see eoc intents\n/);
    const [intent] = JSON.parse((await run(["intents", journal, "--json"])).out);
    expect((await run(["settle", journal, String(intent.seq), "not_applied"])).code).toBe(0);
    expect((await run(["intents", journal])).code).toBe(0);
  });

  it("does not say of a part of a journal that nothing was in flight", async () => {
    const { journal } = await tell("success", folder, { maxBytes: 1500 });
    const { code, out } = await run(["intents", `${journal}.000001`]);
    expect(code).toBe(4);
    expect(out).toMatch(
      /^Nothing that is in these files was in flight, or is in doubt.\nRecords 0 to \d+ are in files that were not given: look at those too.\n$/,
    );
  });

  it("does not say of an empty journal that nothing was in flight, but of one with half a first line", async () => {
    const empty = write(folder, "empty.jsonl", "");
    const another = write(folder, "another.jsonl", "\n");
    for (const more of [[], ["--json"]]) {
      expect(await run(["intents", empty, ...more])).toEqual({ code: 2, out: "", err: `eoc: ${empty}: it is empty\n` });
    }
    expect((await run(["intents", empty, another])).err).toBe(`eoc: ${empty}, ${another}: they are empty\n`);
    const { journal } = await tell("success", folder);
    const torn = write(folder, "torn.jsonl", linesOf(journal)[0]!.slice(0, 50));
    expect(await run(["intents", torn])).toMatchObject({ code: 0, out: expect.stringContaining("Nothing was") });
  });

  it("does not say of a damaged journal that nothing was in flight", async () => {
    const { journal } = await tell("success", folder);
    writeFileSync(journal, linesOf(journal).with(0, linesOf(journal)[0]!.replace("journal", "Journal")).join(""));
    expect(await run(["intents", journal])).toMatchObject({ code: 1, out: "" });
  });

  it("ends in 1 when the journal does not verify, and lists what it finds all the same", async () => {
    const journal = await crashed();
    writeFileSync(journal, linesOf(journal).with(0, linesOf(journal)[0]!.replace("journal", "Journal")).join(""));
    const { code, out, err } = await run(["intents", journal]);
    expect([code, out.split("\n")[0]]).toEqual([1, "1 dispatch was in flight. It may or may not have been applied:"]);
    expect(err).toContain("cannot be relied on");
  });
});

describe("eoc settle", () => {
  async function crashed(): Promise<string> {
    const { journal } = await tell("success", folder);
    const lines = linesOf(journal);
    writeFileSync(journal, lines.slice(0, lines.findIndex((line) => line.includes("attempt.started")) + 1).join(""));
    return journal;
  }
  const settled = (journal: string) => JSON.parse(linesOf(journal).at(-1)!).event;

  it("puts on record what became of a dispatch in doubt: the journal is open no more", async () => {
    const journal = await crashed();
    const env = { USER: "ops" };
    expect(await run(["settle", journal, "3", "applied", "--note", "the bank has it"], { env })).toEqual({
      code: 0,
      out: "On record: attempt 0 of refund was applied.\nIts idempotency key is refund-7: see eoc keys resolve.\nNothing else is in doubt.\n",
      err: "",
    });
    expect(settled(journal)).toMatchObject({
      type: "journal.settled",
      outcome: "applied",
      by: "ops",
      note: "the bank has it",
    });
    expect((await run(["intents", journal])).code).toBe(0);
    const { out } = await run(["verify", journal]);
    expect(out).toMatch(/pairing +PASS +1 execution cut short by a restart, nothing in doubt\n/);
    expect((await run(["timeline", journal])).out).toContain("UNKNOWN, found applied");
    expect(await run(["settle", journal, "3", "applied"])).toMatchObject({ code: 1, out: "" });
  });

  it("says who found out, as it is told, and gives it as JSON", async () => {
    const journal = await crashed();
    const { code, out } = await run(["settle", journal, "3", "not_applied", "--by", "ada", "--json"]);
    expect([code, JSON.parse(out)]).toEqual([
      0,
      { executionId: "success-1", actionIndex: 0, attemptNumber: 0, outcome: "not_applied", left: 0 },
    ]);
    expect(settled(journal)).toMatchObject({ by: "ada", outcome: "not_applied" });
    expect(settled(journal)).not.toHaveProperty("note");
  });

  it("says who found out where the environment does not: as the system calls him, if it does", async () => {
    const whole = readFileSync(await crashed(), "utf8");
    const byWhom = async (options: Parameters<typeof run>[1]) => {
      const journal = write(folder, "journal.jsonl", whole);
      expect((await run(["settle", journal, "3", "applied"], options)).code).toBe(0);
      return settled(journal).by;
    };
    const userName = () => "svc";
    for (const env of [{}, { USER: "" }, { USER: "", LOGNAME: "", USERNAME: "" }] as Record<string, string>[]) {
      expect(await byWhom({ env, userName })).toBe("svc");
    }
    expect(await byWhom({ env: { USER: "", LOGNAME: "ops" }, userName })).toBe("ops");
    expect(await byWhom({})).toBeUndefined();
    expect(await byWhom({ userName: "system" })).toBe(userInfo().username);
  });

  it("goes on in the last file of a journal that was rotated", async () => {
    const { journal } = await tell("success", folder, { maxBytes: 1500 });
    const cut = `${journal}.000001`;
    writeFileSync(cut, linesOf(cut).slice(0, 2).join(""));
    for (let part = 2; existsSync(`${journal}.00000${part}`); part++) rmSync(`${journal}.00000${part}`);
    const [intent] = JSON.parse((await run(["intents", journal, "--json"])).out);
    expect((await run(["settle", journal, String(intent.seq), "applied"])).code).toBe(0);
    expect(settled(cut)).toMatchObject({ type: "journal.settled" });
    expect((await run(["verify", journal])).out).toMatch(/pairing +PASS/);
  });

  it("changes nothing where nothing is in doubt, or the journal is damaged", async () => {
    const journal = await crashed();
    const whole = readFileSync(journal, "utf8");
    for (const record of ["2", "99"]) {
      const { code, out, err } = await run(["settle", journal, record, "applied"]);
      expect([code, out]).toEqual([1, ""]);
      expect(err).toBe(`eoc: record ${record} is no dispatch in doubt: nothing was changed (see eoc intents)\n`);
    }
    expect(readFileSync(journal, "utf8")).toBe(whole);
    const damaged = whole.replace("refund-7", "refund-8");
    writeFileSync(journal, damaged);
    const { code, err } = await run(["settle", journal, "3", "applied"]);
    expect([code, err]).toEqual([1, "eoc: the journal does not verify: nothing was changed (see eoc verify)\n"]);
    expect(readFileSync(journal, "utf8")).toBe(damaged);
  });

  it("does not write a journal that something else writes", async () => {
    const journal = await crashed();
    const child = spawn("sh", ["-c", `exec 3>>"${journal}"; echo ready; read x`], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const whole = readFileSync(journal, "utf8");
    const { code, err } = await run(["settle", journal, "3", "applied"]);
    child.stdin.end();
    if (process.platform === "linux")
      expect([code, err]).toEqual([2, expect.stringContaining(`process ${child.pid} writes`)]);
    if (code !== 0) expect(readFileSync(journal, "utf8")).toBe(whole);
  });

  it("does not write after what it has not read", async () => {
    const { journal } = await tell("success", folder);
    const lines = linesOf(journal);
    const cut = lines.findIndex((line) => line.includes("attempt.started")) + 1;
    writeFileSync(journal, lines.slice(0, cut).join(""));
    const env = {
      // Asked for when the journal has been verified.
      get USER() {
        appendFileSync(journal, lines[cut]!);
        return "ops";
      },
    };

    const { code, out, err } = await run(["settle", journal, "3", "applied"], { env });

    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("something has written to it meanwhile");
    expect(linesOf(journal)).toEqual(lines.slice(0, cut + 1));
  });

  it("ends in 2 for wrong usage, and makes no file", async () => {
    const journal = await crashed();
    const missing = join(folder, "missing.jsonl");
    for (const [argv, words] of [
      [[], "FILE, RECORD and the outcome are missing"],
      [[journal], "eoc: RECORD and the outcome are missing"],
      [[journal, "3"], "eoc: the outcome is missing"],
      [[journal, "3", "perhaps"], "the outcome must be applied or not_applied"],
      [[journal, "third", "applied"], "RECORD must be the number of a record"],
      [[missing, "3", "applied"], "there is no such journal"],
      [["-", "3", "applied"], "there is no such journal"],
      [[journal, "3", "applied", "--by", ""], "--by must name somebody"],
      [[journal, "3", "applied", "--by", " "], "--by must name somebody"],
    ] as const) {
      const { code, out, err } = await run(["settle", ...argv]);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain(words);
    }
    expect(existsSync(missing)).toBe(false);
  });
});

describe("eoc policy check", () => {
  it("prints the worst that a policy allows", async () => {
    const { code, out } = await run(["policy", "check", write(folder, "policy.json", POLICY)]);
    expect(code).toBe(0);
    expect(out).toBe(`${folder}/policy.json is valid. At worst:
  dispatches of an action   2 (1 + 1 retries)
  in flight at once         1
  backoff of an action      50 ms
  until the report          31100 ms (30000 + grace 100 + ports 1000)
`);
  });

  it("prints it for the plan of a decision", async () => {
    const decision = { ...DECISION, actions: [...DECISION.actions!, { action: "HOLD" }] };
    const policy = write(folder, "policy.json", POLICY);
    const { code, out } = await run(["policy", "check", policy, "--decision", write(folder, "d.json", decision)]);
    expect(code).toBe(0);
    expect(out).toContain("\n  dispatches of the plan    4\n");
    expect(out).toContain(
      "\n  0 ACT refund: once, at most 2\n  1 EXIT close: once, at most 2\n  2 HOLD action-2: never dispatched\n",
    );
  });

  it("points out what its author may not have meant, and what it needs", async () => {
    const notesOn = async (policy: object, decision?: object) => {
      const more = decision === undefined ? [] : ["--decision", write(folder, "d.json", decision)];
      const { out } = await run(["policy", "check", write(folder, "p.json", policy), ...more, "--json"]);
      return (JSON.parse(out) as { notes: string[] }).notes;
    };
    expect(await notesOn({})).toEqual([]);
    expect(await notesOn({ timeout: { attemptTimeoutMs: 9, maxTotalTimeMs: 8 }, retry: { maxRetries: 0 } })).toEqual([
      "no attempt can take attemptTimeoutMs (9): the whole has 8 ms.",
    ]);
    expect(await notesOn({ timeout: { attemptTimeoutMs: 0 } })).toEqual([
      "attemptTimeoutMs is 0, which is no time and not no limit: what is not answered at once is dispatched, and unknown.",
    ]);
    expect(await notesOn({ timeout: { attemptTimeoutMs: 20_000 }, retry: { maxRetries: 1 } })).toEqual([
      "when every attempt runs into its limit, the deadline comes first: all of them take 40100 of 30000 ms.",
    ]);
    expect(
      await notesOn({
        rateLimit: { global: { limit: 1, windowMs: 1 } },
        idempotency: { enabled: true, onUnknown: "retry" },
      }),
    ).toMatchObject([/rateLimiter/, /idempotencyStore/, /in doubt/].map((word) => expect.stringMatching(word)));
    expect(await notesOn({ defaultEffect: "idempotent" })).toMatchObject([
      expect.stringMatching(/^an action is dispatched again/),
    ]);
    const actions = [{ action: "ACT" }, { action: "ACT", effect: "idempotent" }];
    expect(await notesOn({}, { action: "ACT", actions })).toMatchObject([
      expect.stringMatching(/^action 1 is dispatched again/),
    ]);
    const keyed = { action: "ACT", actions: [{ action: "ACT", idempotency_key: "refund-7" }, { action: "ACT" }] };
    expect(await notesOn({}, keyed)).toMatchObject([
      expect.stringMatching(/^action 0 has an idempotency_key, but idempotency.enabled is false/),
    ]);
    expect(await notesOn({ idempotency: { enabled: true } }, keyed)).toMatchObject([
      expect.stringMatching(/idempotencyStore/),
    ]);
  });

  it("ends in 1 for a policy or a decision that is invalid, with every issue", async () => {
    const bad = write(folder, "bad.json", { retry: { maxRetries: -1 }, nonsense: 1 });
    const { code, out } = await run(["policy", "check", bad]);
    expect(code).toBe(1);
    expect(out).toMatch(/^.*bad\.json is not valid:\n/);
    expect(out).toContain("\n  retry.maxRetries must be an integer ");
    expect(out).toContain("\n  nonsense must be one of ");
    const json = await run(["policy", "check", bad, "--json"]);
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      issues: [{ path: "retry.maxRetries" }, { path: "nonsense" }],
    });

    const good = write(folder, "good.json", {});
    const misnamed = { action: "ACT", actions: [{ action: "ACT", idempotencyKey: "k" }] };
    const unkeyed = await run(["policy", "check", good, "--decision", write(folder, "k.json", misnamed)]);
    expect([unkeyed.code, unkeyed.out]).toEqual([
      1,
      `${folder}/k.json is not valid:\n  actions[0].idempotencyKey must be idempotency_key\n`,
    ]);
    const decision = await run(["policy", "check", good, "--decision", write(folder, "d.json", { action: "JUMP" })]);
    expect(decision.code).toBe(1);
    expect(decision.out).toMatch(/d\.json is not valid:\n {2}action must be /);
  });

  it("ends in 2 for a file that is no JSON", async () => {
    const bad = write(folder, "bad.json", "{");
    expect((await run(["policy", "check", bad])).err).toBe(`eoc: ${bad}: it is not JSON\n`);
    expect((await run(["policy", "check"])).code).toBe(2);
  });
});

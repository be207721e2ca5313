import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRedactor, type ExecutionReport } from "@eoc/core";
import { afterAll, describe, expect, it } from "vitest";
import {
  addExecutionTrace,
  type BuildPacketInput,
  buildPacket,
  createJsonlJournal,
  explainReport,
  openIntents,
  renderTimeline,
  reportToDict,
  verifyJournal,
} from "../src/index.js";
import { createCheckpointFile, createFileSink } from "../src/node.js";
import { aReport } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "eoc-options-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refusal = (path: string, expected: string, received = "an unknown field") =>
  expect.objectContaining({
    name: "EocError",
    code: "invalid_option",
    message: `${path} must be ${expected}, not ${received}`,
    issues: [{ path, expected, received }],
  });

const INPUT: BuildPacketInput = {
  runId: "r",
  step: 1,
  input: {},
  context: {},
  decision: { action: "ACT" },
  report: aReport(),
};
const packetOf = (fields: object) => () => buildPacket({ ...INPUT, ...fields } as never);

const REDACTOR = "an object with redact() and redactWithManifest()";

const sink = { append: () => {} };
const journalWith = (options: object) => () => createJsonlJournal(sink, options as never);

describe("options that are misspelt", () => {
  it("are refused by a journal, which would write what it was to mask", () => {
    expect(journalWith({ redacter: createRedactor({ secrets: ["s3cret"] }) })).toThrow(
      refusal("redacter", "one of redactor, head, versions, policy, clock, checkpoints"),
    );
    expect(journalWith({ checkpoints: { sink, evry: 5 } })).toThrow(
      refusal("checkpoints.evry", "one of sink, every, signer, clock, onFailure"),
    );
  });

  it("are refused where they are to prove something", async () => {
    const refused = refusal("hed", "one of head, checkpoints, keys, policy");
    await expect(verifyJournal([], { hed: { seq: -1, hash: "" } } as never)).rejects.toEqual(refused);
    await expect(verifyJournal([], { head: undefined, keys: undefined })).resolves.toMatchObject({ ok: true });
  });

  it("are refused before a file is made", () => {
    const path = join(folder, "journal.jsonl");
    expect(() => createFileSink(path, { maxByte: 1000 } as never)).toThrow(
      refusal("maxByte", "one of fsync, maxBytes"),
    );
    expect(() => createCheckpointFile(path, { sync: "never" } as never)).toThrow(refusal("sync", "one of fsync"));
    expect(existsSync(path)).toBe(false);
  });

  it("are refused by what shows", () => {
    expect(() => reportToDict(aReport(), { profil: "reference" } as never)).toThrow(
      refusal("profil", "one of profile"),
    );
    expect(() => renderTimeline([], { formt: "svg" } as never)).toThrow(refusal("formt", "one of format"));
    expect(() => addExecutionTrace({}, aReport(), { profil: "reference" } as never)).toThrow(
      refusal("profil", "one of profile"),
    );
  });

  it("are refused by a packet, which would show what only the redactor that was meant masks", () => {
    const expected = "one of runId, step, input, context, proposal, decision, report, redactor, profile";
    const redacter = createRedactor({ secrets: ["s3cret"] });
    expect(packetOf({ redacter })).toThrow(refusal("redacter", expected));
    const { runId: _, ...rest } = INPUT;
    expect(() => buildPacket({ run_id: "r", ...rest } as never)).toThrow(refusal("run_id", expected));
    expect(packetOf({ redactor: undefined, proposal: undefined, profile: undefined })).not.toThrow();
  });
});

describe("a journal's redactor", () => {
  it("is refused when it masks nothing", () => {
    const expected = "an object with redact()";
    expect(journalWith({ redactor: {} })).toThrow(refusal("redactor", expected, "object"));
    expect(journalWith({ redactor: null })).toThrow(refusal("redactor", expected, "null"));
    expect(journalWith({ redactor: "strict" })).toThrow(refusal("redactor", expected, "string"));
  });

  it("is the usual one when it is said to be undefined", async () => {
    const lines: string[] = [];
    const journal = createJsonlJournal({ append: (line) => void lines.push(line) }, {
      redactor: undefined,
      versions: { token: "abc-s3cret" },
    } as never);
    await journal.append({ type: "execution.started", seq: 0, executionId: "e", atMs: 0 } as never);
    expect(lines[0]).toContain("REDACTED");
  });
});

describe("what is no report", () => {
  it("is refused, by name where it was not awaited", () => {
    const addTrace = (report: ExecutionReport) => addExecutionTrace({}, report);
    const packet = (report: ExecutionReport) => buildPacket({ ...INPUT, report });
    for (const show of [explainReport, renderTimeline, reportToDict, addTrace, packet]) {
      const refused = (received: string) => refusal("report", "the report of an execution", received);
      expect(() => show(Promise.resolve(aReport()) as never)).toThrow(refused("a promise of one: await it"));
      for (const [value, received] of [
        [undefined, "undefined"],
        [null, "null"],
        [{}, "object"],
        [7, "7"],
      ] as const) {
        expect(() => show(value as never)).toThrow(refused(received));
      }
    }
  });
});

/** What is called with something wrong, and how that is refused. */
const WRONG: readonly [what: string, refusal: unknown, call: () => unknown][] = [
  ["a packet's runId", refusal("runId", "a text", "undefined"), packetOf({ runId: undefined })],
  ["a packet's context", refusal("context", "an object", "null"), packetOf({ context: null })],
  ["a packet's redactor", refusal("redactor", REDACTOR, "object"), packetOf({ redactor: { redact: () => ({}) } })],
  ["no redactor at all", refusal("redactor", REDACTOR, "null"), packetOf({ redactor: null })],
  ["a packet's profile", refusal("profile", "one of extended, reference", '"ref"'), packetOf({ profile: "ref" })],
  ["no packet at all", refusal("options", "an object", "undefined"), () => buildPacket(undefined as never)],
  [
    "a trace's profile",
    refusal("profile", "one of extended, reference", "7"),
    () => addExecutionTrace({}, aReport(), { profile: 7 as never }),
  ],
  [
    "what a trace is added to",
    refusal("external", "an object", "string"),
    () => addExecutionTrace("{}" as never, aReport()),
  ],
  [
    "a timeline's format",
    refusal("format", "one of text, ansi, mermaid, svg", '"html"'),
    () => renderTimeline([], { format: "html" as never }),
  ],
  [
    "a name of every object",
    refusal("format", "one of text, ansi, mermaid, svg", '"toString"'),
    () => renderTimeline([], { format: "toString" as never }),
  ],
  [
    "a journal's sink",
    refusal("sink", "an object with append()", "object"),
    () => createJsonlJournal({ append: 5 } as never),
  ],
  ["lines for a sink", refusal("sink", "an object with append()", "a list"), () => createJsonlJournal([] as never)],
  ["no sink", refusal("sink", "an object with append()", "undefined"), () => createJsonlJournal(undefined as never)],
  ["a journal's head", refusal("head", "{ seq, hash }", "string"), journalWith({ head: "0:ab" })],
  ["a journal's versions", refusal("versions", "an object of texts", "string"), journalWith({ versions: "1.0" })],
  ["a journal's clock", refusal("clock", "an object with now()", "function"), journalWith({ clock: Date.now })],
  [
    "a checkpoint's sink",
    refusal("checkpoints.sink", "an object with append()", "undefined"),
    journalWith({ checkpoints: {} }),
  ],
  [
    "a checkpoint's signer",
    refusal("checkpoints.signer", "an object with sign()", "string"),
    journalWith({ checkpoints: { sink, signer: "-----BEGIN" } }),
  ],
  [
    "a checkpoint's clock",
    refusal("checkpoints.clock", "an object with now()", "object"),
    journalWith({ checkpoints: { sink, clock: {} } }),
  ],
  [
    "who hears of a checkpoint",
    refusal("checkpoints.onFailure", "a function", "object"),
    journalWith({ checkpoints: { sink, onFailure: {} } }),
  ],
  [
    "a journal in one text",
    refusal("lines", "lines or records, one after the other", "string"),
    () => verifyJournal("{}\n" as never),
  ],
  [
    "no journal",
    refusal("lines", "lines or records, one after the other", "undefined"),
    () => openIntents(undefined as never),
  ],
  ["a known head", refusal("head", "{ seq, hash }", "null"), () => verifyJournal([], { head: null as never })],
  [
    "a head without a number",
    refusal("head", "{ seq, hash }", "object"),
    () => verifyJournal([], { head: { hash: "ab" } as never }),
  ],
  [
    "known checkpoints",
    refusal("checkpoints", "heads or checkpoints, one after the other", "object"),
    () => verifyJournal([], { checkpoints: { seq: 1, hash: "" } as never }),
  ],
  [
    "one key for a list",
    refusal("keys", "a list of keys that verify", "object"),
    () => verifyJournal([], { keys: { verify: () => true } as never }),
  ],
  [
    "a key that verifies nothing",
    refusal("keys[0]", "an object with verify()", "string"),
    () => verifyJournal([], { keys: ["-----BEGIN PUBLIC KEY-----"] as never }),
  ],
  [
    "nothing to settle",
    refusal("settlement", "an open intent with its outcome", "undefined"),
    () => createJsonlJournal({ ...sink }).settle(undefined as never),
  ],
  [
    "a settlement's record",
    refusal("settlement.seq", "a whole number from 0 on", "undefined"),
    () =>
      createJsonlJournal({ ...sink }).settle({
        executionId: "e",
        actionIndex: 0,
        attemptNumber: 0,
        outcome: "applied",
      } as never),
  ],
];

describe("what is wrong is refused, with its name:", () => {
  it.each(WRONG)("%s", async (_, refused, call) => {
    await expect((async () => call())()).rejects.toEqual(refused);
  });
});

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRedactor } from "@eoc/core";
import { afterAll, describe, expect, it } from "vitest";
import { createJsonlJournal, explainReport, renderTimeline, reportToDict, verifyJournal } from "../src/index.js";
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
  });
});

describe("a journal's redactor", () => {
  it("is refused when it masks nothing", () => {
    const expected = "an object with redact()";
    expect(journalWith({ redactor: {} })).toThrow(refusal("redactor", expected, "object"));
    expect(journalWith({ redactor: null })).toThrow(refusal("redactor", expected, "object"));
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
    for (const show of [explainReport, renderTimeline, reportToDict]) {
      const refused = (received: string) => refusal("report", "the report of an execution", received);
      expect(() => show(Promise.resolve(aReport()) as never)).toThrow(refused("a promise of one: await it"));
      for (const [value, received] of [
        [undefined, "undefined"],
        [null, "null"],
        [{}, "object"],
        [7, "number"],
      ] as const) {
        expect(() => show(value as never)).toThrow(refused(received));
      }
    }
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execute } from "@eoc/core";
import { createLocalRuntime } from "@eoc/store-sqlite";
import { createJsonlJournal, type JsonlJournal } from "@eoc/trace";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { DECISION, POLICY, run, tell, write } from "./support.js";

// A thread has the file, on a disk with a pace of its own.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
let file: string;
let head: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "eoc-cli-"));
  file = join(folder, "eoc.db");
  const main = await openJournal("main");
  await execute(DECISION, {}, POLICY, () => ({ ok: true }), { ...main.runtime, executionId: "in-main" });
  head = main.head();
  await main.runtime.close();

  // Another one stops while a dispatch is under way.
  const { runtime } = await openJournal("other");
  const { signal, ...killed } = killable();
  const executor = () => {
    killed.begun();
    return new Promise<never>(() => {});
  };
  const execution = execute(DECISION, {}, POLICY, executor, { ...runtime, executionId: "in-other", signal });
  await killed.hasBegun;
  await runtime.close();
  killed.abort();
  await execution;
});

async function openJournal(journalName: string) {
  let journal: JsonlJournal | undefined;
  const runtime = await createLocalRuntime(file, {
    journalName,
    journal: (sink) => {
      journal = createJsonlJournal(sink, { policy: POLICY });
      return journal;
    },
  });
  const headText = () => {
    const { seq, hash } = journal!.head();
    return `${seq}:${hash}`;
  };
  return { runtime, head: headText };
}

function killable() {
  const controller = new AbortController();
  let begun = () => {};
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  return { signal: controller.signal, abort: () => controller.abort(), begun: () => begun(), hasBegun };
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a journal in a SQLite file", () => {
  it("is verified as any other: sqlite:PATH", async () => {
    const proven = await run(["verify", `sqlite:${file}`, "--head", head]);
    expect(proven).toMatchObject({ code: 0, err: "" });
    expect(proven.out).toMatch(/completeness {2}PASS\n$/);
    const { code, out } = await run(["verify", `sqlite:${file}`, "--journal", "other", "--json"]);
    expect([code, (JSON.parse(out) as { ok: boolean }).ok]).toEqual([4, true]);
    const wrong = await run(["verify", `sqlite:${file}`, "--head", `1:${"0".repeat(64)}`]);
    expect([wrong.code, wrong.out.includes(`sqlite:${file}:`)]).toEqual([1, true]);
  });

  it("says what was in flight, and how that is settled", async () => {
    const none = await run(["intents", `sqlite:${file}`]);
    expect(none).toEqual({ code: 0, out: "Nothing was in flight, and nothing is in doubt.\n", err: "" });
    const { code, out } = await run(["intents", `sqlite:${file}`, "--journal", "other"]);
    expect(code).toBe(4);
    expect(out).toContain(`idempotency key refund-7\n    record 3, sqlite:${file}:4\n`);
    expect(out).toContain("record what you found: whoever writes it calls journal.settle()\n");
  });

  it("is drawn, and read after others as one with them", async () => {
    const drawn = await run(["timeline", `sqlite:${file}`, "--journal", "other"]);
    expect([drawn.code, drawn.out.includes("in-other"), drawn.out.includes("in-main")]).toEqual([0, true, false]);
  });

  it("is not settled from here", async () => {
    const { code, err } = await run(["settle", `sqlite:${file}`, "3", "applied"]);
    expect(code).toBe(2);
    expect(err).toBe(
      "eoc: only a journal in files can be settled from here: in a store, who writes it calls journal.settle()\n",
    );
  });

  it("that is not there is no journal without records", async () => {
    const complaints = async (...argv: string[]) => {
      const { code, out, err } = await run(argv);
      expect([argv, code, out]).toEqual([argv, 2, ""]);
      return err;
    };
    expect(await complaints("intents", `sqlite:${file}`, "--journal", "man")).toBe(
      `eoc: sqlite:${file} holds no journal man, but main, other: choose one with --journal\n`,
    );
    const empty = join(folder, "empty.db");
    await (await createLocalRuntime(empty)).close();
    expect(await complaints("verify", `sqlite:${empty}`)).toBe(`eoc: sqlite:${empty} holds no journal\n`);
    expect(await complaints("verify", `sqlite:${folder}/nothing.db`)).toBe(
      "eoc: the store cannot be used (cannot_open): there is no such file\n",
    );
    expect(await complaints("verify", "redis://:hunter2@cache")).toBe(
      "eoc: redis keeps no journals: give a file, or sqlite:PATH\n",
    );
    const { journal } = await tell("success", folder);
    expect(await complaints("verify", journal, "--journal", "main")).toBe("eoc: --journal means nothing for a file\n");
  });

  it("is known by how its file begins, where that was given instead", async () => {
    for (const command of ["verify", "intents", "timeline"]) {
      expect(await run([command, file])).toEqual({
        code: 2,
        out: "",
        err: `eoc: ${file}: it is a SQLite database: for a journal in it give sqlite:${file}\n`,
      });
    }
    const stdin = `SQLite format 3\0${"x".repeat(100)}`;
    expect(await run(["verify", "-"], { stdin })).toMatchObject({
      code: 2,
      err: expect.stringContaining("sqlite: and its path"),
    });
    // Not by what a journal may hold.
    const damaged = write(folder, "damaged.jsonl", "SQLite format 3, as a text\n");
    expect(await run(["verify", damaged])).toMatchObject({ code: 1 });
  });
});

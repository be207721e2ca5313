import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execute, type Journal } from "@eoc/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFileSink } from "../src/file/file-sink.js";
import type { FileCalls } from "../src/file/line-file.js";
import { createJsonlJournal, verifyJournal } from "../src/index.js";
import { createCheckpointFile, createFileSink, readJournal } from "../src/node.js";
import { retried } from "./scenarios.js";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eoc-faults-"));
  path = join(folder, "journal.jsonl");
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Calls that do what they are to do until `fault` says otherwise, and say what was called and written. */
function faultyCalls(fault: Partial<FileCalls>, isBroken: (call: number) => boolean) {
  const log: string[] = [];
  const writes: string[] = [];
  let calls = 0;
  const real: FileCalls = {
    write: async (fd, bytes) => ({ bytesWritten: writeSync(fd, bytes) }),
    fsync: async (fd) => fsyncSync(fd),
  };
  const faulty: FileCalls = {
    write(fd, bytes) {
      log.push("write");
      writes.push(new TextDecoder().decode(bytes));
      return isBroken(++calls) && fault.write !== undefined ? fault.write(fd, bytes) : real.write(fd, bytes);
    },
    fsync(fd) {
      log.push("fsync");
      return isBroken(calls) && fault.fsync !== undefined ? fault.fsync(fd) : real.fsync(fd);
    },
  };
  return { log, writes, calls: faulty };
}

const failure = (code: string) => Object.assign(new Error(`${code}: injected`), { code });

/** Executes two actions, and says which of them reached the world. */
async function executeWith(journal: Journal) {
  const applied: string[] = [];
  const decision = {
    action: "ACT" as const,
    actions: [
      { action: "ACT" as const, id: "first" },
      { action: "ACT" as const, id: "second" },
    ],
  };
  const report = await execute(
    decision,
    {},
    {},
    ({ id }) => {
      applied.push(id);
      return { ok: true };
    },
    { journal },
  );
  return { applied, report };
}

describe("a journal's file that fails", () => {
  it("S8.2 fails an append that no reader would read to its end", async () => {
    const sink = createFileSink(path);
    await expect(sink.append("x".repeat(2 ** 24))).rejects.toThrow("16777217 bytes");
    expect(readFileSync(path, "utf8")).toBe("");
    await sink.close();
  });

  it("writes and syncs once for all that is appended in one turn, or while another write is under way", async () => {
    const { log, writes, calls } = faultyCalls({}, () => false);
    const sink = openFileSink(path, {}, calls);
    const journal = createJsonlJournal(sink);
    const [first, ...others] = retried();
    await journal.append(first!);
    expect(log.splice(0)).toEqual(["write", "fsync"]);
    await Promise.all(others.map((event) => journal.append(event)));
    expect(log).toEqual(["write", "fsync"]);
    expect(writes.map((text) => text.split("\n").length - 1)).toEqual([2, others.length]);
    await sink.close();
  });

  it("has no line that no reader would read to its end, whatever is appended with it", async () => {
    const sink = createFileSink(path);
    await expect(sink.appendAll(["a", "x".repeat(2 ** 24), "b"])).rejects.toThrow("16777217 bytes");
    expect(readFileSync(path, "utf8")).toBe("");
    await sink.close();
  });

  it("syncs nothing when it is told never to", async () => {
    const { log, calls } = faultyCalls({}, () => false);
    const sink = openFileSink(path, { fsync: "never" }, calls);
    await sink.append("a");
    expect(log).toEqual(["write"]);
    await sink.close();
  });

  const FAULTS: Record<string, Partial<FileCalls>> = {
    "the disk is full": { write: () => Promise.reject(failure("ENOSPC")) },
    "the quota is used up": { write: () => Promise.reject(failure("EDQUOT")) },
    "a write comes out short": {
      write: async (fd, bytes) => ({ bytesWritten: writeSync(fd, bytes, 0, 7) }),
    },
    "the disk fails to sync": { fsync: () => Promise.reject(failure("EIO")) },
  };

  for (const [name, fault] of Object.entries(FAULTS)) {
    it(`S8.2 keeps anything from being dispatched when ${name} from the start`, async () => {
      const sink = openFileSink(path, {}, faultyCalls(fault, () => true).calls);
      const { applied, report } = await executeWith(createJsonlJournal(sink));
      expect(applied).toEqual([]);
      expect(report).toMatchObject({ status: "denied", failClosed: true, attemptCount: 0 });
      expect(report.actions[0]!.reason).toBe("journal_unavailable");
      await sink.close();
    });

    it(`S8.2 keeps the next action from being dispatched when ${name} in the middle`, async () => {
      const written = faultyCalls({}, () => false);
      const whole = openFileSink(path, {}, written.calls);
      await executeWith(createJsonlJournal(whole));
      await whole.close();
      const second = written.writes.findIndex((text) => /"actionIndex":1,.*"attempt\.intended"/.test(text));
      expect(second).toBeGreaterThan(0);
      rmSync(path);

      const sink = openFileSink(path, {}, faultyCalls(fault, (call) => call > second).calls);
      const journal = createJsonlJournal(sink);
      const { applied, report } = await executeWith(journal);
      expect(applied).toEqual(["first"]);
      expect(report.actions.map(({ status }) => status)).toEqual(["success", "denied"]);
      await sink.close();

      const again = createFileSink(path);
      expect(again.recovered.head!.seq).toBeGreaterThanOrEqual(journal.head().seq);
      await again.close();
      const verdict = await verifyJournal(readJournal(path), { checkpoints: [journal.head()] });
      expect(verdict).toMatchObject({ ok: true, completeness: { provenUpTo: journal.head().seq } });
    });
  }

  it("stays failed when the disk works again: what a failed sync lost is not there", async () => {
    let isBroken = true;
    const { log, calls } = faultyCalls({ fsync: () => Promise.reject(failure("EIO")) }, () => isBroken);
    const sink = openFileSink(path, {}, calls);
    await expect(sink.append("a")).rejects.toThrow("EIO");
    isBroken = false;
    await expect(sink.append("b")).rejects.toThrow("EIO");
    expect(log).toEqual(["write", "fsync"]);
    await sink.close();
  });

  it("has half a line at its end after a short write, which is cut off when it is opened again", async () => {
    const { calls } = faultyCalls(FAULTS["a write comes out short"]!, (call) => call === 2);
    const sink = openFileSink(path, {}, calls);
    const journal = createJsonlJournal(sink);
    await journal.append(retried()[0]!);
    await expect(journal.append(retried()[1]!)).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/^only 7 of \d+ bytes were written$/) },
    });
    await sink.close();
    const again = createFileSink(path);
    const { seq, hash } = journal.head();
    expect(again.recovered).toEqual({ head: { seq, hash }, tornBytes: 7 });
    await again.close();
  });

  const REMOVALS: Record<string, () => void> = {
    deleted: () => rmSync(path),
    "moved away": () => renameSync(path, `${path}.old`),
    "replaced by a copy": () => {
      copyFileSync(path, `${path}.copy`);
      renameSync(`${path}.copy`, path);
    },
    "in a folder that was moved away": () => {
      renameSync(folder, `${folder}.old`);
      mkdirSync(folder);
    },
  };

  describe.each(Object.entries(REMOVALS))("that is %s while it is written", (_, remove) => {
    afterEach(() => rmSync(`${folder}.old`, { recursive: true, force: true }));

    it("S8.2 keeps anything from being dispatched, and writes nothing where nobody would look for it", async () => {
      const sink = createFileSink(path);
      const journal = createJsonlJournal(sink);
      expect((await executeWith(journal)).applied).toEqual(["first", "second"]);
      const { size } = statSync(path);
      const fd = openSync(path, "r");
      remove();
      const { applied, report } = await executeWith(journal);
      expect([applied, report.actions[0]!.reason]).toEqual([[], "journal_unavailable"]);
      expect(fstatSync(fd).size).toBe(size);
      closeSync(fd);
      await sink.close();
    });

    it("acknowledges nothing that was being written meanwhile, and does not rotate it", async () => {
      const sink = openFileSink(
        path,
        {},
        faultyCalls(
          {
            write: async (fd, bytes) => {
              remove();
              return { bytesWritten: writeSync(fd, bytes) };
            },
          },
          (call) => call === 2,
        ).calls,
      );
      await sink.append("a");
      await expect(sink.append("b")).rejects.toThrow("was deleted, moved or replaced");
      await expect(sink.rotate!()).rejects.toThrow("was deleted, moved or replaced");
      await sink.close();
    });

    it("is no place for checkpoints either", async () => {
      const file = createCheckpointFile(path);
      await file.append("a");
      remove();
      await expect(file.append("b")).rejects.toThrow("was deleted, moved or replaced");
      await file.close();
    });
  });

  // A device of Linux on which every write fails for want of space.
  if (existsSync("/dev/full")) {
    it("S8.2 keeps anything from being dispatched on a full device", async () => {
      const sink = createFileSink("/dev/full", { fsync: "never" });
      const { applied, report } = await executeWith(createJsonlJournal(sink));
      expect([applied, report.actions[0]!.reason]).toEqual([[], "journal_unavailable"]);
      await sink.close();
    });
  }

  describe("for want of permission", () => {
    /** Root may do everything: for this long it is somebody else. */
    async function asOrdinaryUser<T>(run: () => T | Promise<T>): Promise<T> {
      if (process.geteuid?.() !== 0) return run();
      process.seteuid!(65_534);
      try {
        return await run();
      } finally {
        process.seteuid!(0);
      }
    }

    it("is not opened", async () => {
      mkdirSync(join(folder, "closed"));
      chmodSync(join(folder, "closed"), 0o500);
      chmodSync(folder, 0o755);
      await asOrdinaryUser(() => {
        expect(() => createFileSink(join(folder, "closed", "journal.jsonl"))).toThrow("EACCES");
      });
      chmodSync(join(folder, "closed"), 0o700);
    });

    it("is written on where its folder can no longer be looked into, until it is deleted", async () => {
      const sink = createFileSink(path);
      const appendAsOrdinaryUser = async (line: string) => {
        chmodSync(folder, 0o000);
        try {
          await asOrdinaryUser(() => sink.append(line));
        } finally {
          chmodSync(folder, 0o700);
        }
      };
      await appendAsOrdinaryUser("a");
      expect(readFileSync(path, "utf8")).toBe("a\n");
      rmSync(path);
      await expect(appendAsOrdinaryUser("b")).rejects.toThrow("was deleted");
      await sink.close();
    });

    it("S8.2 keeps anything from being dispatched when the next file cannot be made", async () => {
      const sink = createFileSink(path, { maxBytes: 1 });
      const journal = createJsonlJournal(sink);
      await journal.append(retried()[0]!);
      const { count } = journal.head();
      chmodSync(folder, 0o500);
      const { applied, report } = await asOrdinaryUser(() => executeWith(journal));
      chmodSync(folder, 0o700);
      expect([applied, report.actions[0]!.reason]).toEqual([[], "journal_unavailable"]);
      expect(journal.head().count).toBe(count);
      await sink.close();
      expect(readdirSync(folder).length).toBe(2);
      expect(await verifyJournal(readJournal(path), { head: journal.head() })).toMatchObject({ ok: true });
    });
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createJsonlJournal, verifyJournal } from "../src/index.js";
import { createFileSink, type FileSinkOptions, readJournalFile } from "../src/node.js";
import { crashed, halted, retried } from "./scenarios.js";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eoc-journal-"));
  path = join(folder, "journal.jsonl");
});

afterEach(() => rmSync(folder, { recursive: true }));

async function write(
  events: Parameters<ReturnType<typeof createJsonlJournal>["append"]>[0][],
  options?: FileSinkOptions,
) {
  const sink = createFileSink(path, options);
  const journal = createJsonlJournal(sink);
  await Promise.all(events.map((event) => journal.append(event)));
  await sink.close();
  return { sink, head: journal.head() };
}

async function linesOf(file: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readJournalFile(file)) lines.push(line);
  return lines;
}

describe("createFileSink", () => {
  for (const fsync of ["always", "never"] as const) {
    it(`S8.2 keeps a journal that verifies, fsync ${fsync}`, async () => {
      const { head } = await write(retried(), { fsync });
      expect(await verifyJournal(readJournalFile(path), { head })).toMatchObject({
        ok: true,
        completeness: { verdict: "PASS" },
      });
      expect(readFileSync(path, "utf8").split("\n")).toHaveLength(retried().length + 2);
    });
  }

  it("creates the file for its owner alone", async () => {
    await write(retried());
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("has the line in the file when the append resolves", async () => {
    const sink = createFileSink(path);
    await sink.append("first");
    expect(readFileSync(path, "utf8")).toBe("first\n");
    await sink.close();
  });

  it("goes on after the last record when it is opened again", async () => {
    const first = await write(retried());
    const { sink, head } = await write(halted());
    expect(sink.recovered).toEqual({ head: { seq: first.head.seq, hash: first.head.hash }, tornBytes: 0 });
    expect(await verifyJournal(readJournalFile(path), { head, checkpoints: [first.head] })).toMatchObject({
      ok: true,
      recordCount: retried().length + halted().length + 2,
      completeness: { verdict: "PASS" },
    });
  });

  it("cuts a torn tail off, and says so", async () => {
    const { head } = await write(crashed());
    appendFileSync(path, '{"event":{"actionIn');
    const again = await write(halted());
    expect(again.sink.recovered).toEqual({ head: { seq: head.seq, hash: head.hash }, tornBytes: 19 });
    expect(await verifyJournal(readJournalFile(path), { head: again.head })).toMatchObject({ ok: true });
  });

  it("cuts a torn tail of any length off, at any place of its line, before it appends or rotates, and no sooner", async () => {
    await write(retried());
    const whole = readFileSync(path);
    const lastLine = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
    for (let size = lastLine + 1; size < whole.length; size += 7) {
      writeFileSync(path, whole.subarray(0, size));
      const sink = createFileSink(path, { fsync: "never" });
      expect(sink.recovered).toMatchObject({ head: { seq: retried().length - 1 }, tornBytes: size - lastLine });
      expect(statSync(path).size).toBe(size);
      if (size % 2 === 0) await sink.append("a");
      else await sink.rotate!();
      await sink.close();
      expect(statSync(path).size).toBe(size % 2 === 0 ? lastLine + 2 : lastLine);
      rmSync(`${path}.000001`, { force: true });
    }
  });

  it("leaves alone what somebody else is writing", async () => {
    await write(retried());
    const whole = readFileSync(path, "utf8");
    appendFileSync(path, '{"event":{"half'); // Of somebody whose write is under way.
    const other = createFileSink(path);
    expect(other.recovered.tornBytes).toBe(15);
    appendFileSync(path, ' a line"}}\n');
    await expect(other.append("b")).rejects.toThrow("something else writes");
    await expect(other.rotate!()).rejects.toThrow("something else writes");
    await other.close();
    expect(readFileSync(path, "utf8")).toBe(`${whole}{"event":{"half a line"}}\n`);
  });

  if (existsSync("/proc/self/fdinfo")) {
    it("is refused while another process has the file open for writing, and not for who reads it", async () => {
      await write(retried());
      const other = join(folder, "hard-link");
      const open = (flags: string) =>
        spawn(process.execPath, [
          "-e",
          `require("fs").openSync(${JSON.stringify(path)}, "${flags}"); console.log("open"); setInterval(() => {}, 1000)`,
        ]);
      for (const [flags, isRefused] of [
        ["r", false],
        ["a", true],
        ["r+", true],
      ] as const) {
        const child = open(flags);
        await once(child.stdout, "data");
        if (isRefused) expect(() => createFileSink(path)).toThrow(`process ${child.pid} writes ${path}`);
        else await createFileSink(path).close();
        linkSync(path, other);
        if (isRefused) expect(() => createFileSink(other)).toThrow(`process ${child.pid} writes ${other}`);
        else await createFileSink(other).close();
        rmSync(other);
        child.kill("SIGKILL");
        await once(child, "exit");
        await createFileSink(path).close();
      }
    });
  }

  it("finds the last line before a torn tail that is longer than a read", async () => {
    const { head } = await write(crashed());
    appendFileSync(path, `{"event":${"x".repeat(200_000)}`);
    const sink = createFileSink(path);
    expect(sink.recovered).toEqual({ head: { seq: head.seq, hash: head.hash }, tornBytes: 200_009 });
    await sink.close();
  });

  it("cuts a torn first line off", async () => {
    writeFileSync(path, '{"event":{"type":"journal.op');
    const { sink } = await write(retried());
    expect(sink.recovered).toEqual({ tornBytes: 28 });
    expect((await verifyJournal(readJournalFile(path))).ok).toBe(true);
  });

  it("refuses a file that is no journal, and leaves it as it is", () => {
    for (const content of ["no line end", "hello\nworld\n", '{"a":1}\n', "\n", "\u0000".repeat(10)]) {
      writeFileSync(path, content);
      expect(() => createFileSink(path)).toThrow(/not a journal/);
      expect(readFileSync(path, "utf8")).toBe(content);
    }
  });

  it("refuses a journal whose last record was changed", async () => {
    await write(retried());
    writeFileSync(path, readFileSync(path, "utf8").replace(/"totalLatencyMs":\d+/, '"totalLatencyMs":1'));
    expect(() => createFileSink(path)).toThrow("hash_mismatch");
  });

  it("refuses a journal whose last write reached the disk with a hole in it", async () => {
    await write(retried());
    const { size } = statSync(path);
    await write(Array.from({ length: 60 }, () => halted()).flat());
    const whole = readFileSync(path);
    const holed = Buffer.from(whole);
    holed.fill(0, size + 4096, size + 8192);
    writeFileSync(path, holed);
    expect(() => createFileSink(path)).toThrow("is damaged near its end");
    const lines = whole.toString().split("\n");
    writeFileSync(path, lines.toSpliced(lines.length - 20, 1).join("\n"));
    expect(() => createFileSink(path)).toThrow("is damaged near its end");
    writeFileSync(path, whole);
    await createFileSink(path).close();
  });

  it("opens a journal that is longer than what is looked at", async () => {
    const { head } = await write(Array.from({ length: 300 }, () => retried()).flat());
    expect(statSync(path).size).toBeGreaterThan(1_500_000);
    const sink = createFileSink(path);
    expect(sink.recovered.head).toEqual({ seq: head.seq, hash: head.hash });
    await sink.close();
  });

  it("refuses a path that cannot be opened", () => {
    expect(() => createFileSink(folder)).toThrow("EISDIR");
    expect(() => createFileSink(join(folder, "missing", "journal.jsonl"))).toThrow("ENOENT");
    expect(() => createFileSink(path, { fsync: "sometimes" as "always" })).toThrow(
      'fsync must be one of always, never, not "sometimes"',
    );
  });

  it("notices a second writer, and fails from then on", async () => {
    const sink = createFileSink(path);
    appendFileSync(path, "a\n");
    await expect(sink.append("b")).rejects.toThrow("something else writes");
    await expect(sink.append("c")).rejects.toThrow("something else writes");
    expect(readFileSync(path, "utf8")).toBe("a\n");
    await sink.close();
  });

  it("is refused while this process has the file open, under whatever name, until it is closed or has failed", async () => {
    const names = [path, join(folder, "symbolic"), join(folder, "hard")];
    const sink = createFileSink(path);
    symlinkSync(path, names[1]!);
    linkSync(path, names[2]!);
    for (const name of names) expect(() => createFileSink(name)).toThrow(`this process writes ${name} already`);
    await sink.close();
    const again = createFileSink(names[2]!);
    expect(() => createFileSink(path)).toThrow("already");
    truncateSync(path, 1);
    await expect(again.append("a")).rejects.toThrow("something else writes");
    truncateSync(path, 0);
    await createFileSink(path).close();
    await again.close();
    // What could not be opened is not taken.
    writeFileSync(path, "hello\nworld\n");
    for (const time of [1, 2]) expect(() => createFileSink(path), `${time}`).toThrow("not a journal");
  });

  it("fails for good when the file is cut while it is written", async () => {
    const sink = createFileSink(path);
    await sink.append("a");
    truncateSync(path, 0);
    await expect(sink.append("b")).rejects.toThrow("something else writes");
    appendFileSync(path, "a\n");
    await expect(sink.append("c")).rejects.toThrow("something else writes");
    expect(readFileSync(path, "utf8")).toBe("a\n");
    await sink.close();
  });

  // A device of Linux on which every write fails for want of space.
  if (existsSync("/dev/full")) {
    it("S8.2 fails the append and every later one when the disk is full", async () => {
      const journal = createJsonlJournal(createFileSink("/dev/full", { fsync: "never" }));
      await expect(journal.append(retried()[0]!)).rejects.toThrow("the journal is broken");
      expect(() => journal.append(retried()[1]!)).toThrow("the journal is broken");
      expect(journal.head().count).toBe(0);
    });
  }

  it("finishes what is under way when it is closed, and takes nothing after", async () => {
    const sink = createFileSink(path);
    const appended = [sink.append("a"), sink.append("b")];
    const closed = sink.close();
    await expect(sink.append("c")).rejects.toThrow("closed");
    await Promise.all([...appended, closed, sink.close()]);
    expect(readFileSync(path, "utf8")).toBe("a\nb\n");
  });
});

describe("readJournalFile", () => {
  it("ends lines at the line feed alone, across reads and inside characters", async () => {
    const lines = ["a\u2028b\rc", "ü".repeat(40_000), "", "😀".repeat(30_000), "last"];
    writeFileSync(path, lines.join("\n"));
    expect(await linesOf(path)).toEqual(lines.map((line, index) => (index === 4 ? line : `${line}\n`)));
    writeFileSync(path, `${lines.join("\n")}\n`);
    expect(await linesOf(path)).toEqual(lines.map((line) => `${line}\n`));
  });

  it("reads a stream as it does a file, wherever it was cut into pieces", async () => {
    const lines = ["a\u2028b\rc\n", "ü😀\n", "\n", "\ufffd\n", "x".repeat(100), "\nlast"];
    const bytes = Buffer.from(lines.join(""));
    for (let size = 1; size < 20; size++) {
      async function* pieces() {
        for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
      }
      let read = "";
      for await (const line of readJournalFile(pieces())) read += `${line.replace("\n", "")}|`;
      expect(read).toBe(`a\u2028b\rc|ü😀||\ufffd|${"x".repeat(100)}|last|`);
    }
  });

  it("gives a line that is no text, or has no end in sight, so that it is no record", async () => {
    const record = '{"a":"\ufffd"}';
    const broken = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n')]);
    writeFileSync(path, Buffer.concat([Buffer.from(`${record}\n`), broken, Buffer.from(record)]));
    expect(await linesOf(path)).toEqual([`${record}\n`, '{"a":"\ud800"}\n', record]);
    const size = 2 ** 24;
    writeFileSync(path, `${"x".repeat(size)}\n${"y".repeat(size + 1)}\nlast`);
    const [whole, cut, last] = await linesOf(path);
    expect([whole === `${"x".repeat(size)}\n`, cut === `${"y".repeat(size)}\ud800\n`, last]).toEqual([
      true,
      true,
      "last",
    ]);
  });

  it("can be left early", async () => {
    writeFileSync(path, "a\n".repeat(100_000));
    for await (const line of readJournalFile(path)) {
      expect(line).toBe("a\n");
      break;
    }
  });

  it("rejects when there is no such file", async () => {
    await expect(verifyJournal(readJournalFile(path))).rejects.toThrow("ENOENT");
  });
});

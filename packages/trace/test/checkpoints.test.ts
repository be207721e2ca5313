import { generateKeyPairSync } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson } from "@eoc/decision-schema";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type CheckpointOptions,
  type CheckpointSigner,
  createJsonlJournal,
  type JournalCheckpoint,
  parseCheckpoint,
  verifyJournal,
} from "../src/index.js";
import { createCheckpointFile, createEd25519Signer, createEd25519Verifier, readCheckpointFile } from "../src/node.js";
import { halted, retried } from "./scenarios.js";

const turns = async (count = 20) => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
};

function memory() {
  const lines: string[] = [];
  return { lines, append: (line: string) => void lines.push(line) };
}

/** A journal of the two scenarios, with its checkpoints. */
async function journalWith(options: Omit<CheckpointOptions, "sink">) {
  const [sink, place] = [memory(), memory()];
  const journal = createJsonlJournal(sink, { checkpoints: { sink: place, ...options } });
  for (const event of [...retried(), ...halted()]) {
    await journal.append(event);
    await turns();
  }
  return { journal, lines: sink.lines, place, checkpoints: () => place.lines.map(parseCheckpoint) };
}

const clock = { now: () => 1_700_000_000_123 };

describe("the checkpoints of a journal", () => {
  it("are due after so many records, and say where the journal was", async () => {
    const { lines, checkpoints } = await journalWith({ every: 10, clock });
    expect(checkpoints().map(({ count }) => count)).toEqual([10, 20, 30, 40].filter((count) => count <= lines.length));
    for (const { seq, hash, ...rest } of checkpoints()) {
      expect(rest).toEqual({ type: "journal.checkpoint", v: 1, count: seq + 1, atMs: 1_700_000_000_123 });
      expect(JSON.parse(lines[seq]!)).toMatchObject({ seq, hash });
    }
  });

  it("are lines of canonical JSON", async () => {
    const { place } = await journalWith({ every: 10 });
    for (const line of place.lines) expect(line).toBe(canonicalJson(JSON.parse(line)));
  });

  it("are written on demand, and returned", async () => {
    const { journal, checkpoints } = await journalWith({ every: 1_000, clock });
    expect(checkpoints()).toEqual([]);
    const { count, ...head } = journal.head();
    expect(await journal.checkpoint()).toMatchObject({ ...head, count });
    expect(checkpoints()).toMatchObject([{ ...head, count }]);
  });

  it("are returned on demand also where no second place was named", async () => {
    const journal = createJsonlJournal(memory());
    expect(await journal.checkpoint()).toMatchObject({ seq: -1, count: 0 });
    await journal.append(retried()[0]!);
    expect(await journal.checkpoint()).toMatchObject({ seq: 1, count: 2 });
  });

  it("are written one after the other", async () => {
    const order: string[] = [];
    const waiting: (() => void)[] = [];
    const place = {
      append(line: string) {
        order.push(`begin ${parseCheckpoint(line).count}`);
        return new Promise<void>((resolve) =>
          waiting.push(() => {
            order.push("end");
            resolve();
          }),
        );
      },
    };
    const journal = createJsonlJournal(memory(), { checkpoints: { sink: place } });
    await journal.append(retried()[0]!);
    const both = [journal.checkpoint(), journal.append(retried()[1]!), journal.checkpoint()];
    await turns();
    waiting.shift()!();
    await turns();
    waiting.shift()!();
    await Promise.all(both);
    expect(order).toEqual(["begin 2", "end", "begin 3", "end"]);
  });

  it("stop nothing when they cannot be written, and are tried again with the next record", async () => {
    const failures: unknown[] = [];
    const place = memory();
    let isDown = true;
    const journal = createJsonlJournal(memory(), {
      checkpoints: {
        every: 3,
        sink: {
          append(line) {
            if (isDown) throw new Error("second place is down");
            place.append(line);
          },
        },
        onFailure: (error) => {
          failures.push((error as Error).message);
          throw new Error("from a listener");
        },
      },
    });
    for (const event of retried().slice(0, 4)) {
      await journal.append(event);
      await turns();
    }
    expect(failures).toEqual(["second place is down", "second place is down", "second place is down"]);
    await expect(journal.checkpoint()).rejects.toThrow("second place is down");
    isDown = false;
    await journal.append(retried()[4]!);
    await turns();
    expect(place.lines.map((line) => parseCheckpoint(line).count)).toEqual([6]);
  });

  it("do not hold an append up", async () => {
    const journal = createJsonlJournal(memory(), {
      checkpoints: { every: 1, sink: { append: () => new Promise<void>(() => {}) } },
    });
    for (const event of retried()) expect(journal.append(event)).toBeUndefined();
    expect(journal.head().count).toBe(retried().length + 1);
  });

  it("refuse a number that is none", () => {
    for (const every of [0, -1, 1.5, Number.NaN]) {
      expect(() => createJsonlJournal(memory(), { checkpoints: { every, sink: memory() } })).toThrow(
        `checkpoints.every must be an integer >= 1, not ${every}`,
      );
    }
  });
});

describe("parseCheckpoint", () => {
  it("refuses what is no checkpoint", async () => {
    const checkpoint = await createJsonlJournal(memory()).checkpoint();
    const wrong: object[] = [
      { ...checkpoint, type: "checkpoint" },
      { ...checkpoint, v: 2 },
      { ...checkpoint, count: 5 },
      { ...checkpoint, hash: "ab" },
      { ...checkpoint, atMs: "now" },
      { ...checkpoint, signature: "AB" },
      { ...checkpoint, keyId: 7 },
      [],
    ];
    for (const line of ["", "{", "null", ...wrong.map((value) => JSON.stringify(value))]) {
      expect(() => parseCheckpoint(line)).toThrow(TypeError);
    }
    expect(parseCheckpoint(JSON.stringify(checkpoint))).toEqual(checkpoint);
  });
});

describe("signed checkpoints", () => {
  const mine = generateKeyPairSync("ed25519");
  const other = generateKeyPairSync("ed25519");
  const signer = createEd25519Signer(mine.privateKey);
  const key = createEd25519Verifier(mine.publicKey);

  async function signed() {
    const { lines, journal, checkpoints } = await journalWith({ every: 10, signer });
    return { lines, head: journal.head(), checkpoints: checkpoints() };
  }

  const codesOf = async (
    lines: readonly string[],
    checkpoints: readonly JournalCheckpoint[],
    keys = [key],
  ): Promise<[verdict: string, ...problems: string[]]> => {
    const { signatures } = await verifyJournal(lines, { checkpoints, keys });
    return [signatures.verdict, ...signatures.problems.map(({ line, code }) => `${line} ${code}`)];
  };

  it("pass with the public key of whoever signed", async () => {
    const { lines, head, checkpoints } = await signed();
    expect(checkpoints.every(({ keyId, signature }) => keyId === signer.keyId && signature?.length === 128)).toBe(true);
    expect(await verifyJournal(lines, { head, checkpoints, keys: [key] })).toMatchObject({
      ok: true,
      signatures: { verdict: "PASS", problems: [] },
      completeness: { verdict: "PASS" },
    });
  });

  it("are not proven without a key, or without checkpoints", async () => {
    const { lines, checkpoints } = await signed();
    expect((await verifyJournal(lines, { checkpoints })).signatures.verdict).toBe("NOT PROVEN");
    expect(await codesOf(lines, [])).toEqual(["NOT PROVEN"]);
  });

  it("fail when one was changed, was signed by somebody else, or has no signature", async () => {
    const { lines, checkpoints } = await signed();
    const [first, second, third] = checkpoints as [JournalCheckpoint, JournalCheckpoint, JournalCheckpoint];
    expect(await codesOf(lines, [first, { ...second, atMs: 1 }, third])).toEqual(["FAIL", "2 bad_signature"]);
    const { signature: _, ...unsigned } = second;
    expect(await codesOf(lines, [first, unsigned])).toEqual(["FAIL", "2 unsigned"]);
    expect(await codesOf(lines, [{ ...first, signature: "00" }])).toEqual(["FAIL", "1 bad_signature"]);
    const theirs = createEd25519Signer(other.privateKey);
    const bySomebody = (await journalWith({ every: 10, signer: theirs })).checkpoints();
    expect((await codesOf(lines, bySomebody))[1]).toBe("1 unknown_key");
    const inMyName = (await journalWith({ every: 10, signer: { ...theirs, keyId: signer.keyId } })).checkpoints();
    expect((await codesOf(lines, inMyName))[1]).toBe("1 bad_signature");
  });

  it("pass with any of the keys that are given: keys change", async () => {
    const { lines, checkpoints } = await signed();
    expect(await codesOf(lines, checkpoints, [createEd25519Verifier(other.publicKey), key])).toEqual(["PASS"]);
  });

  it("say nothing about completeness when they are not signed as they should be", async () => {
    const { lines, checkpoints } = await signed();
    const forged = { ...checkpoints[0]!, seq: 1_000_000, count: 1_000_001 };
    const verdict = await verifyJournal(lines, { checkpoints: [forged], keys: [key] });
    expect(verdict).toMatchObject({
      ok: false,
      signatures: { verdict: "FAIL" },
      completeness: { verdict: "NOT PROVEN", provenUpTo: -1 },
    });
  });

  it("can be signed and verified with Web Crypto", async () => {
    const { privateKey, publicKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
    const webSigner: CheckpointSigner = {
      keyId: "web-1",
      sign: (message) => crypto.subtle.sign("Ed25519", privateKey, message),
    };
    const { lines, journal } = await journalWith({ every: 1_000, signer: webSigner });
    const checkpoint = await journal.checkpoint();
    const webKey = {
      keyId: "web-1",
      verify: (message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>) =>
        crypto.subtle.verify("Ed25519", publicKey, signature, message),
    };
    expect(await codesOf(lines, [checkpoint], [webKey])).toEqual(["PASS"]);
    expect((await codesOf(lines, [{ ...checkpoint, count: 3, seq: 2 }], [webKey]))[0]).toBe("FAIL");
  });

  it("take a key that throws for one that does not fit", async () => {
    const { lines, checkpoints } = await signed();
    const throwing = {
      verify: () => {
        throw new Error("no such algorithm");
      },
    };
    expect((await codesOf(lines, checkpoints, [throwing]))[1]).toBe("1 bad_signature");
  });

  it("take keys in PEM, and nothing but Ed25519 keys of the right kind", () => {
    const privatePem = mine.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    const publicPem = mine.publicKey.export({ type: "spki", format: "pem" }) as string;
    expect(createEd25519Signer(privatePem).keyId).toBe(signer.keyId);
    expect(createEd25519Verifier(publicPem).keyId).toBe(signer.keyId);
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    for (const wrong of [rsa.privateKey, mine.publicKey, publicPem, "no key"]) {
      expect(() => createEd25519Signer(wrong)).toThrow("not a private Ed25519 key");
    }
    for (const wrong of [rsa.publicKey, mine.privateKey, privatePem, "no key"]) {
      expect(() => createEd25519Verifier(wrong)).toThrow("not a public Ed25519 key");
    }
  });
});

describe("what is no checkpoint", () => {
  it.each<[string, unknown, string]>([
    ["a line of a second place", JSON.stringify({ seq: 3, hash: "5f".repeat(32) }), "string"],
    ["nothing that says where", {}, "object"],
    ["a number", 5, "5"],
    ["null", null, "null"],
    ["a record that is a text", { seq: "3", hash: "5f".repeat(32) }, "object"],
    ["a hash that is none", { seq: 3, hash: "5f" }, "object"],
    ["a signature that is no text", { seq: 3, hash: "5f".repeat(32), signature: 7 }, "object"],
  ])("is refused, with keys and without: %s", async (_, checkpoint, received) => {
    const { lines, checkpoints } = await journalWith({ every: 10, clock });
    for (const keys of [[], [{ verify: () => true }]]) {
      const known = [checkpoints()[0]!, checkpoint] as JournalCheckpoint[];
      await expect(verifyJournal(lines.slice(0, 3), { checkpoints: known, keys })).rejects.toMatchObject({
        code: "invalid_option",
        message: `checkpoints[1] must be { seq, hash } (parseCheckpoint reads a line), not ${received}`,
      });
    }
  });
});

describe("a file of checkpoints", () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "eoc-checkpoints-"));
    path = join(folder, "checkpoints.jsonl");
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  async function write(count: number) {
    const file = createCheckpointFile(path);
    const journal = createJsonlJournal(memory(), { checkpoints: { sink: file } });
    for (const event of retried().slice(0, count)) {
      await journal.append(event);
      await journal.checkpoint();
    }
    await file.close();
  }

  async function read(): Promise<JournalCheckpoint[]> {
    const found: JournalCheckpoint[] = [];
    for await (const checkpoint of readCheckpointFile(path)) found.push(checkpoint);
    return found;
  }

  it("keeps what it is given, for its owner alone, and goes on when it is opened again", async () => {
    await write(2);
    await write(1);
    expect((await read()).map(({ count }) => count)).toEqual([2, 3, 2]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("is without half a line that a crash left behind", async () => {
    await write(2);
    const whole = readFileSync(path, "utf8");
    appendFileSync(path, '{"atMs":17');
    expect(await read()).toHaveLength(2);
    await write(1);
    expect(readFileSync(path, "utf8").startsWith(whole)).toBe(true);
    expect(await read()).toHaveLength(3);
    writeFileSync(path, '{"atMs":17');
    await write(1);
    expect(await read()).toHaveLength(1);
  });

  it("refuses a file of something else, and leaves it as it is", async () => {
    for (const content of ["hello\n", "no end", '{"event":{}}\n']) {
      writeFileSync(path, content);
      expect(() => createCheckpointFile(path)).toThrow(/checkpoint/);
      expect(readFileSync(path, "utf8")).toBe(content);
    }
    await expect(read()).rejects.toThrow(`line 1 of ${path} is not a journal's checkpoint`);
    expect(() => createCheckpointFile(path, { fsync: "no" as "never" })).toThrow(
      'fsync must be one of always, never, not "no"',
    );
  });
});

import {
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import { type ExecutionEvent, execute } from "@eoc/core";
import { createJsonlJournal } from "@eoc/trace";
import { describe, expect, it } from "vitest";
import { createLocalRuntime, isStoreError, type LocalRuntime } from "../src/index.js";
import { aFile, aFolder, opened, until } from "./support.js";

const REQUEST = { fingerprint: "f", leaseMs: 60_000, nowMs: 0 };
const POLICY = { idempotency: { enabled: true }, rateLimit: { global: { limit: 10, windowMs: 1000 } } };

/** Some event: a journal keeps it as it is. */
const EVENT = { type: "delay.started", seq: 0, atMs: 0, executionId: "e" } as unknown as ExecutionEvent;

/** The code that `promise` rejects with. */
async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => "resolved",
    (reason: unknown) => reason,
  );
  return isStoreError(error) ? error.code : String(error);
}

/** Executes one action with some of the runtime's ports, and says how often it was dispatched and why it ended. */
async function outcomeWith(ports: object): Promise<[dispatches: number, reason: string | undefined]> {
  let dispatches = 0;
  const decision = { action: "ACT", actions: [{ action: "ACT" as const, idempotency_key: "key" }] } as const;
  const report = await execute(
    { ...decision, actions: [...decision.actions] },
    {},
    POLICY,
    () => ({ ok: ++dispatches > 0 }) as never,
    ports,
  );
  return [dispatches, report.reason ?? report.actions[0]?.reason];
}

/** With nothing to be had from the file, nothing is dispatched, whichever port is asked first. */
async function mustDeny({ idempotencyStore, rateLimiter, killSwitch }: LocalRuntime): Promise<void> {
  const memory = { acquire: () => ({ granted: true }) as const };
  expect(await outcomeWith({ idempotencyStore, rateLimiter: memory })).toEqual([0, "idempotency_store_unavailable"]);
  const free = {
    claim: () => ({ state: "claimed", token: 1 }),
    renew() {},
    complete() {},
    release() {},
    markUnknown() {},
  };
  expect(await outcomeWith({ idempotencyStore: free, rateLimiter })).toEqual([0, "rate_limiter_unavailable"]);
  expect(await outcomeWith({ idempotencyStore: free, rateLimiter: memory, killSwitch })).toEqual([
    0,
    "kill_switch_unavailable",
  ]);
}

describe("S7.6 a file that cannot be used is refused when it is opened", () => {
  it("of a newer version", async () => {
    const file = aFile();
    await (await opened(file)).close();
    const db = new DatabaseSync(file);
    db.exec("PRAGMA user_version = 99");
    db.close();
    const before = readFileSync(file);
    expect(await codeOf(opened(file))).toBe("schema_newer");
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("of something else", async () => {
    const file = aFile();
    const db = new DatabaseSync(file);
    db.exec("CREATE TABLE customers (id INTEGER)");
    db.close();
    const before = readFileSync(file);
    expect(await codeOf(opened(file))).toBe("foreign_file");
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(dirname(file))).toEqual([basename(file)]);
  });

  it("that is no database, or a damaged one", async () => {
    const file = aFile();
    writeFileSync(file, "a letter to the editor".repeat(1000));
    expect(await codeOf(opened(file))).toBe("corrupt");
    rmSync(file);
    await (await opened(file)).close();
    const { size } = statSync(file);
    writeSync(openSync(file, "r+"), Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096);
    expect(await codeOf(opened(file))).toBe("corrupt");
  });

  it("that can only be read", async () => {
    const file = aFile();
    await (await opened(file)).close();
    expect(await codeOf(opened(file, {}, { pragmas: ["query_only = ON"] }))).toBe("read_only");
  });

  it("that is not there, when it is not to be made, or cannot be", async () => {
    const file = aFile();
    expect(await codeOf(opened(file, { create: false }))).toBe("cannot_open");
    expect(() => statSync(file)).toThrow("ENOENT");
    writeFileSync(file, "");
    expect(await codeOf(opened(file, { create: false }))).toBe("cannot_open");
    expect(statSync(file).size).toBe(0);
    new DatabaseSync(file).exec("PRAGMA journal_mode = WAL; VACUUM");
    expect(await codeOf(opened(file, { create: false }))).toBe("cannot_open");
    expect(await codeOf(opened(`${file}/of/nowhere`))).toBe("cannot_open");
    expect(await codeOf(opened(aFolder()))).toBe("cannot_open");
  });

  it("by an option that is wrong", async () => {
    for (const [path, options] of [
      ["", {}],
      [":memory:", {}],
      [aFile(), { busyTimeoutMs: -1 }],
      [aFile(), { pollMs: 0 }],
      [aFile(), { timeoutMs: Number.NaN }],
    ] as const) {
      await expect(createLocalRuntime(path, options)).rejects.toMatchObject({ code: "invalid_option" });
    }
  });

  it("by one that there is not, or by what is no maker of journals: nothing would be on record", async () => {
    const file = aFile();
    const journal = createJsonlJournal({ append: () => {} });
    const known = "one of journal, journalName, create, busyTimeoutMs, pollMs, timeoutMs";
    const maker = "a function that makes a journal of its sink, such as createJsonlJournal";
    for (const [args, path, expected] of [
      [[file, { jornal: createJsonlJournal }], "jornal", known],
      [[file, { journal }], "journal", maker],
      [[file, { journalName: 7 }], "journalName", "a name"],
      [[file, null], "options", "an object"],
      [[], "file", "a path"],
      [[{ file }], "file", "a path"],
    ] as const) {
      const opening = createLocalRuntime(...(args as unknown as [string]));
      await expect(opening).rejects.toMatchObject({ name: "EocError", issues: [{ path, expected }] });
    }
    expect(() => statSync(file)).toThrow("ENOENT");
    const undefinedOnes = { journal: undefined, journalName: undefined, create: undefined, pollMs: undefined };
    expect(Object.keys(await opened(file, undefinedOnes as object))).not.toContain("journal");
  });

  it("and a new one is for its owner alone", async () => {
    const file = aFile();
    await opened(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(`${file}-wal`).mode & 0o777).toBe(0o600);
  });
});

describe("S7.6 a file that fails while it is in use denies, and recovers where it can", () => {
  it("held by others for longer than the limit", async () => {
    const file = aFile();
    const runtime = await opened(file, { busyTimeoutMs: 60 });
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    expect(await codeOf(runtime.idempotencyStore.claim("key", REQUEST))).toBe("busy");
    expect(await outcomeWith({ idempotencyStore: runtime.idempotencyStore, rateLimiter: runtime.rateLimiter })).toEqual(
      [0, "idempotency_store_unavailable"],
    );
    // Who only reads does not wait for who writes: a halt is seen all the same.
    expect(await runtime.killSwitch.read()).toMatchObject({ halted: false });
    expect(await runtime.idempotencyStore.list()).toEqual([]);
    other.exec("COMMIT");
    other.close();
    expect(await runtime.idempotencyStore.claim("key", REQUEST)).toMatchObject({ state: "claimed" });
  });

  it("full: nothing that was acknowledged is lost, and it can still be read", async () => {
    const file = aFile();
    const runtime = await opened(file, {}, { pragmas: ["max_page_count = 60"] });
    const { idempotencyStore } = runtime;
    const acknowledged: string[] = [];
    let code = "";
    for (let number = 0; code === ""; number++) {
      const key = `key ${number}`;
      try {
        const { token } = (await idempotencyStore.claim(key, REQUEST)) as { token: number };
        if (await idempotencyStore.complete(key, token, { value: "v".repeat(3_000), ttlMs: 1e9 }))
          acknowledged.push(key);
      } catch (error) {
        code = isStoreError(error) ? error.code : String(error);
      }
    }
    expect(code).toBe("full");
    expect(acknowledged.length).toBeGreaterThan(5);
    const completed = await idempotencyStore.list({ state: "completed" });
    expect(completed.map(({ key }) => key).sort()).toEqual(acknowledged.sort());
    expect(await runtime.killSwitch.read()).toMatchObject({ halted: false });
  });

  it("deleted, or replaced by another: every port denies until it is opened again", async () => {
    for (const spoil of [
      (file: string) => unlinkSync(file),
      (file: string) => unlinkSync(`${file}-wal`),
      (file: string) => {
        copyFileSync(file, `${file}.copy`);
        renameSync(`${file}.copy`, file);
      },
    ]) {
      const file = aFile();
      const runtime = await opened(file);
      expect(await runtime.idempotencyStore.claim("key", REQUEST)).toMatchObject({ state: "claimed" });
      spoil(file);
      expect(await codeOf(runtime.idempotencyStore.claim("other", REQUEST))).toBe("replaced");
      await mustDeny(runtime);
      await runtime.close();
      const again = await opened(file);
      expect(await again.killSwitch.read()).toMatchObject({ halted: false });
    }
  });

  it("opened through a link: it is one file, with one log and one set of owners", async () => {
    const folder = aFolder();
    mkdirSync(join(folder, "real"));
    mkdirSync(join(folder, "other"));
    const file = join(folder, "real", "eoc.db");
    const links = [join(folder, "other", "link.db"), join(folder, "linked", "eoc.db")];
    symlinkSync(file, links[0]!);
    symlinkSync(join(folder, "real"), join(folder, "linked"));
    const journal = () => ({ append() {} });
    // Through a link that leads nowhere yet.
    const runtime = await opened(links[0]!, { journal });
    for (const path of [file, ...links]) expect(await codeOf(opened(path, { journal }))).toBe("journal_in_use");
    const limits = [{ key: "key", limit: 1, windowMs: 1 }];
    expect(await runtime.rateLimiter.acquire(limits, 0)).toMatchObject({ granted: true });
    for (const path of [file, links[1]!]) {
      const { rateLimiter, close } = await opened(path);
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(await rateLimiter.acquire(limits, 0)).toMatchObject({ granted: false });
      await close();
    }
    expect(readdirSync(join(folder, "other"))).toEqual(["link.db"]);
    unlinkSync(`${file}-wal`);
    expect(await codeOf(runtime.idempotencyStore.claim("key", REQUEST))).toBe("replaced");
  });

  it("under another file than the link that it was opened through leads to", async () => {
    const folder = aFolder();
    const link = join(folder, "link.db");
    symlinkSync(join(folder, "one.db"), link);
    const runtime = await opened(link);
    unlinkSync(link);
    symlinkSync(join(folder, "two.db"), link);
    await opened(link);
    expect(await codeOf(runtime.idempotencyStore.claim("key", REQUEST))).toBe("replaced");
  });

  it("damaged while it is open", async () => {
    const file = aFile();
    const runtime = await opened(file, {}, { pragmas: ["cache_size = 1"] });
    for (let number = 0; number < 300; number++) await runtime.idempotencyStore.claim(`key ${number}`, REQUEST);
    const other = new DatabaseSync(file);
    other.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    other.close();
    const { size } = statSync(file);
    writeSync(openSync(file, "r+"), Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096);
    expect(await codeOf(runtime.idempotencyStore.list())).toBe("corrupt");
    await mustDeny(runtime);
  });

  it("without an answer: the request is given up", async () => {
    const file = aFile();
    const runtime = await opened(file, { busyTimeoutMs: 1_500, timeoutMs: 40 });
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    expect(await codeOf(runtime.idempotencyStore.claim("key", REQUEST))).toBe("timeout");
    other.close();
  });

  it("with an answer that comes too late: what it grants is given back", async () => {
    const file = aFile();
    const runtime = await opened(file, { busyTimeoutMs: 60_000, timeoutMs: 20 });
    const { idempotencyStore, rateLimiter } = runtime;
    const { token } = (await idempotencyStore.claim("in doubt", REQUEST)) as { token: number };
    await idempotencyStore.markUnknown("in doubt", token);
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const limits = [{ key: "key", limit: 1, windowMs: 1 }];
    const codes = [
      codeOf(idempotencyStore.claim("key", REQUEST)),
      codeOf(idempotencyStore.claim("in doubt", { ...REQUEST, takeOver: true })),
      codeOf(Promise.resolve(rateLimiter.acquire(limits, 0))),
    ];
    expect(await Promise.all(codes)).toEqual(["timeout", "timeout", "timeout"]);
    other.close();
    const another = await opened(file);
    const states = async () => (await another.idempotencyStore.list()).map(({ key, state }) => [key, state]);
    const granted = async () => (await another.rateLimiter.acquire(limits, 0)).granted;
    await until(async () => (await another.idempotencyStore.find("in doubt"))?.token !== token);
    await until(async () => (await states()).length === 1 && (await granted()));
    expect(await states()).toEqual([["in doubt", "unknown"]]);
  });

  it("S8.2 not at all, when it is the process that was held up: what was answered meanwhile is heard", async () => {
    const runtime = await opened(aFile(), { timeoutMs: 40, journal: createJsonlJournal });
    const limits = [{ key: "key", limit: 1, windowMs: 1 }];
    const holdUp = () => {
      const untilMs = performance.now() + 200;
      while (performance.now() < untilMs);
    };
    const calls = () => [
      runtime.idempotencyStore.claim("key", REQUEST),
      runtime.rateLimiter.acquire(limits, 0),
      runtime.journal!.append(EVENT),
    ];
    const sent = calls();
    await new Promise((resolve) => setImmediate(resolve));
    holdUp();
    expect(await Promise.allSettled(sent)).toMatchObject(sent.map(() => ({ status: "fulfilled" })));
    // Not sent before it was held up.
    const waiting = [runtime.idempotencyStore.claim("other", REQUEST), runtime.killSwitch.read()];
    holdUp();
    expect(await Promise.allSettled(waiting)).toMatchObject(waiting.map(() => ({ status: "fulfilled" })));
  });

  it("without its thread: whatever is awaited or asked later is refused", async () => {
    let worker: Worker | undefined;
    process.once("worker", (started) => {
      worker = started;
    });
    const runtime = await opened(aFile());
    const claim = codeOf(runtime.idempotencyStore.claim("key", REQUEST));
    await worker!.terminate();
    expect(["timeout", "resolved"]).toContain(await claim);
    expect(await codeOf(runtime.killSwitch.read())).toBe("timeout");
    await mustDeny(runtime);
    await runtime.close();
  });

  it("one request that cannot be carried out takes none of those that it shares a transaction with along", async () => {
    const file = aFile();
    const { idempotencyStore } = await opened(file);
    const other = new DatabaseSync(file);
    other.exec(
      "CREATE TRIGGER no BEFORE INSERT ON eoc_keys WHEN new.key = 'poison' BEGIN SELECT raise(ABORT, 'no'); END",
    );
    other.close();
    const claims = ["one", "poison", "two"].map(async (key) => idempotencyStore.claim(key, REQUEST));
    const [one, poison, two] = await Promise.allSettled(claims);
    expect([one, two]).toMatchObject([{ value: { state: "claimed" } }, { value: { state: "claimed" } }]);
    expect(poison).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
    expect((await idempotencyStore.list()).map(({ key }) => key)).toEqual(["one", "two"]);
  });
});

describe("a closed store", () => {
  it("has done what was asked for, refuses what comes later, and may be closed twice", async () => {
    const file = aFile();
    const runtime = await opened(file);
    const claims = Array.from({ length: 20 }, (_, number) => runtime.idempotencyStore.claim(`key ${number}`, REQUEST));
    await Promise.all([runtime.close(), runtime.close()]);
    for (const verdict of await Promise.all(claims)) expect(verdict).toMatchObject({ state: "claimed" });
    expect(await codeOf(runtime.killSwitch.read())).toBe("closed");
    await mustDeny(runtime);
    expect(await (await opened(file)).idempotencyStore.list()).toHaveLength(20);
  });

  it("leaves no handle behind", async () => {
    const census = () => process.getActiveResourcesInfo().filter((kind) => kind !== "Timeout");
    const before = census();
    const runtime = await opened(aFile());
    const unsubscribe = runtime.killSwitch.subscribe(() => {});
    await runtime.rateLimiter.acquire([{ key: "key", limit: 1, windowMs: 1000 }], 0);
    unsubscribe();
    await runtime.close();
    expect(census()).toEqual(before);
  });
});

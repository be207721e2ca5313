import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createManualKillSwitch, createMemoryIdempotencyStore } from "@eoc/core";
import { createLocalRuntime } from "@eoc/store-sqlite";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Ran, run } from "./support.js";

// Every command opens the file anew, on a disk with a pace of its own.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const SECRET = "receipt-with-a-secret";
const env = { USER: "ops" };

let folder: string;
let store: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "eoc-cli-"));
  const file = join(folder, "eoc.db");
  store = `sqlite:${file}`;
  const { idempotencyStore, close } = await createLocalRuntime(file);
  for (const key of ["charge-1", "charge-2", "refund-7", "refund-8", "wipe\u001b[2J"]) {
    const claim = await idempotencyStore.claim(key, { fingerprint: "f00d", leaseMs: 600_000, nowMs: 0 });
    const { token } = claim as { token: number };
    if (key !== "charge-2") await idempotencyStore.start(key, token);
    if (key === "charge-1") await idempotencyStore.complete(key, token, { value: SECRET, ttlMs: 600_000 });
    if (key.startsWith("refund")) await idempotencyStore.markUnknown(key, token);
  }
  await close();
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const json = ({ out }: Ran) => JSON.parse(out) as Record<string, unknown> & Record<string, unknown>[];

describe("eoc keys list", () => {
  it("shows every key that is not free, and ends in 4 when one is in doubt", async () => {
    const { code, out, err } = await run(["keys", "list", store]);
    expect([code, err]).toEqual([4, ""]);
    const [head, ...rows] = out.trimEnd().split("\n");
    expect(head).toMatch(/^STATE +UPDATED +STARTED +KEY$/);
    expect(rows.map((row) => row.split(/ {2,}/).map((cell) => cell.replace(/^\d{4}-.*Z$/, "TIME")))).toEqual([
      ["completed", "TIME", "TIME", "charge-1"],
      ["claimed", "TIME", "charge-2"],
      ["unknown", "TIME", "TIME", "refund-7"],
      ["unknown", "TIME", "TIME", "refund-8"],
      ["in_progress", "TIME", "TIME", "wipe\ufffd[2J"],
    ]);
  });

  it("shows those in one state, behind one, so many; as JSON, without values", async () => {
    const keysOf = async (...more: string[]) => {
      const ran = await run(["keys", "list", store, "--json", ...more]);
      expect(ran.out).not.toContain(SECRET);
      return [ran.code, ran.err.trim(), json(ran).map(({ key }) => key)];
    };
    expect(await keysOf("--state", "unknown")).toEqual([4, "", ["refund-7", "refund-8"]]);
    expect(await keysOf("--state", "completed")).toEqual([0, "", ["charge-1"]]);
    expect(await keysOf("--after", "refund-7")).toEqual([4, "", ["refund-8", "wipe\u001b[2J"]]);
    const more = "eoc: there are more: go on with --after and the last key";
    expect(await keysOf("--limit", "2")).toEqual([0, more, ["charge-1", "charge-2"]]);
    const [entry] = json(await run(["keys", "list", store, "--json", "--state", "unknown"]));
    expect(entry).toEqual({
      key: "refund-7",
      state: "unknown",
      fingerprint: "f00d",
      token: 3,
      claimedAtMs: expect.any(Number),
      startedAtMs: expect.any(Number),
      updatedAtMs: expect.any(Number),
    });
  });

  it("says that there are none, and ends in 0", async () => {
    expect(await run(["keys", "list", store, "--after", "z"])).toEqual({ code: 0, out: "No keys.\n", err: "" });
  });
});

describe("eoc keys show", () => {
  it("tells what is known of a key, and what to do about a doubt", async () => {
    const inDoubt = await run(["keys", "show", store, "refund-7"]);
    expect(inDoubt.code).toBe(4);
    expect(inDoubt.out).toContain("refund-7\n  state        in doubt: its dispatch may or may not have been applied\n");
    expect(inDoubt.out).toContain("eoc keys resolve STORE KEY applied|not_applied");
    const done = await run(["keys", "show", store, "charge-1"]);
    expect([done.code, done.out.includes("completed"), done.out.includes(SECRET)]).toEqual([0, true, false]);
    expect(done.out).not.toContain("lease");
    const leaseUntilMs = expect.any(Number);
    expect(json(await run(["keys", "show", store, "charge-2", "--json"]))).toMatchObject({
      state: "claimed",
      leaseUntilMs,
    });
    const { out } = await run(["keys", "show", store, "wipe\u001b[2J"]);
    const [, started, until] = / {2}started +(\S+)\n.* {2}lease until +(\S+)\n/s.exec(out)!;
    expect(out).toContain("in progress");
    expect(Date.parse(until!)).toBeGreaterThan(Date.parse(started!));
  });

  it("ends in 1 for a key that is free", async () => {
    expect(await run(["keys", "show", store, "nobody's"])).toMatchObject({
      code: 1,
      out: expect.stringContaining("free"),
    });
    expect(await run(["keys", "show", store, "nobody's", "--json"])).toMatchObject({ code: 1, out: "null\n" });
  });
});

describe("eoc keys resolve", () => {
  it("frees or completes a key in doubt, and nothing else", async () => {
    expect(await run(["keys", "resolve", store, "refund-7", "not_applied"])).toMatchObject({
      code: 0,
      out: "Free again.\n",
    });
    expect(await run(["keys", "show", store, "refund-7"])).toMatchObject({ code: 1 });
    const applied = await run(["keys", "resolve", store, "refund-8", "applied", "--json"]);
    expect(json(applied)).toEqual({ key: "refund-8", outcome: "applied", resolved: true });
    expect(await run(["keys", "show", store, "refund-8"])).toMatchObject({ code: 0 });
    for (const key of ["charge-1", "charge-2", "refund-8", "nobody's"]) {
      const { code, err } = await run(["keys", "resolve", store, key, "not_applied"]);
      expect([key, code, err]).toEqual([
        key,
        1,
        "eoc: the key is not in doubt: nothing was changed (see eoc keys show)\n",
      ]);
    }
    expect(await run(["keys", "list", store, "--state", "unknown"])).toMatchObject({ code: 0 });
  });
});

describe("eoc halt", () => {
  it("throws the switch, says so to everybody, and flips it back", async () => {
    expect(await run(["halt", "status", store])).toEqual({ code: 0, out: "Not halted\n", err: "" });
    const on = await run(["halt", "on", store, "--reason", "pool is\nempty"], { env });
    expect(on.code).toBe(0);
    expect(on.out).toMatch(/^Halted: pool is\ufffdempty \(by ops, since \d{4}-.*Z\)\n$/);
    expect(await run(["halt", "status", store])).toMatchObject({ code: 3, out: on.out });
    expect(json(await run(["halt", "status", store, "--json"]))).toMatchObject({
      halted: true,
      reason: "pool is\nempty",
    });
    expect(await run(["halt", "on", store, "--by", "ada"], { env })).toMatchObject({
      out: expect.stringMatching(/^Halted \(by ada, since /),
    });
    for (const switched of ["on", "off"]) {
      const wrong = await run(["halt", switched, store, "--by", ""], { env });
      expect([wrong.code, wrong.out, wrong.err]).toEqual([2, "", "eoc: --by must name somebody\n"]);
    }
    expect(await run(["halt", "on", store], { userName: () => "svc" })).toMatchObject({
      out: expect.stringMatching(/^Halted \(by svc, since /),
    });
    expect((await run(["halt", "off", store, "--by", "ada"])).out).toMatch(/^Not halted \(by ada, since /);
    const off = await run(["halt", "off", store], { env });
    expect([off.code, off.out]).toEqual([0, expect.stringMatching(/^Not halted \(by ops, since .*\)\n$/)]);
    expect(await run(["halt", "status", store])).toMatchObject({ code: 0 });
  });
});

describe("a store that cannot be used", () => {
  it("ends in 2, without a word of a password", async () => {
    const password = "hunter%3D2";
    const wrong: [argv: string[], RegExp][] = [
      [["keys", "list"], /STORE is missing/],
      [["keys", "show"], /: STORE and KEY are missing/],
      [["keys", "show", store], /: KEY is missing/],
      [["keys", "resolve", store], /: KEY and the outcome are missing/],
      [["keys", "resolve", store, "key"], /: the outcome is missing/],
      [["keys", "resolve", store, "key", "perhaps"], /applied or not_applied/],
      [["keys", "list", store, "another"], /another is one too many/],
      [["keys", "list", store, "--state", "sleepy"], /--state must be one of claimed, in_progress, completed, unknown/],
      [["keys", "list", store, "--limit", "0"], /--limit must be/],
      [["keys", "list", "sqlite:"], /STORE must be/],
      [["keys", "list", `mysql://ops:${password}@db/eoc`], /STORE must be/],
      [["keys", "list", join(folder, "eoc.db")], /STORE must be/],
      [["keys", "list", store, "--schema", "eoc"], /--schema means nothing for sqlite/],
      [["halt", "status", store, "--switch", "other"], /--switch means nothing for sqlite/],
      [["keys", "list", "postgres://db/eoc", "--prefix", "eoc"], /--prefix means nothing for postgres/],
      [["keys", "list", `sqlite:${folder}/nothing.db`], /cannot be used \(cannot_open\): there is no such file/],
      [["keys", "list", `sqlite:${folder}`], /cannot be used \(cannot_open\)/],
    ];
    for (const [argv, complaint] of wrong) {
      const { code, out, err } = await run(argv);
      expect([argv, code, out]).toEqual([argv, 2, ""]);
      expect(err).toMatch(complaint);
      expect(err).not.toContain("hunter");
    }
  });

  it("says which package is to be installed", async () => {
    const load = async (name: string) => {
      const missing = new Error(`Cannot find package '${name}' imported from here`);
      throw Object.assign(missing, { code: "ERR_MODULE_NOT_FOUND" });
    };
    for (const [address, name] of [
      [store, "@eoc/store-sqlite"],
      ["postgres://db/eoc", "@eoc/store-postgres"],
      ["rediss://cache", "@eoc/store-redis"],
    ] as const) {
      expect(await run(["halt", "status", address], { load })).toEqual({
        code: 2,
        out: "",
        err: `eoc: ${name} is not installed: npm install ${name}\n`,
      });
    }
    const onlyStores = async (name: string) => (name.startsWith("@eoc/") ? {} : load(name));
    const { err } = await run(["halt", "status", "postgres://db/eoc"], { load: onlyStores });
    expect(err).toBe("eoc: pg is not installed (or postgres): npm install pg\n");
  });
});

const never = () => new Promise<never>(() => {});

/**
 * Packages of a server's store and its driver, over the memory of this process; says what was opened and left open. Connecting fails
 * with `fail`; where the server is silent, what has an order to it never ends.
 */
function serverPackages(
  driver: "pg" | "postgres" | "ioredis" | "redis",
  { fail, silent, event }: { fail?: Error; silent?: "connect" | "end"; event?: object } = {},
) {
  const seen: { address?: unknown; options: Record<string, unknown>[]; open: number } = { options: [], open: 0 };
  const keys = createMemoryIdempotencyStore();
  const killSwitch = createManualKillSwitch();
  const opened = (port: object) => (options: Record<string, unknown>) => {
    seen.options.push(options);
    seen.open++;
    return {
      ...port,
      close: async () => {
        seen.open--;
      },
    };
  };
  const client = (address: unknown) => {
    seen.address = address;
    seen.open++;
    const end = async () => {
      seen.open--;
    };
    const on = (_: string, heard: (error: unknown) => void) => event && heard(event);
    const connect = async () => (fail === undefined ? silent === "connect" && never() : Promise.reject(fail));
    const inOrder = silent === undefined ? end : never;
    return { on, connect, end: inOrder, disconnect: end, close: inOrder, destroy: end };
  };
  // Constructed, as drivers are.
  function Pool(this: object, { connectionString }: { connectionString: string }) {
    return client(connectionString);
  }
  function Redis(this: object, address: string) {
    return client(address);
  }
  const page = ({ limit, after = "", ...rest }: { limit: number; after?: string }) =>
    keys
      .list(rest)
      .filter(({ key }) => key > after)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .slice(0, limit);
  const store = { ...keys, list: async (filter: { limit: number }) => page(filter) };
  const modules: Record<string, object> = {
    "@eoc/store-postgres": {
      createPostgresIdempotencyStore: opened(store),
      createPostgresKillSwitch: opened(killSwitch),
    },
    "@eoc/store-redis": { createRedisIdempotencyStore: opened(store), createRedisKillSwitch: opened(killSwitch) },
    pg: { default: { Pool } },
    postgres: { default: client },
    ioredis: { Redis },
    redis: { createClient: ({ url }: { url: string }) => client(url) },
  };
  const drivers = ["pg", "postgres", "ioredis", "redis"];
  const load = async (name: string) => {
    if (modules[name] !== undefined && (!drivers.includes(name) || name === driver)) return modules[name];
    throw Object.assign(new Error(`Cannot find package '${name}'`), { code: "ERR_MODULE_NOT_FOUND" });
  };
  return { seen, keys, killSwitch, load };
}

describe("a store on a server", () => {
  for (const driver of ["pg", "postgres", "ioredis", "redis"] as const) {
    const isPostgres = driver === "pg" || driver === "postgres";
    const address = isPostgres ? "postgres://ops:hunter2@db/eoc" : "redis://:hunter2@cache:6379";

    it(`is opened through ${driver}, told which part of it is meant, and closed with its connections`, async () => {
      const { seen, keys, killSwitch, load } = serverPackages(driver);
      for (let number = 0; number < 1500; number++) {
        keys.claim(`key-${String(number).padStart(4, "0")}`, { fingerprint: "f", leaseMs: 60_000, nowMs: 0 });
      }
      const part = isPostgres ? "schema" : "prefix";
      expect(await run(["keys", "show", address, "key-1499", `--${part}`, "mine"], { load })).toMatchObject({
        code: 0,
      });
      expect(await run(["keys", "show", address, "key-1500"], { load })).toMatchObject({ code: 1 });
      expect(seen.address).toBe(address);
      expect(seen.options[0]).toMatchObject({ [part]: "mine" });
      expect(await run(["halt", "on", address, "--reason", "stop", "--switch", "other"], { load })).toMatchObject({
        code: 0,
      });
      expect(seen.options.at(-1)).toMatchObject({ name: "other" });
      expect(killSwitch.read()).toEqual({ halted: true, reason: "stop" });
      expect(await run(["halt", "status", address], { load })).toMatchObject({ code: 3, out: "Halted: stop\n" });
      expect(seen.open).toBe(0);
    });
  }

  it("that cannot be reached ends in 2, and leaves nothing open", async () => {
    for (const driver of ["ioredis", "redis"] as const) {
      const fail = Object.assign(new Error("connect to redis://:hunter2@cache:6379 refused"), { code: "ECONNREFUSED" });
      const { seen, load } = serverPackages(driver, { fail });
      const ran = await run(["halt", "status", "redis://:hunter2@cache:6379"], { load });
      expect(ran).toEqual({
        code: 2,
        out: "",
        err: "eoc: the store cannot be used (unavailable, ECONNREFUSED): connect to *** refused\n",
      });
      expect(seen.open).toBe(0);
    }
  });

  it("that cannot be reached is told why by an event alone, as of ioredis", async () => {
    for (const [refusal, told] of [
      [{ code: "ECONNREFUSED", message: "connect ECONNREFUSED 127.0.0.1:1" }, "unavailable, ECONNREFUSED"],
      [{ message: "WRONGPASS invalid username-password pair" }, "unavailable"],
    ] as const) {
      const { load } = serverPackages("ioredis", { fail: new Error("Connection is closed."), event: refusal });
      expect(await run(["keys", "list", "redis://127.0.0.1:1"], { load })).toEqual({
        code: 2,
        out: "",
        err: `eoc: the store cannot be used (${told}): ${refusal.message}\n`,
      });
    }
  });

  describe("that says nothing", () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    it("when it is connected to ends in 2, and leaves nothing open", async () => {
      for (const driver of ["ioredis", "redis"] as const) {
        const { seen, load } = serverPackages(driver, { silent: "connect" });
        const ran = run(["halt", "on", "redis://:hunter2@cache:6379"], { load });
        await vi.advanceTimersByTimeAsync(6000);
        expect(await ran).toEqual({
          code: 2,
          out: "",
          err: "eoc: the store cannot be used (timeout): the server did not answer within 5000 ms\n",
        });
        expect(seen.open).toBe(0);
      }
    });

    it("when its connections are ended keeps nobody waiting", async () => {
      for (const [driver, address] of [
        ["pg", "postgres://db/eoc"],
        ["postgres", "postgres://db/eoc"],
        ["redis", "redis://cache"],
      ] as const) {
        const { load } = serverPackages(driver, { silent: "end" });
        const ran = run(["halt", "on", address], { load });
        await vi.advanceTimersByTimeAsync(1000);
        expect(await ran).toMatchObject({ code: 0, out: "Halted\n" });
      }
    });
  });
});

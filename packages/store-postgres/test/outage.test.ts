import { createHash } from "node:crypto";
import type { KillSwitchState } from "@eoc/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tryEachPort, untilAnswered } from "../../../tools/store-trials/denials.js";
import { openWire, type Wire } from "../../../tools/store-trials/wire.js";
import {
  createPostgresIdempotencyStore,
  createPostgresKillSwitch,
  createPostgresRateLimiter,
  createPostgresRuntime,
  migratePostgres,
  type PostgresPool,
  type PostgresRuntime,
} from "../src/index.js";
import { findPostgres, type PostgresServer, startPostgres } from "./postgres-server.js";

import { DRIVERS, freshSchema, noServer, pgPool, url } from "./support.js";

const CLAIM = { fingerprint: "payload", leaseMs: 60_000, nowMs: 0 };
const LIMIT = [{ key: "global", limit: 100, windowMs: 1000 }];

const ALL_DENIED = {
  reasons: [
    "idempotency_store_unavailable",
    "rate_limiter_unavailable",
    // Whichever is first: a read that fails, or the watch, which halts.
    expect.stringMatching(/^kill_switch(_unavailable)?$/),
  ],
  dispatches: 0,
};

describe.skipIf(noServer).each(DRIVERS)("S7.6 when the server is out of reach ($name)", ({ open }) => {
  let wire: Wire;
  let runtime: PostgresRuntime;
  let end: () => Promise<void>;

  beforeEach(async () => {
    wire = await openWire(Number(new URL(url).port));
    const { pool, ...rest } = open(4, url.replace(/:\d+\//, `:${wire.port}/`));
    end = rest.end;
    runtime = await createPostgresRuntime({ pool, schema: freshSchema(), timeoutMs: 1000, pollMs: 50 });
    await runtime.killSwitch.read();
  });
  afterEach(async () => {
    await wire.restore();
    await runtime.close();
    await end();
    await wire.close();
  });

  it.each(["cut", "silence"] as const)("%s: every execution is denied, and every call is answered", async (how) => {
    const { token } = (await runtime.idempotencyStore.claim("key", CLAIM)) as { token: number };
    await wire[how]();
    expect(await tryEachPort(runtime)).toEqual(ALL_DENIED);
    const { idempotencyStore, rateLimiter, killSwitch } = runtime;
    const calls = [
      idempotencyStore.claim("key", CLAIM),
      idempotencyStore.complete("key", token, { ttlMs: 1000 }),
      idempotencyStore.list(),
      rateLimiter.acquire(LIMIT, 0),
      killSwitch.read(),
      killSwitch.halt("test"),
    ];
    const codes = (await Promise.allSettled(calls)).map((result) =>
      result.status === "rejected" ? (result.reason as { code: string }).code : "answered",
    );
    expect(codes.every((code) => code === "unavailable" || code === "timeout")).toBe(true);
  });

  it("what was acknowledged before is there afterwards", async () => {
    const { idempotencyStore } = runtime;
    const { token } = (await idempotencyStore.claim("done", CLAIM)) as { token: number };
    await idempotencyStore.complete("done", token, { value: 7, ttlMs: 60_000 });
    await wire.cut();
    await expect(idempotencyStore.claim("done", CLAIM)).rejects.toMatchObject({ code: expect.any(String) });
    await wire.restore();
    const verdict = await untilAnswered(() => idempotencyStore.claim("done", CLAIM));
    expect(verdict).toEqual({ state: "completed", value: 7 });
  });

  it.each(["cut", "silence"] as const)("S2.3 %s: who watches the switch is halted, until it is back", async (how) => {
    const heard: KillSwitchState[] = [];
    let told = () => {};
    runtime.killSwitch.subscribe((state) => {
      heard.push(state);
      told();
    });
    const until = async (halted: boolean) => {
      while (heard.at(-1)?.halted !== halted) {
        await new Promise<void>((resolve) => {
          told = resolve;
        });
      }
    };
    await runtime.killSwitch.halt("watching?");
    await until(true);
    await runtime.killSwitch.clear();
    await until(false);
    await wire[how]();
    await until(true);
    await wire.restore();
    await until(false);
    // A server that has just come back may be gone once more.
    expect(heard.slice(0, 4).map(({ halted }) => halted)).toEqual([true, false, true, false]);
  });
});

describe.skipIf(noServer)("S7.6 when the server refuses", () => {
  const admin = pgPool(4);
  afterAll(() => admin.end());

  it("read-only: executions are denied; the switch, which is only read, can be read", async () => {
    const schema = freshSchema();
    await (await createPostgresRuntime({ pool: admin, schema })).close();
    const pool = pgPool(4, `${url}?options=-c%20default_transaction_read_only%3Don`);
    const runtime = await createPostgresRuntime({ pool, schema });
    const { reasons, dispatches } = await tryEachPort({ ...runtime, killSwitch: unreadable });
    expect({ reasons, dispatches }).toEqual(ALL_DENIED);
    expect(await runtime.killSwitch.read()).toEqual({ halted: false });
    await expect(runtime.killSwitch.halt()).rejects.toMatchObject({ code: "unavailable", cause: { code: "25006" } });
    await runtime.close();
    await pool.end();
  });

  it("a first query that is never answered costs those that wait for it, and nobody after them", async () => {
    const schema = freshSchema();
    await migratePostgres({ pool: admin, schema });
    let queries = 0;
    const hangsOnce: PostgresPool = {
      connect: () => admin.connect(),
      query: (config) => (++queries === 1 ? new Promise(() => {}) : admin.query(config)),
    };
    const store = createPostgresIdempotencyStore({ pool: hangsOnce, schema, timeoutMs: 100 });
    const claims = [1, 2].map((number) => store.claim(`key ${number}`, CLAIM));
    expect(await Promise.allSettled(claims)).toMatchObject(claims.map(() => ({ reason: { code: "timeout" } })));
    expect(await store.claim("key", CLAIM)).toMatchObject({ state: "claimed" });
    await store.close();
  });

  it("no connection is left: executions are denied", async () => {
    const schema = freshSchema();
    await (await createPostgresRuntime({ pool: admin, schema })).close();
    await admin.query(`CREATE ROLE ${schema} LOGIN CONNECTION LIMIT 0; GRANT ALL ON SCHEMA ${schema} TO ${schema}`);
    const pool = pgPool(4, url.replace("postgres@", `${schema}@`));
    const runtime = await createPostgresRuntime({ pool: admin, schema });
    const full = {
      ...runtime,
      idempotencyStore: createPostgresIdempotencyStore({ pool, schema }),
      rateLimiter: createPostgresRateLimiter({ pool, schema }),
      killSwitch: createPostgresKillSwitch({ pool, schema }),
    };
    expect(await tryEachPort(full)).toEqual(ALL_DENIED);
    await runtime.close();
    await pool.end();
  });
});

const unreadable = {
  read: () => Promise.reject(new Error("not asked")),
} as unknown as PostgresRuntime["killSwitch"];

describe.skipIf(noServer)("S7.6 with a server of its own", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres(findPostgres()!);
  }, 60_000);
  afterAll(() => server.remove());

  it("stopped: every execution is denied; started again: what was acknowledged is there", {
    timeout: 60_000,
  }, async () => {
    const pool = pgPool(4, server.url);
    const runtime = await createPostgresRuntime({ pool, timeoutMs: 1000 });
    const { idempotencyStore } = runtime;
    const { token } = (await idempotencyStore.claim("done", CLAIM)) as { token: number };
    await idempotencyStore.complete("done", token, { value: "kept", ttlMs: 60_000 });
    const started = (await idempotencyStore.claim("started", CLAIM)) as { token: number };
    await idempotencyStore.start("started", started.token);
    await server.kill();
    expect(await tryEachPort(runtime)).toEqual(ALL_DENIED);
    await server.start();
    expect(await untilAnswered(() => idempotencyStore.claim("done", CLAIM))).toEqual({
      state: "completed",
      value: "kept",
    });
    expect(await idempotencyStore.list({ state: "in_progress" })).toMatchObject([{ key: "started" }]);
    await runtime.close();
    await pool.end();
  });

  it("a replica: every execution is denied, the switch is not believed either", { timeout: 60_000 }, async () => {
    const pool = pgPool(4, server.url);
    const runtime = await createPostgresRuntime({ pool, timeoutMs: 1000, listen: "off" });
    await runtime.killSwitch.clear();
    await server.becomeReplica();
    await untilAnswered(() => pool.query("SELECT 1"));
    expect(await tryEachPort(runtime)).toEqual(ALL_DENIED);
    await expect(runtime.killSwitch.read()).rejects.toMatchObject({ code: "replica" });
    await expect(runtime.idempotencyStore.claim("key", CLAIM)).rejects.toMatchObject({ cause: { code: "25006" } });
    await runtime.close();
    await pool.end();
  });
});

describe.skipIf(noServer || process.platform !== "linux")("S7.6 with a server that is full", () => {
  it("what finds no room is refused, what is in doubt stays listed, what was acknowledged stays", {
    timeout: 120_000,
  }, async () => {
    const server = await startPostgres(findPostgres()!, {}, { largestFileBytes: 2 ** 22 });
    const pool = pgPool(4, server.url);
    const { idempotencyStore, killSwitch, close } = await createPostgresRuntime({ pool, timeoutMs: 20_000 });
    const acknowledged: string[] = [];
    let refusal: unknown;
    for (let index = 0; refusal === undefined && index < 100; index++) {
      const key = `key ${index}`;
      const { token } = (await idempotencyStore.claim(key, CLAIM)) as { token: number };
      await idempotencyStore.start(key, token);
      // Nothing that could be compressed away.
      const value = Array.from({ length: 8000 }, (_, part) =>
        createHash("sha256").update(`${key} ${part}`).digest("hex"),
      );
      await idempotencyStore.complete(key, token, { value, ttlMs: 60_000 }).then(
        () => acknowledged.push(key),
        (error: unknown) => {
          refusal = error;
        },
      );
    }
    expect(refusal).toMatchObject({
      code: "unavailable",
      cause: { message: expect.stringContaining("could not extend") },
    });
    expect(acknowledged.length).toBeGreaterThan(0);
    expect((await idempotencyStore.list({ state: "completed" })).map(({ key }) => key).sort()).toEqual(
      acknowledged.sort(),
    );
    expect(await idempotencyStore.list({ state: "in_progress" })).toHaveLength(1);
    expect(await killSwitch.read()).toEqual({ halted: false });
    await close();
    await pool.end();
    await server.remove();
  });
});

import type { KillSwitchState } from "@eoc/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tryEachPort, untilAnswered } from "../../../tools/store-trials/denials.js";
import { openWire, type Wire } from "../../../tools/store-trials/wire.js";
import {
  createRedisIdempotencyStore,
  createRedisRuntime,
  type RedisIdempotencyStore,
  type RedisRuntime,
} from "../src/index.js";
import { ask, findRedis, type RedisServer, startRedis } from "./redis-server.js";

import { CLIENTS, freshPrefix, noServer, type Opened, url } from "./support.js";

const CLAIM = { fingerprint: "payload", leaseMs: 60_000, nowMs: 0 };
const LIMIT = [{ key: "global", limit: 100, windowMs: 1000 }];

type Ports = RedisRuntime & { idempotencyStore: RedisIdempotencyStore };

function openPorts({ client }: Opened, prefix = freshPrefix()): Ports {
  const options = { client, prefix, timeoutMs: 1000, pollMs: 50 };
  const idempotencyStore = createRedisIdempotencyStore({ ...options, onFailover: "may_dispatch_again" });
  return Object.assign(createRedisRuntime(options), { idempotencyStore });
}

const ALL_DENIED = {
  reasons: [
    "idempotency_store_unavailable",
    "rate_limiter_unavailable",
    // Whichever is first: a read that fails, or the watch, which halts.
    expect.stringMatching(/^kill_switch(_unavailable)?$/),
  ],
  dispatches: 0,
};

describe.skipIf(noServer).each(CLIENTS)("S7.6 when the server is out of reach ($name)", ({ open }) => {
  let wire: Wire;
  let opened: Opened;
  let runtime: Ports;

  beforeEach(async () => {
    wire = await openWire(Number(new URL(url).port));
    opened = await open(url.replace(/:\d+$/, `:${wire.port}`));
    runtime = openPorts(opened);
    await runtime.killSwitch.read();
  });
  afterEach(async () => {
    await wire.restore();
    await runtime.close();
    opened.end();
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

describe.skipIf(noServer)("S7.6 with servers of their own", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(findRedis()!);
  }, 60_000);
  afterAll(() => server.remove());

  it.each(CLIENTS)(
    "stopped: every execution is denied; started again: what was acknowledged is there ($name)",
    {
      timeout: 60_000,
    },
    async ({ open }) => {
      const opened = await open(server.url);
      const runtime = openPorts(opened);
      const { idempotencyStore } = runtime;
      const { token } = (await idempotencyStore.claim("done", CLAIM)) as { token: number };
      await idempotencyStore.complete("done", token, { value: "kept", ttlMs: 60_000 });
      const started = (await idempotencyStore.claim("started", CLAIM)) as { token: number };
      await idempotencyStore.start("started", started.token);
      await server.kill();
      expect(await tryEachPort(runtime)).toEqual(ALL_DENIED);
      await server.start();
      const verdict = await untilAnswered(() => idempotencyStore.claim("done", CLAIM));
      expect(verdict).toEqual({ state: "completed", value: "kept" });
      expect(await idempotencyStore.list({ state: "in_progress" })).toMatchObject([{ key: "started" }]);
      await runtime.close();
      opened.end();
    },
  );

  it.each(CLIENTS)(
    "a replica: every execution is denied, the switch is not believed either ($name)",
    async ({ open }) => {
      const replica = await startRedis(findRedis()!, { replicaof: `127.0.0.1 ${server.port}` });
      const opened = await open(replica.url);
      const runtime = openPorts(opened);
      expect(await tryEachPort(runtime)).toEqual(ALL_DENIED);
      await expect(runtime.killSwitch.read()).rejects.toMatchObject({
        code: "unavailable",
        cause: { message: expect.stringContaining("READONLY") },
      });
      await runtime.close();
      opened.end();
      await replica.remove();
    },
  );

  it.each(CLIENTS)(
    "full: what would begin is refused, what has begun is completed, and a halt is seen ($name)",
    async ({ open }) => {
      const full = await startRedis(findRedis()!, { "maxmemory-policy": "noeviction" });
      const opened = await open(full.url);
      const runtime = openPorts(opened);
      const { idempotencyStore, rateLimiter, killSwitch } = runtime;
      const { token } = (await idempotencyStore.claim("key", CLAIM)) as { token: number };
      await idempotencyStore.start("key", token);
      const permit = await rateLimiter.acquire([{ key: "k", limit: 1, windowMs: 1 }], 0);
      await killSwitch.halt("before");
      await ask(full.port, "CONFIG SET maxmemory 1");
      await expect(idempotencyStore.claim("another", CLAIM)).rejects.toMatchObject({ code: "unavailable" });
      await expect(idempotencyStore.markUnknown("key", token)).rejects.toMatchObject({
        cause: { message: expect.stringContaining("OOM") },
      });
      expect(await idempotencyStore.list({ state: "in_progress" })).toMatchObject([{ key: "key" }]);
      expect(await idempotencyStore.complete("key", token, { value: 1, ttlMs: 60_000 })).toBe(true);
      await expect(rateLimiter.acquire([{ key: "other", limit: 1, windowMs: 1 }], 0)).rejects.toMatchObject({
        code: "unavailable",
      });
      expect(await killSwitch.read()).toMatchObject({ halted: true, reason: "before" });
      // Handed back all the same.
      if (permit.granted) permit.cancel?.();
      await ask(full.port, "CONFIG SET maxmemory 0");
      expect(await idempotencyStore.complete("key", token, { value: 1, ttlMs: 60_000 })).toBe(true);
      expect(await rateLimiter.acquire([{ key: "k", limit: 1, windowMs: 1 }], 0)).toMatchObject({ granted: true });
      await runtime.close();
      opened.end();
      await full.remove();
    },
  );
});

import type { ClaimVerdict } from "@eoc/core";
import { createVirtualClock } from "@eoc/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRedisIdempotencyStore, type RedisClient } from "../src/index.js";
import { CLIENTS, freshPrefix, heldClient, ioRedis, noServer, type Opened, virtualTime } from "./support.js";

const CLAIM = { fingerprint: "payload", leaseMs: 60_000, nowMs: 0 };
const openStore = (client: RedisClient, prefix = freshPrefix()) =>
  createRedisIdempotencyStore({ client, prefix, timeoutMs: 30_000, onFailover: "may_dispatch_again" });
const tokensOf = (verdicts: readonly ClaimVerdict[]) =>
  verdicts.flatMap((verdict) => (verdict.state === "claimed" ? [verdict.token] : []));

describe.skipIf(noServer)("the idempotency store", () => {
  const admin = ioRedis();
  afterAll(() => admin.disconnect());

  it("has to be told that a failover may dispatch again", () => {
    expect(() => createRedisIdempotencyStore({ client: admin } as never)).toThrow(
      expect.objectContaining({ code: "invalid_option", issues: [expect.objectContaining({ path: "onFailover" })] }),
    );
  });

  it("refuses what is no client, and prefixes that would leave their slot", () => {
    for (const client of [undefined, null, {}, () => {}, { eval: () => {} }]) {
      expect(() => openStore(client as never)).toThrow(expect.objectContaining({ code: "invalid_option" }));
    }
    for (const prefix of ["", "a{b}", "}", 7]) {
      expect(() => openStore(admin, prefix as string)).toThrow(expect.objectContaining({ code: "invalid_option" }));
    }
  });

  describe.each(CLIENTS)("with 200 connections of $name", ({ open }) => {
    let clients: Opened[];
    beforeAll(async () => {
      clients = await Promise.all(Array.from({ length: 200 }, () => open()));
    }, 60_000);
    afterAll(() => {
      for (const { end } of clients) end();
    });

    it("S7.2 of 200 that race for one key, one wins, round after round", { timeout: 60_000 }, async () => {
      const prefix = freshPrefix();
      const stores = clients.map(({ client }) => openStore(client, prefix));
      for (let round = 0; round < 5; round++) {
        const verdicts = await Promise.all(stores.map((store) => store.claim(`race ${round}`, CLAIM)));
        expect(tokensOf(verdicts)).toHaveLength(1);
        expect(verdicts.filter(({ state }) => state === "in_progress")).toHaveLength(199);
      }
    });

    it("S7.3 of 200 who race to take a key over again and again, one wins each time, and every write of a former owner is refused", {
      timeout: 60_000,
    }, async () => {
      const prefix = freshPrefix();
      const stores = clients.map(({ client }) => openStore(client, prefix));
      const [store] = stores;
      const tokens: (string | number)[] = [];
      for (let round = 0; round < 6; round++) {
        const verdicts = await Promise.all(stores.map((racer) => racer.claim("key", { ...CLAIM, takeOver: true })));
        const [token, ...others] = tokensOf(verdicts);
        expect(others).toEqual([]);
        expect(Number(token)).toBeGreaterThan(Number(tokens.at(-1) ?? 0));
        expect(await store!.start("key", token!)).toBe(true);
        const zombies = await Promise.all(
          tokens.flatMap((stale) => [
            store!.start("key", stale),
            store!.renew("key", stale, 1000),
            store!.complete("key", stale, { value: "zombie", ttlMs: 1000 }),
            store!.release("key", stale),
            store!.markUnknown("key", stale),
          ]),
        );
        expect(zombies.filter((done) => done)).toEqual([]);
        tokens.push(token!);
        await store!.markUnknown("key", token!);
      }
      const writes = await Promise.all(
        tokens.map((token, index) => stores[index]!.complete("key", token, { value: token, ttlMs: 60_000 })),
      );
      expect(writes).toEqual(tokens.map((token) => token === tokens.at(-1)));
      expect(await store!.claim("key", CLAIM)).toEqual({ state: "completed", value: tokens.at(-1) });
    });
  });

  it("S7.3 a completion that is sent twice is done; one of another value, or by somebody else, is not", async () => {
    const store = openStore(admin);
    for (const [key, value] of [
      ["with", 1],
      ["without", undefined],
    ] as const) {
      const { token } = (await store.claim(key, CLAIM)) as { token: number };
      const complete = (by: number, record: { value?: unknown; valueOmitted?: boolean }) =>
        store.complete(key, by, { ...record, ttlMs: 60_000 });
      expect([await complete(token, { value }), await complete(token, { value })]).toEqual([true, true]);
      expect(await complete(token, { value: 2 })).toBe(false);
      expect(await complete(token, { value, valueOmitted: true })).toBe(false);
      expect(await complete(token + 1, { value })).toBe(false);
      expect(await store.claim(key, CLAIM)).toEqual({ state: "completed", ...(value && { value }) });
    }
  });

  it("S7.4 a key that an operator has completed is not completed by its owner, whatever that says", async () => {
    const store = openStore(admin);
    const { token } = (await store.claim("key", CLAIM)) as { token: number };
    await store.markUnknown("key", token);
    expect(await store.resolve("key", "applied")).toBe(true);
    expect(await store.complete("key", token, { value: 1, ttlMs: 60_000 })).toBe(false);
    expect(await store.complete("key", token, { ttlMs: 60_000 })).toBe(false);
  });

  it("S7.1 keys that UTF-8 cannot hold stay apart, and are listed as they were", async () => {
    const store = openStore(admin);
    const keys = ["a\0b", "a\\u0000b", "a\ud800", "a\udc00", "a\ufffd", "a\\", 'a"', "", "\u{1f600}"];
    for (const key of keys) expect(await store.claim(key, CLAIM)).toMatchObject({ state: "claimed" });
    expect((await store.list()).map(({ key }) => key).sort()).toEqual([...keys].sort());
  });

  it("S7.4 lists page by page, in the order of keys, with the newest token", async () => {
    const store = openStore(admin);
    const keys = Array.from({ length: 450 }, (_, index) => `k${String(index).padStart(5, "0")}`);
    const tokens = await Promise.all(
      keys.map(async (key, index) => {
        const { token } = (await store.claim(key, CLAIM)) as { token: number };
        if (index % 2 === 0) await store.markUnknown(key, token);
        return token;
      }),
    );
    const all = await store.list();
    expect(all.map(({ key }) => key)).toEqual(keys);
    expect(all[7]).toMatchObject({ state: "claimed", fingerprint: "payload", token: tokens[7] });
    expect(await store.list({ state: "unknown" })).toHaveLength(225);
    const page = await store.list({ state: "unknown", after: "k00010", limit: 3 });
    expect(page.map(({ key }) => key)).toEqual(["k00012", "k00014", "k00016"]);
    expect(await store.list({ after: "k00449" })).toEqual([]);
  });

  it("forgets what has run out, and keeps what is in doubt", async () => {
    const clock = createVirtualClock();
    await clock.run(async () => {
      const prefix = freshPrefix();
      const held = heldClient(admin, clock);
      const advance = await virtualTime(held, prefix, clock);
      const store = createRedisIdempotencyStore({
        client: held.client,
        prefix,
        clock,
        onFailover: "may_dispatch_again",
      });
      for (const key of ["completed", "claimed", "started", "unknown"]) {
        const { token } = (await store.claim(key, { ...CLAIM, leaseMs: 1000 })) as { token: number };
        if (key !== "claimed") await store.start(key, token);
        if (key === "completed") await store.complete(key, token, { ttlMs: 500 });
        if (key === "unknown") await store.markUnknown(key, token);
      }
      const begun = clock.now();
      await advance(1000);
      expect(await store.list()).toMatchObject([
        { key: "started", state: "unknown", claimedAtMs: begun, startedAtMs: begun, updatedAtMs: begun + 1000 },
        { key: "unknown", state: "unknown", updatedAtMs: begun },
      ]);
      await store.claim("another", CLAIM);
      const ask = <T>(answer: Promise<T>) => clock.hold("admin", answer);
      expect(await ask(admin.zrange(`{${prefix}}:keys`, "0", "-1"))).toEqual(["another", "started", "unknown"]);
      expect(await ask(admin.pttl(`{${prefix}}:key:completed`))).toBeGreaterThan(0);
      for (const key of ["started", "unknown"]) expect(await ask(admin.pttl(`{${prefix}}:key:${key}`))).toBe(-1);
    });
  });

  it("a layout of a newer version is refused, and left alone", async () => {
    const prefix = freshPrefix();
    await admin.set(`{${prefix}}:layout`, "2");
    const store = openStore(admin, prefix);
    await expect(store.claim("key", CLAIM)).rejects.toMatchObject({ code: "layout_newer" });
    expect(await admin.keys(`*${prefix}*`)).toEqual([`{${prefix}}:layout`]);
  });

  it("a script that the server has forgotten is shown again", async () => {
    const store = openStore(admin);
    await store.claim("before", CLAIM);
    await admin.script("FLUSH");
    expect(await store.claim("after", CLAIM)).toMatchObject({ state: "claimed" });
  });

  it("a closed store answers nobody, and the client stays open", async () => {
    const store = openStore(admin);
    await store.close();
    await expect(store.claim("key", CLAIM)).rejects.toMatchObject({ code: "closed" });
    expect(await admin.ping()).toBe("PONG");
  });
});

import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { originalText, storedText } from "../src/stored-text.js";
import { aFile, handTime, opened } from "./support.js";

const request = (leaseMs = 60_000) => ({ fingerprint: "f", leaseMs, nowMs: 0 });

describe("keys as they are stored", () => {
  it("S7.1 are any text, one to one, half surrogate pairs and NUL included", () => {
    const text = fc
      .string({ unit: "binary" })
      .chain((base) => fc.constantFrom(base, `${base}\ud800`, `\udc00${base}`, `\u0001${base}`, `a\0${base}`));
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(originalText(storedText(one))).toBe(one);
        expect(new TextDecoder().decode(new TextEncoder().encode(storedText(one)))).toBe(storedText(one));
        if (one !== other) expect(storedText(one)).not.toBe(storedText(other));
      }),
    );
    expect(storedText("refund-7 ß 𝄞")).toBe("refund-7 ß 𝄞");
  });

  it("S7.1 are told apart and listed by the names that they were given", async () => {
    const { idempotencyStore } = await opened(aFile());
    const keys = ["", "\ud800", "\ud801", "\0", "a\0b", "a\0c", "\u0001", '\u0001""', "plain"];
    for (const key of keys) expect(await idempotencyStore.claim(key, request())).toMatchObject({ state: "claimed" });
    expect((await idempotencyStore.list()).map(({ key }) => key).sort()).toEqual([...keys].sort());
  });
});

describe("what is listed", () => {
  it("S7.4 says of every key what is known, and by what time has made of it", async () => {
    const hand = handTime();
    const { idempotencyStore } = await opened(aFile(), {}, { time: hand.time });
    for (const key of ["claimed", "started", "left", "done", "gone", "lapsed"]) {
      const { token } = (await idempotencyStore.claim(key, request(key === "claimed" ? 9e9 : 1000))) as {
        token: number;
      };
      hand.advance(5);
      if (key === "started") await idempotencyStore.renew(key, token, 9e9);
      if (key === "started" || key === "left") await idempotencyStore.start(key, token);
      if (key === "done" || key === "gone") {
        await idempotencyStore.complete(key, token, {
          value: "secret",
          ttlMs: key === "done" ? Number.POSITIVE_INFINITY : 1,
        });
      }
    }
    hand.advance(2000);
    const base = {
      fingerprint: "f",
      claimedAtMs: expect.any(Number),
      updatedAtMs: expect.any(Number),
      token: expect.any(Number),
    };
    const startedAtMs = expect.any(Number);
    const leaseUntilMs = expect.any(Number);
    const found = {
      claimed: { ...base, key: "claimed", state: "claimed", leaseUntilMs },
      done: { ...base, key: "done", state: "completed" },
      left: { ...base, key: "left", state: "unknown", startedAtMs },
      started: { ...base, key: "started", state: "in_progress", startedAtMs, leaseUntilMs },
    };
    expect(await idempotencyStore.list()).toEqual(Object.values(found));
    expect(await idempotencyStore.list({ state: "claimed" })).toEqual([found.claimed]);
    expect(await idempotencyStore.list({ state: "completed" })).toEqual([found.done]);
    expect(await idempotencyStore.list({ state: "in_progress" })).toEqual([found.started]);
    expect(await idempotencyStore.list({ state: "unknown" })).toEqual([found.left]);
    for (const [key, entry] of Object.entries(found)) expect(await idempotencyStore.find(key)).toEqual(entry);
    for (const key of ["gone", "lapsed", "nobody's"]) expect(await idempotencyStore.find(key)).toBeUndefined();
    const { token } = (await idempotencyStore.claim("left", { ...request(1000), takeOver: true })) as { token: number };
    expect(token).toBeGreaterThan(0);
    expect(await idempotencyStore.find("left")).toMatchObject({ state: "in_progress", token, startedAtMs });
    hand.advance(1000);
    const [left] = await idempotencyStore.list({ state: "unknown" });
    expect(left!.claimedAtMs - left!.startedAtMs!).toBeGreaterThan(1000);
    expect(await idempotencyStore.resolve("left", "applied")).toBe(true);
    expect(await idempotencyStore.resolve("started", "not_applied")).toBe(false);
  });

  it("comes in parts, with nothing left out or told twice", async () => {
    const { idempotencyStore } = await opened(aFile());
    const keys = Array.from({ length: 2500 }, (_, number) => `key ${number}`);
    await Promise.all(keys.map(async (key) => idempotencyStore.claim(key, request())));
    expect((await idempotencyStore.list()).map(({ key }) => key)).toEqual([...keys].sort());
    expect(await idempotencyStore.list({ state: "claimed" })).toHaveLength(2500);
    const some = await idempotencyStore.list({ after: "key 1", limit: 3 });
    expect(some.map(({ key }) => key)).toEqual(["key 10", "key 100", "key 1000"]);
    expect(await idempotencyStore.list({ limit: 1500 })).toHaveLength(1500);
    expect(await idempotencyStore.list({ limit: 0 })).toEqual([]);
  });
});

describe("what is stored", () => {
  it("records that have run out are removed as new ones come, a few at a time; doubts never are", async () => {
    const file = aFile();
    const hand = handTime();
    const { idempotencyStore } = await opened(file, {}, { time: hand.time });
    const complete = async (key: string) => {
      const { token } = (await idempotencyStore.claim(key, request())) as { token: number };
      if (key === "doubtful") await idempotencyStore.markUnknown(key, token);
      else await idempotencyStore.complete(key, token, { ttlMs: 1000 });
    };
    for (const key of ["doubtful", ...Array.from({ length: 100 }, (_, number) => `old ${number}`)]) await complete(key);
    const db = new DatabaseSync(file, { readOnly: true });
    const count = () => (db.prepare("SELECT count(*) AS count FROM eoc_keys").get() as { count: number }).count;
    expect(count()).toBe(101);
    hand.advance(1000);
    await complete("new 0");
    expect(count()).toBe(101 + 1 - 8);
    for (let number = 1; number < 20; number++) await complete(`new ${number}`);
    expect(count()).toBe(1 + 20);
    db.close();
    expect(await idempotencyStore.claim("doubtful", request())).toEqual({ state: "unknown" });
  });

  it("S7.5 a value that JSON cannot say is left out, and the record says so", async () => {
    const { idempotencyStore } = await opened(aFile());
    const { token } = (await idempotencyStore.claim("key", request())) as { token: number };
    expect(await idempotencyStore.complete("key", token, { value: 10n, ttlMs: 1000 })).toBe(true);
    expect(await idempotencyStore.claim("key", request())).toEqual({ state: "completed", valueOmitted: true });
  });

  it("S7.3 a token of another kind is stale, and a duration that is none is refused", async () => {
    const { idempotencyStore } = await opened(aFile());
    const { token } = (await idempotencyStore.claim("key", request())) as { token: number };
    expect(await idempotencyStore.complete("key", String(token), { ttlMs: 1 })).toBe(false);
    expect(await idempotencyStore.release("key", token + 0.5)).toBe(false);
    for (const wrong of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      await expect(idempotencyStore.claim("other", request(wrong))).rejects.toMatchObject({ code: "invalid_option" });
    }
    await expect(idempotencyStore.complete("key", token, { ttlMs: Number.NaN })).rejects.toMatchObject({
      code: "invalid_option",
    });
  });

  it("S7.2 a key in doubt is not started again by its owner, nor is one whose claim has run out", async () => {
    const hand = handTime();
    const { idempotencyStore } = await opened(aFile(), {}, { time: hand.time });
    const doubtful = (await idempotencyStore.claim("doubtful", request(1000))) as { token: number };
    await idempotencyStore.start("doubtful", doubtful.token);
    const lapsed = (await idempotencyStore.claim("lapsed", request(1000))) as { token: number };
    hand.advance(1000);
    expect(await idempotencyStore.start("doubtful", doubtful.token)).toBe(false);
    expect(await idempotencyStore.start("lapsed", lapsed.token)).toBe(false);
    expect(await idempotencyStore.complete("lapsed", lapsed.token, { ttlMs: 1 })).toBe(false);
  });
});

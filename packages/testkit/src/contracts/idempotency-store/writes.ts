import type { ClaimVerdict, IdempotencyStore } from "@eoc/core";
import type { Cases } from "../contract-case.js";
import type { Spans } from "../contract-time.js";
import { must, mustEqual } from "../expectations.js";
import {
  answers,
  claimed,
  mustBeDone,
  mustBeRefused,
  type StoreDesk,
  type StoreUnderTest,
  started,
  type Token,
} from "./store-desk.js";

/** Every write, as its owner or a latecomer makes it. */
export const WRITES: readonly [
  name: string,
  write: (store: IdempotencyStore, key: string, token: Token, spans: Spans) => unknown,
][] = [
  ["start", (store, key, token) => (store.start === undefined ? false : store.start(key, token))],
  ["renew", (store, key, token, { leaseMs }) => store.renew(key, token, leaseMs)],
  ["complete", (store, key, token, { ttlMs }) => store.complete(key, token, { value: "stale", ttlMs })],
  ["release", (store, key, token) => store.release(key, token)],
  ["markUnknown", (store, key, token) => store.markUnknown(key, token)],
];

async function storedValue(desk: StoreDesk, key: string): Promise<unknown> {
  const verdict = await answers(desk, key, "completed", "of a completed key");
  return (verdict as ClaimVerdict & { state: "completed" }).value;
}

/** What the writes of a claim's owner do, and those of somebody who no longer is. */
export const WRITE_CASES: Cases<StoreUnderTest> = {
  "S7.4 a released key is free for anybody, another payload included": async (desk) => {
    const { store } = desk.subject;
    const token = await started(desk, "key");
    mustBeDone(await store.release("key", token), "release");
    await claimed(desk, "key", { fingerprint: "another payload", when: "claim of a released key" });
  },
  "S7.3 every claim of a key has another token, and numbers grow": async (desk) => {
    let last: Token | undefined;
    for (let round = 0; round < 5; round++) {
      const token = await claimed(desk, "key");
      must(token !== last, "a token was given twice for one key");
      if (typeof token === "number" && typeof last === "number") must(token > last, "a numeric token must grow");
      last = token;
      await desk.subject.store.release("key", token);
    }
  },
  "S7.3 a writer whose token is stale is refused, and changes nothing": async (desk) => {
    const { store } = desk.subject;
    const stale = await claimed(desk, "key");
    await store.release("key", stale);
    const token = await started(desk, "key");
    for (const [name, write] of WRITES) {
      mustBeRefused(await write(store, "key", stale, desk.spans), `${name} with a stale token`);
      await answers(desk, "key", "in_progress", `of a started key, after a stale ${name},`);
    }
    mustBeDone(
      await store.complete("key", token, { value: "the owner's", ttlMs: desk.spans.ttlMs }),
      "the owner's complete",
    );
    mustEqual(await storedValue(desk, "key"), "the owner's", "the stored value");
  },
  "S7.3 a write to a key that nobody has claimed is refused, and makes no record": async (desk) => {
    const token = await claimed(desk, "another key");
    for (const [name, write] of WRITES)
      mustBeRefused(await write(desk.subject.store, "key", token, desk.spans), `${name} of a free key`);
    await claimed(desk, "key");
  },
  "S7.2 nothing changes a completed key any more, its owner's writes included": async (desk) => {
    const token = await started(desk, "key");
    await desk.subject.store.complete("key", token, { value: "first", ttlMs: desk.spans.ttlMs });
    for (const [name, write] of WRITES) {
      await write(desk.subject.store, "key", token, desk.spans);
      mustEqual(await storedValue(desk, "key"), "first", `the stored value after a later ${name}`);
    }
  },
  "S7.4 a key in doubt stays in doubt, however long": async (desk) => {
    const token = await started(desk, "key");
    mustBeDone(await desk.subject.store.markUnknown("key", token), "markUnknown");
    await answers(desk, "key", "unknown", "of a key in doubt");
    await desk.advance(desk.spans.leaseMs + desk.spans.marginMs);
    await answers(desk, "key", "unknown", "of a key in doubt, after its lease");
    await desk.advance(1000 * desk.spans.ttlMs);
    await answers(desk, "key", "unknown", "of a key in doubt, long after");
  },
  "S4.5 its owner may still say what became of a key in doubt": async (desk) => {
    const { store } = desk.subject;
    const late = await started(desk, "applied");
    await store.markUnknown("applied", late);
    mustBeDone(
      await store.complete("applied", late, { value: "late", ttlMs: desk.spans.ttlMs }),
      "complete of a key in doubt",
    );
    mustEqual(await storedValue(desk, "applied"), "late", "the stored value");
    const failed = await started(desk, "not applied");
    await store.markUnknown("not applied", failed);
    mustBeDone(await store.release("not applied", failed), "release of a key in doubt");
    await claimed(desk, "not applied", { when: "claim of a key in doubt that was released" });
  },
};

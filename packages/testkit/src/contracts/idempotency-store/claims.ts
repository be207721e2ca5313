import type { ClaimVerdict } from "@eoc/core";
import type { Cases } from "../contract-case.js";
import { must, mustEqual } from "../expectations.js";
import { answers, claim, claimed, mustBeDone, type StoreUnderTest, started } from "./store-desk.js";

/** Keys that careless stores take for one another: case, spaces, patterns, compositions, names of Object's own. */
const CONFUSABLE = [
  "key",
  "KEY",
  "key ",
  " key",
  "k%",
  "k_",
  "k*",
  "k:e",
  "k/e",
  "é",
  "e\u0301",
  "ключ",
  "𝄞",
  "a\nb",
  "__proto__",
  "constructor",
  "toString",
  "x".repeat(512),
];

const VALUES: readonly unknown[] = [
  null,
  false,
  0,
  "",
  "text",
  "ß\u2028𝄞",
  1e21,
  [1, [2, null]],
  { a: { b: [] }, "": 0 },
];

/** What a claim is answered. */
export const CLAIM_CASES: Cases<StoreUnderTest> = {
  "S7.2 a free key is claimed, with a token": async (desk) => {
    await claimed(desk, "key");
  },
  "S7.2 a key that is claimed, or has been dispatched, is in progress for everybody else": async (desk) => {
    await claimed(desk, "claimed");
    await answers(desk, "claimed", "in_progress", "of a claimed key");
    await started(desk, "started");
    await answers(desk, "started", "in_progress", "of a started key");
  },
  "S7.2 of many claims at the same time, exactly one is claimed": async (desk) => {
    const verdicts = await Promise.all(Array.from({ length: 25 }, () => claim(desk, "key")));
    const states = verdicts.map(({ state }) => state).sort();
    mustEqual(states, ["claimed", ...new Array(24).fill("in_progress")], "25 claims of one key");
  },
  "S7.2 the same key with another payload is a conflict, whatever has become of it": async (desk) => {
    const { store } = desk.subject;
    const other = { fingerprint: "another payload" };
    await claimed(desk, "claimed");
    await answers(desk, "claimed", "conflict", "of a claimed key with another payload", other);
    await started(desk, "started");
    await answers(desk, "started", "conflict", "of a started key with another payload", other);
    const done = await started(desk, "completed");
    await store.complete("completed", done, { value: 1, ttlMs: desk.spans.ttlMs });
    await answers(desk, "completed", "conflict", "of a completed key with another payload", other);
    const doubtful = await started(desk, "unknown");
    await store.markUnknown("unknown", doubtful);
    await answers(desk, "unknown", "conflict", "of a key in doubt with another payload", other);
    await answers(desk, "unknown", "conflict", "of a key in doubt with another payload, taking over", {
      ...other,
      takeOver: true,
    });
  },
  "S7.2 a completed key is answered with the value that was stored, any JSON value": async (desk) => {
    for (const [index, value] of VALUES.entries()) {
      const key = `value ${index}`;
      const token = await started(desk, key);
      mustBeDone(await desk.subject.store.complete(key, token, { value, ttlMs: desk.spans.ttlMs }), "complete");
      const verdict = await answers(desk, key, "completed", "of a completed key");
      mustEqual((verdict as ClaimVerdict & { state: "completed" }).value, value, "the stored value");
    }
  },
  "S7.5 a completed key without a value has none, and says whether one was left out": async (desk) => {
    for (const valueOmitted of [false, true]) {
      const key = `omitted ${valueOmitted}`;
      const token = await started(desk, key);
      await desk.subject.store.complete(key, token, {
        ttlMs: desk.spans.ttlMs,
        ...(valueOmitted ? { valueOmitted } : undefined),
      });
      const verdict = (await answers(desk, key, "completed", "of a completed key")) as ClaimVerdict & {
        state: "completed";
      };
      must(verdict.value === undefined, "a completed key without a value must be answered without one");
      must((verdict.valueOmitted === true) === valueOmitted, "`valueOmitted` must be as it was stored");
    }
  },
  "S7.1 keys that look alike have nothing to do with one another": async (desk) => {
    const tokens = new Map<string, string | number>();
    for (const key of CONFUSABLE)
      tokens.set(key, await claimed(desk, key, { when: `claim of the free key ${JSON.stringify(key.slice(0, 20))}` }));
    for (const [key, token] of tokens) {
      mustBeDone(await desk.subject.store.complete(key, token, { value: key, ttlMs: desk.spans.ttlMs }), "complete");
    }
    for (const key of CONFUSABLE) {
      const verdict = await answers(desk, key, "completed", "of a completed key");
      mustEqual((verdict as ClaimVerdict & { state: "completed" }).value, key, "the stored value");
    }
  },
};

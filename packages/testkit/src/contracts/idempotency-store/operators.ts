import type { ClaimVerdict, IdempotencyState } from "@eoc/core";
import type { Cases } from "../contract-case.js";
import { must, mustEqual } from "../expectations.js";
import { answers, claimed, mustBeDone, type StoreDesk, type StoreUnderTest, started } from "./store-desk.js";

/** One key in every state that all stores know. */
async function oneOfEach(desk: StoreDesk): Promise<void> {
  const { store } = desk.subject;
  await started(desk, "started");
  await store.complete("completed", await started(desk, "completed"), { value: 1, ttlMs: desk.spans.ttlMs });
  await store.markUnknown("unknown", await started(desk, "unknown"));
  await store.release("released", await started(desk, "released"));
}

async function keysOf({ subject }: StoreDesk, state?: IdempotencyState): Promise<string[]> {
  const entries = await subject.store.list!(state === undefined ? undefined : { state });
  for (const entry of entries) {
    must(
      typeof entry.fingerprint === "string" && Number.isFinite(entry.updatedAtMs),
      "an entry lacks its fingerprint or its time",
    );
    must(
      state === undefined || entry.state === state,
      `list({ state: "${state}" }) shows a key that is ${entry.state}`,
    );
  }
  return entries.map(({ key }) => key).sort();
}

/** What operators see. */
export function listCases(list: boolean): Cases<StoreUnderTest> {
  if (list) {
    return {
      "S7.4 list shows every key that is not free, by state where asked to": async (desk) => {
        await oneOfEach(desk);
        mustEqual(await keysOf(desk), ["completed", "started", "unknown"], "list()");
        mustEqual(await keysOf(desk, "unknown"), ["unknown"], 'list({ state: "unknown" })');
        mustEqual(await keysOf(desk, "completed"), ["completed"], 'list({ state: "completed" })');
      },
    };
  }
  return {
    "S7.4 (no `list`) the store does not pretend to have one": ({ subject }) => {
      must(subject.store.list === undefined, "the store has `list`: declare `list: true`");
    },
  };
}

/** What operators may say of a key in doubt. */
export function resolveCases(resolve: boolean): Cases<StoreUnderTest> {
  if (resolve) {
    return {
      "S7.4 resolve frees a key in doubt that was not applied": async (desk) => {
        await oneOfEach(desk);
        mustBeDone(await desk.subject.store.resolve!("unknown", "not_applied"), "resolve");
        await claimed(desk, "unknown", { when: "claim of a key that was resolved as not applied" });
      },
      "S7.4 resolve completes a key in doubt that was applied, without a value": async (desk) => {
        await oneOfEach(desk);
        mustBeDone(await desk.subject.store.resolve!("unknown", "applied"), "resolve");
        const verdict = await answers(desk, "unknown", "completed", "of a key that was resolved as applied");
        must(
          (verdict as ClaimVerdict & { state: "completed" }).value === undefined,
          "nobody knows the value of a resolved key",
        );
      },
      "S7.4 resolve as applied is the last word: the value of a late owner is refused, not dropped": async (desk) => {
        const { store } = desk.subject;
        const token = await started(desk, "key");
        await store.markUnknown("key", token);
        mustBeDone(await store.resolve!("key", "applied"), "resolve");
        const answer = await store.complete("key", token, { value: "late", ttlMs: desk.spans.ttlMs });
        must(answer === false, "complete of a key that an operator has completed must answer false: it keeps no value");
        const verdict = await answers(desk, "key", "completed", "of a key that was resolved and then completed");
        must(
          (verdict as ClaimVerdict & { state: "completed" }).value === undefined,
          "a resolved key must stay as it was resolved",
        );
      },
      "S7.4 resolve frees no key for a word that is neither outcome": async (desk) => {
        await oneOfEach(desk);
        for (const word of ["unknown", "Applied", "", undefined, null, true, { state: "applied" }]) {
          try {
            await desk.subject.store.resolve!("unknown", word as "applied");
          } catch {
            // Refused, as it should be.
          }
          await answers(desk, "unknown", "unknown", `of a key in doubt that was resolved as ${JSON.stringify(word)}`);
        }
      },
      "S7.4 resolve leaves every key alone that is not in doubt": async (desk) => {
        await oneOfEach(desk);
        for (const outcome of ["applied", "not_applied"] as const) {
          for (const key of ["started", "completed", "released"]) {
            must(
              (await desk.subject.store.resolve!(key, outcome)) === false,
              `resolve of a key that is ${key} must answer false`,
            );
          }
        }
        await answers(desk, "started", "in_progress", "of a started key");
        await answers(desk, "completed", "completed", "of a completed key");
        await claimed(desk, "released");
      },
    };
  }
  return {
    "S7.4 (no `resolve`) the store does not pretend to have one": ({ subject }) => {
      must(subject.store.resolve === undefined, "the store has `resolve`: declare `resolve: true`");
    },
  };
}

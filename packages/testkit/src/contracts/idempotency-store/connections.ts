import type { ClaimVerdict, IdempotencyStore } from "@eoc/core";
import type { Cases } from "../contract-case.js";
import { must, mustEqual } from "../expectations.js";
import {
  answers,
  claim,
  claimed,
  mustBeDone,
  mustBeRefused,
  type StoreDesk,
  type StoreUnderTest,
  started,
} from "./store-desk.js";
import { WRITES } from "./writes.js";

const ROUNDS = 10;

/** The store and further connections to it. */
async function connections({ subject }: StoreDesk, count: number): Promise<IdempotencyStore[]> {
  must(subject.another !== undefined, "`shared` needs `another()`, or declare `shared: false`");
  const stores = [subject.store];
  while (stores.length < count) stores.push(await subject.another());
  return stores;
}

/** What it needs that a key in doubt, or a lease that ran out, can be claimed by somebody else. */
interface TakingOver {
  readonly start: boolean;
  readonly takeOver: boolean;
}

const owners = (verdicts: readonly ClaimVerdict[]) => verdicts.filter(({ state }) => state === "claimed").length;

/** Whether several connections see the same keys. */
export function sharedCases(shared: boolean, { start, takeOver }: TakingOver): Cases<StoreUnderTest> {
  if (!shared) {
    return {
      "S7.2 (not `shared`) a store that is opened anew knows none of the keys": async (desk) => {
        await started(desk, "key");
        const { store } = await desk.openAnother();
        await claimed(desk, "key", { store, when: "claim in a store that was opened anew" });
      },
    };
  }
  return {
    "S7.2 two connections to one store share its keys, and of two claims one is claimed": async (desk) => {
      const [store, other] = (await connections(desk, 2)) as [IdempotencyStore, IdempotencyStore];
      const token = await started(desk, "key");
      await answers(desk, "key", "in_progress", "through another connection", { store: other });
      const record = { value: 1, ttlMs: desk.spans.ttlMs };
      mustBeDone(await other.complete("key", token, record), "complete through another connection");
      await answers(desk, "key", "completed", "of a key that was completed through another connection");
      for (let round = 0; round < ROUNDS; round++) {
        const claims = [store, other, store, other].map((each) => claim(desk, `race ${round}`, { store: each }));
        const count = owners(await Promise.all(claims));
        must(count === 1, `four claims through two connections were claimed ${count} times`);
      }
    },
    "S7.3 a token that is stale is refused through every connection, and those of all connections grow": async (
      desk,
    ) => {
      const [store, other] = (await connections(desk, 2)) as [IdempotencyStore, IdempotencyStore];
      const stale = await claimed(desk, "key", { store: other });
      await store.release("key", stale);
      const token = await started(desk, "key");
      must(token !== stale, "a token was given twice for one key");
      if (typeof token === "number" && typeof stale === "number") must(token > stale, "a numeric token must grow");
      for (const [index, each] of [store, other].entries()) {
        for (const [name, write] of WRITES) {
          mustBeRefused(await write(each, "key", stale, desk.spans), `${name} through connection ${index}`);
          await answers(desk, "key", "in_progress", `of a started key, after a stale ${name},`);
        }
      }
      mustBeDone(await other.complete("key", token, { value: 1, ttlMs: desk.spans.ttlMs }), "the owner's complete");
    },
    ...(takeOver ? TAKE_OVER_CASES : undefined),
    ...(start ? START_CASES : undefined),
  };
}

const TAKE_OVER_CASES: Cases<StoreUnderTest> = {
  "S7.3 a late answer and connections that take the key over: one of them has it, not two": async (desk) => {
    const stores = await connections(desk, 3);
    for (let round = 0; round < ROUNDS; round++) {
      const key = `race ${round}`;
      const late = await started(desk, key);
      await desk.subject.store.markUnknown(key, late);
      const complete = async () => stores[0]!.complete(key, late, { value: "late", ttlMs: desk.spans.ttlMs });
      const claims = () => stores.map((store) => claim(desk, key, { store, takeOver: true }));
      // Both orders: what is sent first often comes first.
      const [isDone, verdicts] =
        round % 2 === 0
          ? await Promise.all([complete(), Promise.all(claims())])
          : await Promise.all([Promise.all(claims()), complete()]).then(([first, second]) => [second, first] as const);
      const count = owners(verdicts) + (isDone === false ? 0 : 1);
      must(count === 1, `a key in doubt was completed or taken over ${count} times`);
    }
  },
};

const START_CASES: Cases<StoreUnderTest> = {
  "S7.2 a late start and a connection that takes the key over: one of them has it, not two": async (desk) => {
    const [store, other] = (await connections(desk, 2)) as [IdempotencyStore, IdempotencyStore];
    const keys = Array.from({ length: ROUNDS }, (_, round) => `race ${round}`);
    const tokens = await Promise.all(keys.map((key) => claimed(desk, key)));
    await desk.advance(desk.spans.leaseMs + desk.spans.marginMs);
    for (const [round, key] of keys.entries()) {
      const [isStarted, verdict] = await Promise.all([
        store.start!(key, tokens[round]!),
        claim(desk, key, { store: other }),
      ]);
      const count = (isStarted === false ? 0 : 1) + owners([verdict]);
      must(count <= 1, "a dispatch was started and its key taken over");
    }
  },
  "S7.2 a lease that was given through one connection runs out for all of them": async (desk) => {
    const stores = await connections(desk, 2);
    await claimed(desk, "claimed");
    await started(desk, "started");
    await desk.advance(desk.spans.leaseMs + desk.spans.marginMs);
    const store = stores[1]!;
    await answers(desk, "started", "unknown", "of a started key through another connection", { store });
    await claimed(desk, "claimed", { store, when: "claim through another connection after the lease" });
    mustEqual(await stores[0]!.start!("started", "no token"), false, "start with a token of nobody");
  },
};

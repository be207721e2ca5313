import type { Contestant, Work } from "../contest.ts";
import { verify } from "../contest.ts";
import { canonicalHash } from "../floors/canonical-hash.ts";
import { createReplayFloor } from "../floors/replay-floor.ts";
import { sequential } from "../sequential.ts";

const DONE = { ok: true, value: "receipt-1" } as const;
const done = async () => DONE;

async function eoc(keyOf: (turn: number) => string | undefined, isRight: (replayed: boolean) => boolean) {
  const { createMemoryIdempotencyStore, definePolicy, execute } = await import("@eoc/core");
  const idempotencyStore = createMemoryIdempotencyStore();
  const policy = definePolicy({ idempotency: { enabled: true } });
  const context = { account: "a-17" };
  let turn = 0;
  const run = () => {
    const key = keyOf(turn++);
    const item = {
      action: "ACT" as const,
      id: "refund-7",
      ...(key === undefined ? undefined : { idempotency_key: key }),
    };
    return execute({ action: "ACT", actions: [item] }, context, policy, done, { idempotencyStore });
  };
  await run();
  return sequential(
    run,
    ({ status, actions }) => status === "success" && isRight(actions[0]!.replayed) && actions[0]!.value === "receipt-1",
  );
}

/** A key whose action is done already. */
const replay: Work = {
  name: "replay",
  title: "Replay: the key is known and completed",
  operation: "execution",
  floor: "Map",
  contestants: {
    Map: () => {
      const records = new Map([["refund-7", DONE]]);
      return sequential(
        async () => records.get("refund-7") ?? (await done()),
        ({ value }) => value === "receipt-1",
      );
    },
    // What a report costs, and a decision that is checked.
    "replay by hand": async () => {
      const run = createReplayFloor();
      const decision = { action: "ACT", key: "refund-7" };
      await run(decision, done);
      return sequential(
        () => run(decision, done),
        ({ actions }) => actions[0]!.replayed && actions[0]!.value === "receipt-1",
      );
    },
    EOC: () =>
      eoc(
        () => "refund-7",
        (replayed) => replayed,
      ),
    "EOC, key derived": () =>
      eoc(
        () => undefined,
        (replayed) => replayed,
      ),
    "EOC's store alone": async () => {
      const { createMemoryIdempotencyStore } = await import("@eoc/core");
      const store = createMemoryIdempotencyStore();
      const request = { fingerprint: "f", leaseMs: 1000, nowMs: 0 };
      const claimed = store.claim("refund-7", request);
      if (claimed.state === "claimed") store.complete("refund-7", claimed.token, { value: "receipt-1", ttlMs: 1e9 });
      return sequential(
        async () => store.claim("refund-7", request),
        (verdict) => verdict.state === "completed" && verdict.value === "receipt-1",
      );
    },
    Powertools: () => powertools(() => "refund-7"),
  },
  shows: [
    { show: 4, what: "replay beside a Map", value: (r) => r.ratio("EOC", "Map"), atMost: 5 },
    { show: 4, what: "replay beside Powertools", value: (r) => r.ratio("EOC", "Powertools"), atMost: 0.03 },
  ],
};

async function powertools(keyOf: (turn: number) => string): Promise<Contestant> {
  // It warns that there is no Lambda context.
  process.env["POWERTOOLS_DEV"] = "true";
  console.warn = () => {};
  const { createPowertools } = await import("../rivals/powertools.ts");
  const run = createPowertools(async () => "receipt-1");
  let turn = 0;
  await run({ key: keyOf(turn) });
  return sequential(
    () => run({ key: keyOf(turn++) }),
    (answer) => answer === "receipt-1",
  );
}

/** Every key is new: claimed, started, completed. */
const firstClaim: Work = {
  name: "first-claim",
  title: "First claim: a new key, executed and completed",
  operation: "execution",
  floor: "Map",
  contestants: {
    Map: () => {
      const records = new Map<string, typeof DONE>();
      let turn = 0;
      return sequential(
        async () => {
          const key = `refund-${turn++}`;
          const known = records.get(key);
          if (known !== undefined) return known;
          const answer = await done();
          records.set(key, answer);
          return answer;
        },
        ({ value }) => value === "receipt-1",
      );
    },
    EOC: () =>
      eoc(
        (turn) => `refund-${turn}`,
        (replayed) => !replayed,
      ),
    Powertools: () => powertools((turn) => `refund-${turn}`),
  },
  shows: [],
};

const KEY_ACTION = {
  index: 0,
  effect: "once",
  action: "ACT",
  id: "refund-7",
  params: { order_id: "o-1881", cents: 1200, currency: "EUR", note: "damaged on arrival", items: [1, 2, 3] },
} as const;
const KEY_CONTEXT = { account: "a-17", region: "eu-central", limits: { daily: 50_000, single: 5000 }, step: 4 };

type DeriveKey = (action: typeof KEY_ACTION, context: Record<string, unknown>) => string;

const deriveByHand: DeriveKey = ({ action, id, params }, context) => canonicalHash({ action, id, params, context });

/** The two have to agree on every key, or one of them hashes something else. */
function hashing(derive: DeriveKey): Contestant {
  let turn = 0;
  const next = () => derive(KEY_ACTION, { ...KEY_CONTEXT, turn: turn++ });
  verify(next() === deriveByHand(KEY_ACTION, { ...KEY_CONTEXT, turn: 0 }), "a key");
  return {
    run(count) {
      for (let i = 0; i < count; i++) verify(next().length === 64, "a key");
    },
  };
}

/** The key of an action that brings none: a digest of what it does and of what lasts of its context. */
const derivedKey: Work = {
  name: "derived-key",
  title: "Derived key: SHA-256 over the canonical JSON of an action and its context",
  operation: "key",
  floor: "fast canonical SHA-256",
  contestants: {
    "fast canonical SHA-256": () => hashing(deriveByHand),
    EOC: async () => {
      const { deriveKey } = await import("@eoc/core");
      return hashing(deriveKey);
    },
  },
  shows: [
    {
      show: 4,
      what: "derived key beside a fast canonical SHA-256",
      value: (r) => r.ratio("EOC", "fast canonical SHA-256"),
      atMost: 1.5,
    },
  ],
};

export const idempotency: readonly Work[] = [replay, firstClaim, derivedKey];

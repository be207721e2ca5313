import {
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  type ExecutionEvent,
  type IdempotencyStore,
  type RateLimiter,
} from "@eoc/core";
import {
  type ContractBench,
  createFakeKillSwitch,
  executorContract,
  faulty,
  idempotencyStoreContract,
  journalContract,
  killSwitchContract,
  rateLimiterContract,
} from "@eoc/testkit";
import { describe, it } from "vitest";
import { plantedStore } from "./planted-store.js";
import { openService } from "./service.js";

describe("createMemoryIdempotencyStore keeps the contract of a store", () => {
  const contract = idempotencyStoreContract(({ clock }) => ({ store: createMemoryIdempotencyStore({ clock }) }), {
    shared: false,
  });
  for (const { name, run } of contract) it(name, run);
});

describe("a store that can do less, and says so, keeps it too", () => {
  // Keeps keys in doubt and records for ever, and has nothing for operators.
  const contract = idempotencyStoreContract(
    ({ clock }) => {
      const { start, list: _, resolve: _resolve, ...store } = createMemoryIdempotencyStore({ clock });
      const lesser: IdempotencyStore = {
        ...store,
        claim: (key, { takeOver: _takeOver, ...request }) => {
          const verdict = store.claim(key, request);
          if (verdict.state === "claimed") start(key, verdict.token);
          return verdict;
        },
        complete: (key, token, record) => store.complete(key, token, { ...record, ttlMs: Number.MAX_SAFE_INTEGER }),
      };
      return { store: lesser };
    },
    { start: false, takeOver: false, expiry: false, list: false, resolve: false, shared: false },
  );
  for (const { name, run } of contract) it(name, run);
});

describe("a store that goes by its callers' clocks, and says so, keeps it too", () => {
  const open = ({ clock }: ContractBench) => {
    const connect = plantedStore(clock, "goes by the callers' clocks");
    return { store: connect(), another: connect };
  };
  for (const { name, run } of idempotencyStoreContract(open, { ownClock: false })) it(name, run);
});

describe("createMemoryRateLimiter keeps the contract of a limiter", () => {
  const contract = rateLimiterContract(() => ({ rateLimiter: createMemoryRateLimiter() }), { shared: false });
  for (const { name, run } of contract) it(name, run);
});

describe("a limiter that stamps at the grant and takes nothing back, and says so, keeps it too", () => {
  const open = () => {
    const limiter = createMemoryRateLimiter();
    const simple: RateLimiter = {
      acquire: async (requests, nowMs) => {
        const verdict = await limiter.acquire(requests, nowMs);
        if (!verdict.granted) return verdict;
        verdict.dispatched?.(nowMs);
        return { granted: true };
      },
    };
    return { rateLimiter: simple, another: () => simple };
  };
  for (const { name, run } of rateLimiterContract(open, { stamps: false, cancel: false, ownClock: false }))
    it(name, run);
});

describe("createManualKillSwitch keeps the contract of a switch", () => {
  const open = () => {
    const killSwitch = createManualKillSwitch();
    return { killSwitch, halt: killSwitch.halt, clear: killSwitch.clear };
  };
  for (const { name, run } of killSwitchContract(open, { outage: false })) it(name, run);
});

describe("a switch that is kept elsewhere keeps it too", () => {
  const contract = killSwitchContract(
    () => {
      let isDark = false;
      const { subscribe: _, ...fake } = createFakeKillSwitch();
      const killSwitch = faulty(
        { read: fake.read },
        { read: ({ number }) => (isDark ? (["rejects", "hangs"] as const)[number % 2]! : "passes") },
      );
      return {
        killSwitch,
        halt: () => fake.halt(),
        goDark: () => {
          isDark = true;
        },
      };
    },
    { subscribe: false, clear: false, reason: false },
  );
  for (const { name, run } of contract) it(name, run);
});

describe("a list of events keeps the contract of a journal", () => {
  const open = () => {
    const events: ExecutionEvent[] = [];
    return { journal: { append: (event: ExecutionEvent) => void events.push(event) }, read: () => events };
  };
  for (const { name, run } of journalContract(open, { durable: false, outage: false })) it(name, run);
});

describe("an executor over a wire keeps the contract of an executor", () => {
  for (const { name, run } of executorContract(({ clock }) => openService({ clock }))) it(name, run);
});

describe("an executor that can do less, and says so, keeps it too", () => {
  const lesser = { dedupes: false, reconciles: false, heedsAbort: false };
  const contract = executorContract(({ clock }) => openService({ clock, ...lesser }), {
    dedupes: false,
    reconcile: false,
    abort: false,
  });
  for (const { name, run } of contract) it(name, run);
});

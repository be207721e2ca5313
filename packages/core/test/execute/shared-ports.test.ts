import fc from "fast-check";
import { expect, it } from "vitest";
import {
  createBulkhead,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  execute,
  type RateLimiter,
} from "../../src/index.js";
import { createVirtualClock } from "../support.js";

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const rate = maybe(fc.record({ limit: fc.integer({ min: 1, max: 4 }), windowMs: fc.constantFrom(5, 20, 100) }));
const takes = fc.constantFrom(0, 1, 10);

const crowd = fc.record({
  size: fc.integer({ min: 1, max: 14 }),
  actions: fc.integer({ min: 1, max: 3 }),
  maxConcurrency: fc.integer({ min: 1, max: 3 }),
  gapMs: fc.constantFrom(0, 0, 3, 20),
  slots: maybe(fc.integer({ min: 1, max: 3 })),
  global: rate,
  ofActs: rate,
  limiterMs: maybe(fc.constant(1)),
  gateMs: maybe(takes),
  switchMs: maybe(takes),
  journalMs: maybe(fc.constantFrom(0, 1)),
  executorMs: fc.constantFrom(0, 15, 40),
  failures: fc.nat(2),
  keys: fc.constantFrom("none", "own", "shared"),
});

type Crowd = typeof crowd extends fc.Arbitrary<infer T> ? T : never;

/** Executions that share every port there is, and have time enough: who started when, and how much was shown and asked. */
async function run(setup: Crowd) {
  const { size, actions, maxConcurrency, global, ofActs, keys } = setup;
  const clock = createVirtualClock();
  const inner = createMemoryRateLimiter();
  const later = <T>(ms: number | undefined, value: T) => (ms ? clock.sleep(ms).then(() => value) : value);
  const rateLimiter: RateLimiter = {
    acquire: (requests, nowMs) =>
      setup.limiterMs === undefined
        ? inner.acquire(requests, nowMs)
        : clock.sleep(setup.limiterMs).then(() => inner.acquire(requests, clock.monotonic())),
  };
  const shared = {
    clock,
    rateLimiter,
    ...(keys !== "none" && { idempotencyStore: createMemoryIdempotencyStore({ clock }) }),
    ...(setup.slots !== undefined && { bulkhead: createBulkhead({ limit: setup.slots }) }),
    ...(setup.switchMs !== undefined && { killSwitch: { read: () => later(setup.switchMs, { halted: false }) } }),
    ...(setup.journalMs !== undefined && { journal: { append: async () => later(setup.journalMs, undefined) } }),
  };
  const starts: { action: string; atMs: number }[] = [];
  let asked = 0;
  let shown = 0;
  const one = async (who: number) => {
    await clock.sleep(who * setup.gapMs);
    const calls = new Array<number>(actions).fill(0);
    return execute(
      {
        action: "ACT",
        actions: calls.map((_, index) => ({
          action: index % 2 === 0 ? ("ACT" as const) : ("EXIT" as const),
          id: `a-${index}`,
          ...(keys === "shared" && { idempotency_key: `key-${index}` }),
        })),
      },
      { who },
      {
        defaultEffect: "idempotent",
        maxConcurrency,
        retry: { maxRetries: 2, initialBackoffMs: 2 },
        timeout: { maxTotalTimeMs: 1_000_000, attemptTimeoutMs: 1000 },
        rateLimit: { ...(global && { global }), ...(ofActs && { perAction: { ACT: ofActs } }) },
        idempotency: { enabled: keys !== "none", onInProgress: "wait" },
      },
      async ({ action, index }) => {
        starts.push({ action, atMs: clock.monotonic() });
        await clock.sleep(setup.executorMs);
        return calls[index]!++ < setup.failures ? { ok: false, code: "busy" } : { ok: true };
      },
      {
        ...shared,
        onEvent: () => void shown++,
        ...(setup.gateMs !== undefined && {
          gates: [
            () => {
              asked++;
              return later(setup.gateMs, { allow: true as const });
            },
          ],
        }),
      },
    );
  };
  const reports = await clock.run(() => Promise.all(Array.from({ length: size }, (_, who) => one(who))));
  return { reports, starts, asked, shown };
}

it("S5.4, S6.3 whoever shares whichever ports, everybody is served in the end, within every limit, and asks little in vain", async () => {
  await fc.assert(
    fc.asyncProperty(crowd, async (setup) => {
      const { reports, starts, asked, shown } = await run(setup);
      expect(reports.map(({ status }) => status)).toEqual(new Array(setup.size).fill("success"));
      const limits = [
        { limit: setup.global, times: starts },
        { limit: setup.ofActs, times: starts.filter(({ action }) => action === "ACT") },
      ];
      for (const { limit, times } of limits) {
        if (limit === undefined) continue;
        for (let first = 0; first + limit.limit < times.length; first++) {
          expect(times[first + limit.limit]!.atMs - times[first]!.atMs).toBeGreaterThanOrEqual(limit.windowMs);
        }
      }
      // Those who find their key completed or taken ask too: each action counts, and each dispatch.
      const passages = setup.size * setup.actions + starts.length;
      expect(asked).toBeLessThanOrEqual(passages * 10);
      if (setup.keys !== "shared") expect(shown).toBeLessThanOrEqual(passages * 30);
    }),
    { numRuns: 300 },
  );
});

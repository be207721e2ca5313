import fc from "fast-check";
import { expect, it } from "vitest";
import {
  createBulkhead,
  createManualKillSwitch,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  type Executor,
  type ExecutorResult,
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

const disturbed = fc.record({
  crowd: fc.array(
    fc.record({
      atMs: fc.nat(60),
      abortsAtMs: maybe(fc.nat(150)),
      totalMs: fc.constantFrom(30, 80, 200, 5000),
      actions: fc.integer({ min: 1, max: 3 }),
      maxConcurrency: fc.integer({ min: 1, max: 3 }),
      onFailure: fc.constantFrom("stop", "continue"),
      onHalt: fc.constantFrom("abort", "finish"),
      onExceeded: fc.constantFrom("wait", "deny"),
      does: fc.array(fc.constantFrom("answers", "answers at once", "is busy", "throws", "hangs", "is deaf"), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
    { minLength: 1, maxLength: 10 },
  ),
  haltsAtMs: maybe(fc.nat(150)),
  slots: fc.integer({ min: 1, max: 3 }),
  queueLimit: fc.constantFrom(1, 3, 100),
  global: rate,
  ofActs: rate,
  limiterMs: maybe(fc.constantFrom(1, 30)),
  gateMs: maybe(fc.constantFrom(0, 12)),
  journalMs: maybe(fc.constantFrom(0, 3)),
  keys: fc.constantFrom("none", "own", "shared"),
});

type One = typeof disturbed extends fc.Arbitrary<infer T extends { crowd: unknown[] }> ? T["crowd"][number] : never;

const CALM: One = {
  atMs: 0,
  abortsAtMs: undefined,
  totalMs: 5000,
  actions: 1,
  maxConcurrency: 1,
  onFailure: "stop",
  onHalt: "abort",
  onExceeded: "wait",
  does: ["answers"],
};

it("S2.4, S4.4 whoever is halted, cancelled, late or deaf, the limits hold, and nothing is left that holds up who comes after", async () => {
  await fc.assert(
    fc.asyncProperty(disturbed, async ({ crowd: all, keys, ...setup }) => {
      const clock = createVirtualClock();
      const inner = createMemoryRateLimiter();
      const killSwitch = createManualKillSwitch();
      const shared = {
        clock,
        killSwitch,
        bulkhead: createBulkhead({ limit: setup.slots, queueLimit: setup.queueLimit }),
        rateLimiter: {
          acquire: (requests, nowMs) =>
            setup.limiterMs === undefined
              ? inner.acquire(requests, nowMs)
              : clock.sleep(setup.limiterMs).then(() => inner.acquire(requests, clock.monotonic())),
        } satisfies RateLimiter,
        ...(keys !== "none" && { idempotencyStore: createMemoryIdempotencyStore({ clock }) }),
        ...(setup.gateMs !== undefined && {
          gates: [() => clock.sleep(setup.gateMs!).then(() => ({ allow: true as const }))],
        }),
        ...(setup.journalMs !== undefined && { journal: { append: () => clock.sleep(setup.journalMs!) } }),
      };
      let inFlight = 0;
      let most = 0;
      const executorOf = ({ does }: One): Executor => {
        let calls = 0;
        const ends = async (ms: number, answer: ExecutorResult) => {
          await clock.sleep(ms);
          inFlight--;
          return answer;
        };
        return (_, { signal }) => {
          const what = does[calls++ % does.length];
          if (what === "answers at once") return { ok: true };
          most = Math.max(most, ++inFlight);
          if (what === "answers") return ends(10, { ok: true });
          if (what === "is busy") return ends(1, { ok: false, code: "busy" });
          if (what === "is deaf") return ends(300, { ok: true });
          if (what === "throws") return ends(1, { ok: true }).then(() => Promise.reject(new Error("lost")));
          return new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              inFlight--;
              reject(new Error("aborted"));
            });
          });
        };
      };
      const run = async (one: One, sharesKeys: boolean) => {
        await clock.sleep(one.atMs);
        const controller = new AbortController();
        if (one.abortsAtMs !== undefined) clock.setTimer(() => controller.abort(), one.abortsAtMs);
        return execute(
          {
            action: "ACT",
            actions: Array.from({ length: one.actions }, (_, index) => ({
              action: index % 2 === 0 ? ("ACT" as const) : ("EXIT" as const),
              id: `a-${index}`,
              ...(sharesKeys && { idempotency_key: `key-${index}` }),
            })),
          },
          { atMs: one.atMs },
          {
            defaultEffect: "idempotent",
            maxConcurrency: one.maxConcurrency,
            onFailure: one.onFailure,
            onHalt: one.onHalt,
            retry: { maxRetries: 2, initialBackoffMs: 2 },
            timeout: { maxTotalTimeMs: one.totalMs, attemptTimeoutMs: 40, abortGraceMs: 5 },
            rateLimit: {
              ...(setup.global && { global: setup.global }),
              ...(setup.ofActs && { perAction: { ACT: setup.ofActs } }),
              onExceeded: one.onExceeded,
            },
            idempotency: { enabled: keys !== "none", onInProgress: "wait", onUnknown: "retry" },
          },
          executorOf(one),
          { ...shared, signal: controller.signal },
        );
      };
      if (setup.haltsAtMs !== undefined) clock.setTimer(() => killSwitch.halt(), setup.haltsAtMs);
      const reports = await clock.run(() => Promise.all(all.map((one) => run(one, keys === "shared"))));
      expect(JSON.stringify(reports)).not.toContain("protocol_error");
      expect(most).toBeLessThanOrEqual(setup.slots);
      // The deaf settle.
      await clock.advance(1000);
      expect(inFlight).toBe(0);
      killSwitch.clear();
      const afterwards = clock.monotonic();
      expect(await clock.run(() => run(CALM, false))).toMatchObject({ status: "success" });
      expect(clock.monotonic() - afterwards).toBeLessThan(300);
    }),
    { numRuns: 200 },
  );
});

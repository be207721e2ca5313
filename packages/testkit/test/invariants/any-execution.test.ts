import {
  createBulkhead,
  createMemoryIdempotencyStore,
  createMemoryRateLimiter,
  createRetryBudget,
  UnknownOutcomeError,
} from "@eoc/core";
import {
  checkInvariants,
  createFakeKillSwitch,
  faulty,
  hangs,
  rejects,
  returns,
  type ScriptedStep,
  succeeds,
  succeedsLate,
  throws,
} from "@eoc/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { record } from "./support.js";

const lateMs = fc.integer({ min: 190, max: 240 });
const step: fc.Arbitrary<ScriptedStep> = fc.oneof(
  // Often enough that whole plans succeed.
  { weight: 12, arbitrary: fc.oneof(fc.constant(0), fc.nat(300)).map((afterMs) => succeeds("v", { afterMs })) },
  fc.nat(300).map((afterMs) => rejects("busy", { afterMs })),
  fc.nat(300).map((afterMs) => rejects("later", { afterMs, retryAfterMs: 50 })),
  fc.nat(300).map((afterMs) => rejects("no", { afterMs, retryable: false })),
  // Within the grace, and a little before and after it.
  lateMs.map((afterMs) => ({ ...rejects("late", { afterMs }), ignoresAbort: true })),
  lateMs.map((afterMs) => ({ ...returns(7, { afterMs }), ignoresAbort: true })),
  fc.nat(300).map((afterMs) => throws(new TypeError("x"), { afterMs })),
  fc.nat(300).map((afterMs) => throws(new TypeError("x"), { afterMs, applied: true })),
  fc
    .tuple(fc.nat(300), fc.nat(300))
    .map(([afterMs, retryAfterMs]) =>
      throws(new UnknownOutcomeError("http_503", { retryAfterMs }), { afterMs, applied: true }),
    ),
  fc.nat(900).map((afterMs) => succeedsLate(afterMs)),
  fc.constant(hangs()),
  { weight: 3, arbitrary: fc.constant(hangs({ ignoresAbort: true })) },
  fc.constant(hangs({ applied: true })),
  fc.constant(returns(7)),
);

/** Mostly nothing, so that most runs come far. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const effect = fc.constantFrom("once" as const, "idempotent" as const, "none" as const);
const action = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom("ACT" as const, "EXIT" as const) },
  { weight: 1, arbitrary: fc.constant("HOLD" as const) },
);
const item = fc.record({ action, effect });
const rate = fc.record({ limit: fc.integer({ min: 1, max: 3 }), windowMs: fc.integer({ min: 1, max: 400 }) });
const FAULTS = {
  throws: 0.01,
  rejects: 0.01,
  hangs: 0.01,
  garbage: 0.01,
  loses_reply: 0.01,
  never_replies: 0.01,
  slow_request: 0.04,
  slow_reply: 0.04,
  slowMs: [1, 600],
} as const;

/** The same runs every time; `EOC_DEEP=1` asks for many more, and for others each time. */
const RUNS = process.env["EOC_DEEP"] === "1" ? { numRuns: 50_000 } : { numRuns: 1000, seed: 1 };

const scenario = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 8 }),
  items: fc.noBias(fc.array(item, { maxLength: 6 })),
  policy: fc.record({
    maxConcurrency: fc.integer({ min: 1, max: 4 }),
    onFailure: fc.constantFrom("stop" as const, "continue" as const),
    onHalt: fc.constantFrom("abort" as const, "finish" as const),
    retry: fc.record({
      maxRetries: fc.nat(3),
      initialBackoffMs: fc.nat(60),
      backoffMultiplier: fc.constantFrom(1, 1.5, 2),
      jitter: fc.constantFrom("none" as const, "full" as const, "equal" as const),
    }),
    rateLimit: fc.oneof(
      fc.constant({}),
      fc.record({
        global: rate,
        perAction: fc.constantFrom({}, { ACT: { limit: 1, windowMs: 70 } }),
        onExceeded: fc.constantFrom("wait" as const, "deny" as const),
      }),
    ),
    idempotency: fc.record({
      enabled: fc.boolean(),
      onInProgress: fc.constantFrom("deny" as const, "wait" as const),
      leaseMs: fc.constantFrom(40, 30_000),
    }),
  }),
  decision: fc.record({ throttle_ms: seldom(fc.nat(200)), cooldown_ms: seldom(fc.nat(50)) }),
  context: seldom(fc.constant({ ops_state: "RED" })).map((context) => context ?? {}),
  haltAtMs: seldom(fc.noBias(fc.nat(1200))),
  cancelAtMs: seldom(fc.noBias(fc.nat(1200))),
  reconciles: fc.boolean(),
  seed: fc.option(fc.nat(), { freq: 2 }),
  budget: seldom(fc.nat(3)),
  bulkhead: fc.boolean(),
});

describe("checkInvariants on what execute does", () => {
  it("finds nothing, whatever the plan, the policy, the executor and the faults of the ports", {
    timeout: 600_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ steps, items, policy, decision, context, ...rest }) => {
        const { haltAtMs, cancelAtMs, reconciles, seed, budget, bulkhead } = rest;
        const recorded = await record({
          steps,
          decision: {
            action: "ACT",
            actions: items,
            ...decision,
          },
          context,
          policy: {
            ...policy,
            timeout: { attemptTimeoutMs: 200, maxTotalTimeMs: 1500, abortGraceMs: 30, portTimeoutMs: 300 },
          },
          ...(reconciles ? { reconcile: "world" as const } : {}),
          options: ({ clock }) => {
            const killSwitch = createFakeKillSwitch();
            const controller = new AbortController();
            if (haltAtMs !== null) clock.setTimer(() => killSwitch.halt(), haltAtMs);
            if (cancelAtMs !== null) clock.setTimer(() => controller.abort(), cancelAtMs);
            const port = <P extends object>(port: P, name: string): P =>
              seed === null ? port : faulty(port, {}, { clock, seed: `${name}${seed}`, rates: FAULTS });
            return {
              seed: "jitter",
              signal: controller.signal,
              killSwitch: port(killSwitch, "switch"),
              rateLimiter: port(createMemoryRateLimiter(), "limiter"),
              idempotencyStore: port(createMemoryIdempotencyStore({ clock }), "store"),
              journal: port({ append: () => {} }, "journal"),
              ...(budget === null ? {} : { retryBudget: createRetryBudget({ capacity: budget, refillPerSuccess: 1 }) }),
              ...(bulkhead ? { bulkhead: createBulkhead({ limit: 2 }) } : {}),
            };
          },
        });
        expect(checkInvariants(recorded)).toEqual([]);
        const { events: _, ...withoutEvents } = recorded;
        expect(checkInvariants(withoutEvents)).toEqual([]);
      }),
      RUNS,
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Input } from "../../src/machine/index.js";
import { DEEP, PATIENCE_MS } from "./depth.js";
import { take } from "./explorer.js";
import { feed, type Model, mislead, modelOf } from "./model.js";
import { fits, movesOf } from "./moves.js";
import { ANYTHING, type Scenario } from "./scenario.js";

const some = <const T>(...values: readonly T[]) => fc.constantFrom(...values);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const duration = some(0, 1, 2, 2.5, 7, 1e9);

const policy = fc.record({
  retry: fc.record({
    maxRetries: fc.nat(3),
    initialBackoffMs: duration,
    maxBackoffMs: duration,
    backoffMultiplier: some(0, 1, 2, 1e308),
    jitter: some("none", "full", "equal"),
    maxRetryAfterMs: duration,
  }),
  timeout: fc.record({
    attemptTimeoutMs: duration,
    maxTotalTimeMs: some(0, 1, 5, 9.5, 20, 1e12),
    abortGraceMs: duration,
    portTimeoutMs: some(1, 2, 1e6),
  }),
  idempotency: fc.record({
    enabled: fc.boolean(),
    onInProgress: some("deny", "wait"),
    onUnknown: some("stop", "retry"),
  }),
  rateLimit: some(
    {},
    { global: { limit: 1, windowMs: 1 } },
    { perAction: { ACT: { limit: 1, windowMs: 1 } }, onExceeded: "deny" },
  ),
  maxConcurrency: fc.integer({ min: 1, max: 3 }),
  onFailure: some("stop", "continue"),
  onHalt: some("abort", "finish"),
});

const scenario: fc.Arbitrary<Scenario> = fc.record({
  name: fc.constant("random"),
  plan: fc.array(some("once", "idempotent", "none", "hold"), { maxLength: 3 }),
  policy,
  halts: some<Scenario["halts"]>(["kill_switch", "cancelled"], ["cancelled"]),
  lags: fc.nat(2),
  earlyTimers: fc.nat(2),
  facts: fc.record(
    {
      throttleMs: duration,
      approval: fc.record({ matches: some(true, true, false), expiresAtMs: some(1003, 1e9) }),
      observed: fc.boolean(),
      hasKillSwitch: fc.boolean(),
      hasBulkhead: fc.boolean(),
      hasGates: fc.boolean(),
      hasRetryBudget: fc.boolean(),
      canReconcile: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
}) as fc.Arbitrary<Scenario>;

const odd = some(0, 1, -1, 0.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
const settlement = fc.oneof(
  some(...ANYTHING.settlement),
  odd.map((retryAfterMs) => ({ kind: "not_applied" as const, code: "later", retryable: true, retryAfterMs })),
);

/** Any input, its time and place relative to now. */
const wild = fc.record({
  later: some(0, 0, 0, 0, 1, 3, 1e7, -1, Number.NaN, Number.POSITIVE_INFINITY),
  wallMs: optional(some(1000, 1e13, -5, Number.NaN)),
  action: some(0, 0, 1, 2, -1, 7, 0.5, Number.NaN),
  earlier: some(1, 1, 0, 2),
  body: fc.oneof(
    some({ type: "start" }, { type: "resume" }, { type: "timer" }, { type: "halt", cause: "kill_switch" }),
    some({ type: "permit_turn" }, { type: "permit", verdict: { state: "behind", retryAfterMs: 0 } }),
    some({ type: "listener_failed", errorType: "E" }, { type: "key_derived" }, { type: "key_derived", key: "k" }),
    some(...ANYTHING.bulkhead).map((verdict) => ({ type: "bulkhead", verdict })),
    some(...ANYTHING.claim).map((verdict) => ({ type: "claim", verdict })),
    odd.map((retryAfterMs) => ({ type: "gates", verdict: { state: "denied", code: "no", retryAfterMs } })),
    some(...ANYTHING.gates).map((verdict) => ({ type: "gates", verdict })),
    odd.map((retryAfterMs) => ({ type: "permit", verdict: { state: "refused", retryAfterMs } })),
    odd.map((retryAfterMs) => ({ type: "permit", verdict: { state: "behind", retryAfterMs } })),
    some(...ANYTHING.permit).map((verdict) => ({ type: "permit", verdict })),
    fc.boolean().map((ok) => ({ type: "intent", ok })),
    some(...ANYTHING.keyStart).map((verdict) => ({ type: "key_started", verdict })),
    some(...ANYTHING.switch).map((verdict) => ({ type: "switch", verdict })),
    some(...ANYTHING.reconcile).map((verdict) => ({ type: "reconciled", verdict })),
    some(...ANYTHING.retryBudget).map((verdict) => ({ type: "retry_budget", verdict })),
    fc.boolean().map((ok) => ({ type: "recorded", ok })),
    settlement.map((said) => ({ type: "settled", settlement: said })),
  ),
});

type Wild = typeof wild extends fc.Arbitrary<infer T> ? T : never;

/** Inputs that are about no action. */
const GENERAL = new Set(["start", "resume", "halt", "listener_failed"]);

function inputOf(model: Model, { later, wallMs, action, earlier, body }: Wild): Input {
  const attempt = (model.accounts[action]?.dispatches ?? 1) - earlier;
  const stamp = { at: model.now + later, ...(wallMs === undefined ? undefined : { wallMs }) };
  return { ...body, ...stamp, ...(GENERAL.has(body.type) ? undefined : { action, attempt }) } as Input;
}

/** Which of the moves that fit is made; now and then, something else altogether. */
const walk = fc.array(fc.oneof({ weight: 9, arbitrary: fc.nat(1000) }, { weight: 1, arbitrary: wild }), {
  maxLength: 60,
});

/** Goes on with what fits until the report is handed out. */
function finish(model: Model): void {
  for (let i = 0; model.machine.status !== "finished"; i++) {
    expect(i).toBeLessThan(1000);
    const moves = movesOf({ ...model, haltsLeft: 0, lagsLeft: 0, earlyTimersLeft: 0 });
    take(model, moves.find((move) => !("input" in move && move.input.type === "settled"))!);
  }
}

describe("step", () => {
  it("is total: whatever comes, in any order, it never throws, and ends sound", { timeout: PATIENCE_MS }, () => {
    let finished = 0;
    let misled = 0;
    fc.assert(
      fc.property(scenario, walk, (setting, choices) => {
        const model = modelOf(setting);
        for (const choice of choices) {
          if (typeof choice === "number") {
            const moves = movesOf(model);
            if (moves.length > 0) take(model, moves[choice % moves.length]!);
            continue;
          }
          const input = inputOf(model, choice);
          // Time may have gone past what was due.
          if (input.at > model.now && input.at < Number.POSITIVE_INFINITY) {
            model.laggedMs += input.at - model.now;
            model.now = input.at;
          }
          if (fits(model, input)) feed(model, input);
          else mislead(model, input);
        }
        finish(model);
        finished++;
        if (model.misled) misled++;
      }),
      { numRuns: DEEP ? 500_000 : 3000, ...(DEEP ? {} : { seed: 7 }) },
    );
    expect(misled).toBeGreaterThan(finished / 10);
    expect(finished - misled).toBeGreaterThan(finished / 10);
  });
});

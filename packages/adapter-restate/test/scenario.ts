import type { ExecutionContext, ExecutionPolicyInput, FinalDecisionInput, RateLimit } from "@eoc/core";
import { digestDecision, FinalDecisionSchema } from "@eoc/decision-schema";
import fc from "fast-check";

/** What an executor does with one dispatch. */
export interface Turn {
  readonly does: "succeed" | "reject" | "refuse" | "not_applied" | "throw" | "hang" | "nonsense";
  /** 0 answers at once: without a promise, or with one that is settled. */
  readonly afterMs: number;
  readonly promises: boolean;
  readonly retryAfterMs: number | undefined;
  /** What it does when its signal aborts, and how long that takes it. */
  readonly onAbort: "ignore" | "throw" | "answer";
  readonly afterAbortMs: number;
}

export interface ActionScenario {
  readonly name: "ACT" | "EXIT" | "HOLD";
  readonly effect: "once" | "idempotent" | "none" | undefined;
  /** Of its own: two actions may have the same. */
  readonly key: string | undefined;
  readonly turns: readonly Turn[];
  /** What reconcile answers, time after time; the last for good. */
  readonly verdicts: readonly ("applied" | "not_applied" | "unknown" | "throws" | "nonsense")[];
}

/** What the idempotency store holds of the keys `k-0` and `k-1` beforehand. */
export type Stored = "nothing" | "completed" | "valueless" | "unknown" | "in_progress" | "conflict";

/** Gates in a row. */
export type GateScenario = "open" | "later" | "much_later" | "shut" | "throws" | "nonsense";

export interface Scenario {
  readonly actions: readonly ActionScenario[] | undefined;
  readonly allowed: boolean;
  readonly context: ExecutionContext;
  readonly policy: ExecutionPolicyInput;
  /** Something that is refused before anything is begun. */
  readonly refused: "nothing" | "decision" | "context" | "policy" | "executor" | "port";
  readonly approval: "none" | "right" | "wrong" | "expires";
  readonly reconciles: boolean;
  readonly reconcileMs: number;
  /**
   * When the kill switch is thrown, if at all: after the start, since one that was thrown before ends the first wait on an
   * engine at once. It may be at the very moment of something else.
   */
  readonly haltAtMs: number | undefined;
  /** When the execution is cancelled, if at all; 0 is before it starts. */
  readonly cancelAtMs: number | undefined;
  readonly killSwitch: "none" | "manual" | "deaf" | "back" | "throws" | "nonsense" | "unsubscribable";
  readonly store: undefined | { readonly holds: readonly Stored[]; readonly starts: boolean; readonly failsAt: number };
  readonly limiter: undefined | { readonly failsAt: number; readonly takenAtMs: number };
  readonly gates: readonly GateScenario[];
  readonly budget:
    | undefined
    | { readonly capacity: number; readonly refillPerSuccess: number; readonly throws: boolean };
  readonly listens: boolean;
  readonly journal: undefined | { readonly failsAt: number; readonly keepsOrder: boolean };
  /** Ports answer with promises, which are settled. */
  readonly promises: boolean;
  readonly throttleMs: number;
  readonly cooldownMs: number;
}

type KeyMaker = NonNullable<NonNullable<ExecutionPolicyInput["idempotency"]>["keyGenerator"]>;

/** The first of these, but for one in ten. */
function mostly<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
}

const OFTEN_NOT = [undefined, undefined, undefined];

const aTurn = fc.record<Turn>({
  does: fc.constantFrom("succeed", "succeed", "reject", "refuse", "not_applied", "throw", "hang", "nonsense"),
  afterMs: fc.constantFrom(0, 1, 30, 700),
  promises: fc.boolean(),
  retryAfterMs: fc.constantFrom(undefined, 25, 25.3, 800, 70_000, Number.POSITIVE_INFINITY),
  onAbort: fc.constantFrom("ignore", "throw", "throw", "answer"),
  afterAbortMs: fc.constantFrom(0, 0, 40, 170),
});

const anAction = fc.record<ActionScenario>({
  name: fc.constantFrom(...Array<"ACT">(8).fill("ACT"), "EXIT", "EXIT", "EXIT", "HOLD"),
  effect: fc.constantFrom("once", "idempotent", "none", undefined),
  key: fc.constantFrom(...OFTEN_NOT, ...OFTEN_NOT, "k-0", "k-1"),
  turns: fc.array(aTurn, { minLength: 1, maxLength: 3 }),
  verdicts: fc.array(fc.constantFrom("applied", "not_applied", "unknown", "throws", "nonsense"), {
    minLength: 1,
    maxLength: 3,
  }),
});

const aRateLimit: fc.Arbitrary<RateLimit> = fc.record({
  limit: fc.constantFrom(1, 2),
  windowMs: fc.constantFrom(60, 200),
});

const aPolicy = fc.record({
  retry: fc.record({
    maxRetries: fc.integer({ min: 0, max: 3 }),
    initialBackoffMs: fc.constantFrom(0, 10, 400),
    maxBackoffMs: fc.constantFrom(5000, 450),
    jitter: fc.constantFrom("none" as const, "full" as const, "equal" as const),
  }),
  timeout: fc.record({
    attemptTimeoutMs: fc.constantFrom(50, 500),
    maxTotalTimeMs: fc.constantFrom(900, 5000),
    abortGraceMs: fc.constantFrom(0, 100),
  }),
  idempotency: fc.record({
    keyGenerator: mostly<KeyMaker>("action+context_hash", ownKey, ownKey, ownKey, noKey),
    onInProgress: fc.constantFrom("deny" as const, "wait" as const),
    onUnknown: fc.constantFrom("stop" as const, "retry" as const),
    leaseMs: fc.constantFrom(30_000, 300),
  }),
  rateLimit: fc.record(
    {
      global: aRateLimit,
      perAction: fc.record({ EXIT: aRateLimit }),
      onExceeded: fc.constantFrom("wait" as const, "wait" as const, "deny" as const),
    },
    { requiredKeys: ["onExceeded"] },
  ),
  maxConcurrency: fc.constantFrom(1, 1, 2, 3),
  onFailure: fc.constantFrom("stop" as const, "continue" as const, "continue" as const),
  onHalt: fc.constantFrom("abort" as const, "finish" as const),
  defaultEffect: fc.constantFrom("once" as const, "idempotent" as const, "none" as const),
});

function ownKey({ id }: { id: string }): string {
  return `own ${id}`;
}

function noKey(): string {
  throw new TypeError("no key");
}

/** Calls of a port are counted from 0; this one fails. */
const aFailure = mostly(-1, 0, 1, 2, 5);

/**
 * Leaves out what a driver on an engine does otherwise, by ADR 192. A port that takes its time holds up what other actions
 * have to say: one that answers with promises is kept for plans of one action. And a lease is made to outlast a wait before it: short ones are kept for stores
 * that fail in no write, after which a lease is all that is left of a key.
 */
function withoutDifferences(scenario: Scenario): Scenario {
  const { actions = [], policy, store, promises } = scenario;
  const leaseMs = store !== undefined && store.failsAt >= 0 ? 30_000 : policy.idempotency!.leaseMs!;
  return {
    ...scenario,
    promises: promises && actions.length <= 1,
    policy: { ...policy, idempotency: { ...policy.idempotency, leaseMs } },
  };
}

/** Everything that may happen to an execution of which no process dies. */
export const aScenario: fc.Arbitrary<Scenario> = fc
  .record<Scenario>({
    actions: fc.oneof(
      { weight: 30, arbitrary: fc.array(anAction, { minLength: 1, maxLength: 4 }) },
      { weight: 1, arbitrary: fc.constantFrom(undefined, []) },
    ),
    allowed: fc.oneof({ weight: 30, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    context: fc.oneof(
      { weight: 30, arbitrary: fc.constant<ExecutionContext>({}) },
      { weight: 1, arbitrary: fc.constantFrom({ ops_deny_actions: true }, { now_ms: 10, ops_cooldown_until_ms: 20 }) },
    ),
    policy: aPolicy,
    refused: fc.oneof(
      { weight: 40, arbitrary: fc.constant("nothing" as const) },
      {
        weight: 1,
        arbitrary: fc.constantFrom<Scenario["refused"]>("decision", "context", "policy", "executor", "port"),
      },
    ),
    approval: mostly<Scenario["approval"]>("none", "right", "wrong", "expires"),
    reconciles: fc.boolean(),
    reconcileMs: fc.constantFrom(0, 0, 20, 600),
    haltAtMs: fc.constantFrom(...OFTEN_NOT, ...OFTEN_NOT, ...OFTEN_NOT, ...OFTEN_NOT, 5.5, 333.5, 30, 50, 700, 900),
    cancelAtMs: mostly<number | undefined>(undefined, 0, 6.6, 444.6, 30, 50, 700, 900),
    killSwitch: fc.oneof(
      { weight: 6, arbitrary: fc.constant("manual" as const) },
      { weight: 1, arbitrary: fc.constant("none" as const) },
      {
        weight: 1,
        arbitrary: fc.constantFrom<Scenario["killSwitch"]>("deaf", "back", "throws", "nonsense", "unsubscribable"),
      },
    ),
    store: fc.option(
      fc.record({
        holds: fc.array(
          fc.constantFrom<Stored>("nothing", "completed", "valueless", "unknown", "in_progress", "conflict"),
          {
            minLength: 2,
            maxLength: 2,
          },
        ),
        starts: fc.boolean(),
        failsAt: aFailure,
      }),
      { nil: undefined, freq: 2 },
    ),
    limiter: fc.option(fc.record({ failsAt: aFailure, takenAtMs: fc.constantFrom(-1, 0, 35.7) }), {
      nil: undefined,
      freq: 2,
    }),
    gates: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      {
        weight: 1,
        arbitrary: fc.array(
          fc.oneof(
            { weight: 5, arbitrary: fc.constantFrom<GateScenario>("open", "later") },
            { weight: 1, arbitrary: fc.constantFrom<GateScenario>("much_later", "shut", "throws", "nonsense") },
          ),
          { minLength: 1, maxLength: 2 },
        ),
      },
    ),
    budget: fc.option(
      fc.record({
        capacity: fc.constantFrom(1, 2),
        refillPerSuccess: fc.constantFrom(0.5, 1),
        throws: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      }),
      { nil: undefined, freq: 2 },
    ),
    listens: mostly(true, false),
    journal: fc.option(fc.record({ failsAt: aFailure, keepsOrder: fc.boolean() }), { nil: undefined, freq: 2 }),
    promises: mostly(false, true),
    throttleMs: mostly(0, 20, 20, 20, 1000),
    cooldownMs: fc.constantFrom(0, 0, 3000),
  })
  .map(withoutDifferences);

export function decisionOf({ actions, allowed, throttleMs, cooldownMs, refused }: Scenario): FinalDecisionInput {
  return {
    action: refused === "decision" ? ("NOPE" as never) : "ACT",
    allowed,
    ...(actions && {
      actions: actions.map(({ name, effect, key }, i) => ({
        action: name,
        id: `a-${i}`,
        ...(effect && { effect }),
        ...(key !== undefined && { idempotency_key: key }),
      })),
    }),
    ...(throttleMs > 0 && { throttle_ms: throttleMs }),
    ...(cooldownMs > 0 && { cooldown_ms: cooldownMs }),
  };
}

export function contextOf({ context, refused }: Scenario): ExecutionContext {
  return refused === "context" ? ("none" as never) : context;
}

export function policyOf({ policy, store, limiter, refused }: Scenario): ExecutionPolicyInput {
  const { idempotency, rateLimit, ...rest } = policy;
  return {
    ...rest,
    ...(store && { idempotency: { ...idempotency, enabled: true } }),
    ...(limiter && rateLimit && { rateLimit }),
    ...(refused === "policy" && { maxConcurrency: -1 }),
    ...(refused === "port" && { idempotency: { enabled: true } }),
  };
}

/** `startMs` is the wall clock's time at the start. */
export function approvalOf(scenario: Scenario, startMs: number): { digest: string; expiresAtMs?: number } | undefined {
  if (scenario.approval === "none" || scenario.refused !== "nothing") return undefined;
  const digest =
    scenario.approval === "wrong" ? "another" : digestDecision(FinalDecisionSchema.parse(decisionOf(scenario)));
  return scenario.approval === "expires" ? { digest, expiresAtMs: startMs + 40 } : { digest };
}

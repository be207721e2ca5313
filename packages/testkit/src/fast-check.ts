import type { Action, Effect, ExecutionContext, ExecutionPolicyInput, FinalDecision } from "@eoc/core";
import * as fc from "fast-check";
import type { Fault } from "./fault.js";
import { hangs, rejects, returns, type ScriptedStep, succeeds, succeedsLate, throws } from "./scripted-step.js";

/** What decisions may hold. */
export interface DecisionConstraints {
  /** @defaultValue 4 */
  maxActions?: number;
  /** @defaultValue any of the three */
  effects?: readonly Effect[];
}

/** Valid decisions: lists of actions with ids of their own, HOLD among them, and the short form without a list. */
export function anyDecision({
  maxActions = 4,
  effects = ["once", "idempotent", "none"],
}: DecisionConstraints = {}): fc.Arbitrary<FinalDecision> {
  const action: fc.Arbitrary<Action> = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom("ACT" as const, "EXIT" as const, "CANCEL" as const, "STOP" as const) },
    { weight: 1, arbitrary: fc.constant("HOLD" as const) },
  );
  const params = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), anyJson(), { maxKeys: 3 });
  const item = fc.record(
    { action, effect: fc.constantFrom(...effects), params },
    { requiredKeys: ["action", "effect"] },
  );
  const actions = fc
    .array(item, { maxLength: maxActions })
    .map((items) => items.map((item, index) => ({ ...item, id: `order-${index}` })));
  return fc.record(
    {
      action,
      allowed: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      reasons: fc.array(fc.stringMatching(/^[a-z_]{1,12}$/), { maxLength: 2 }),
      actions,
      throttle_ms: fc.nat(300),
      cooldown_ms: fc.nat(300),
      params,
    },
    { requiredKeys: ["action", "allowed", "reasons"] },
  );
}

/** What policies may ask for. */
export interface PolicyConstraints {
  /** Rate limits and idempotency as well, which need a limiter and a store. @defaultValue false */
  needsPorts?: boolean;
}

/** Valid policies, with limits of at most a few virtual seconds. */
export function anyPolicy({ needsPorts = false }: PolicyConstraints = {}): fc.Arbitrary<ExecutionPolicyInput> {
  const rateLimit = fc.record({ limit: fc.integer({ min: 1, max: 3 }), windowMs: fc.integer({ min: 1, max: 500 }) });
  const retry = fc.record(
    {
      maxRetries: fc.nat(3),
      initialBackoffMs: fc.nat(100),
      maxBackoffMs: fc.nat(400),
      backoffMultiplier: fc.constantFrom(1, 1.5, 2),
      jitter: fc.constantFrom("none" as const, "full" as const, "equal" as const),
      maxRetryAfterMs: fc.nat(1000),
    },
    { requiredKeys: [] },
  );
  const timeout = fc.record({
    attemptTimeoutMs: fc.integer({ min: 1, max: 400 }),
    maxTotalTimeMs: fc.integer({ min: 1, max: 3000 }),
    abortGraceMs: fc.nat(50),
    portTimeoutMs: fc.integer({ min: 1, max: 300 }),
  });
  const own = {
    retry,
    timeout,
    maxConcurrency: fc.integer({ min: 1, max: 4 }),
    onFailure: fc.constantFrom("stop" as const, "continue" as const),
    onHalt: fc.constantFrom("abort" as const, "finish" as const),
    defaultEffect: fc.constantFrom("once" as const, "idempotent" as const, "none" as const),
  };
  if (!needsPorts) return fc.record(own, { requiredKeys: ["timeout"] });
  const limits = fc.record(
    {
      global: rateLimit,
      perAction: fc.record({ ACT: rateLimit }),
      onExceeded: fc.constantFrom("wait" as const, "deny" as const),
    },
    { requiredKeys: [] },
  );
  const idempotency = fc.record({
    enabled: fc.boolean(),
    onInProgress: fc.constantFrom("deny" as const, "wait" as const),
    leaseMs: fc.integer({ min: 1, max: 1000 }),
  });
  return fc.record({ ...own, rateLimit: limits, idempotency }, { requiredKeys: ["timeout"] });
}

/** What contexts may say. */
export interface ContextConstraints {
  /** Some of them forbid everything. @defaultValue true */
  mayDeny?: boolean;
}

/** Valid contexts with keys of the registry and others. */
export function anyContext({ mayDeny = true }: ContextConstraints = {}): fc.Arbitrary<ExecutionContext> {
  const harmless = fc.record(
    {
      run_id: fc.stringMatching(/^[a-z0-9-]{1,12}$/),
      now_ms: fc.nat(),
      ops_state: fc.constantFrom("GREEN", "YELLOW"),
      account: anyJson(),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<ExecutionContext>;
  if (!mayDeny) return harmless;
  const denying = fc.constantFrom<ExecutionContext>(
    { ops_deny_actions: true },
    { ops_state: "RED" },
    { now_ms: 5, ops_cooldown_until_ms: 6 },
  );
  return fc.oneof(
    { weight: 9, arbitrary: harmless },
    { weight: 1, arbitrary: fc.tuple(harmless, denying).map(([context, denial]) => ({ ...context, ...denial })) },
  );
}

/** What the scripts of an executor may hold. */
export interface ScriptConstraints {
  /** @defaultValue 8 */
  maxSteps?: number;
  /** The longest that an answer takes, in virtual milliseconds. @defaultValue 500 */
  maxAfterMs?: number;
}

/** Scripts for `createScriptedExecutor`. They print as they are written. */
export function anyScript({ maxSteps = 8, ...constraints }: ScriptConstraints = {}): fc.Arbitrary<ScriptedStep[]> {
  return fc.array(anyStep(constraints), { minLength: 1, maxLength: maxSteps });
}

/** Steps of every kind: answers, rejections, throws, lost replies, late answers, hangs, nonsense. */
export function anyStep({ maxAfterMs = 500 }: Pick<ScriptConstraints, "maxAfterMs"> = {}): fc.Arbitrary<ScriptedStep> {
  const afterMs = fc.nat(maxAfterMs);
  const step = fc.oneof(
    { weight: 5, arbitrary: afterMs.map((ms) => succeeds("value", { afterMs: ms })) },
    { weight: 3, arbitrary: afterMs.map((ms) => rejects("busy", { afterMs: ms })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(afterMs, fc.nat(200))
        .map(([ms, retryAfterMs]) => rejects("later", { afterMs: ms, retryAfterMs })),
    },
    { weight: 1, arbitrary: afterMs.map((ms) => rejects("refused", { afterMs: ms, retryable: false })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(afterMs, fc.boolean())
        .map(([ms, applied]) => throws(new Error("lost"), { afterMs: ms, applied })),
    },
    { weight: 1, arbitrary: fc.nat(4 * maxAfterMs).map((ms) => succeedsLate(ms)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.boolean(), fc.boolean())
        .map(([ignoresAbort, applied]) => hangs({ ignoresAbort, applied })),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<unknown>(undefined, null, true, "ok", 0, [], {}).map((answer) => returns(answer)),
    },
  );
  return step.map((made) => Object.defineProperty(made, fc.toStringMethod, { value: () => made.text }));
}

/** Faults for `faulty`. Those that take time need its clock. */
export function anyFault({ maxMs = 1500 }: { maxMs?: number } = {}): fc.Arbitrary<Fault> {
  const ms = fc.integer({ min: 1, max: maxMs });
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant<Fault>("passes") },
    {
      weight: 4,
      arbitrary: fc.constantFrom<Fault>("throws", "rejects", "hangs", "garbage", "loses_reply", "never_replies"),
    },
    { weight: 1, arbitrary: ms.map((requestMs): Fault => ({ requestMs })) },
    { weight: 1, arbitrary: ms.map((replyMs): Fault => ({ replyMs })) },
  );
}

/** What both the wire and a digest can hold. */
function anyJson(): fc.Arbitrary<unknown> {
  return fc.jsonValue({ maxDepth: 2 });
}

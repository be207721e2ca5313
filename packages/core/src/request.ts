import { digestDecision, type ExecutionContext, type FinalDecision, type Issue } from "@eoc/decision-schema/read";
import type { PreparedExecution } from "./driver/handover.js";
import { type Facts, startMachine, type Verdict } from "./machine/state.js";
import type { ExecuteOptions } from "./options.js";
import { planOf } from "./plan.js";
import type { ExecutionPolicy } from "./policy/execution-policy.js";
import { makesKeys } from "./policy/makes-keys.js";
import type { Clock } from "./ports/clock.js";
import type { ExecuteFn, ReconcileFn } from "./ports/executor.js";
import { randomId } from "./random-id.js";

/** What `execute` was given, checked and frozen: an execution in its least form. */
export class Request {
  readonly decision: FinalDecision;
  readonly context: Readonly<ExecutionContext>;
  /** The context forbids every action. */
  readonly halted: boolean;
  readonly policy: ExecutionPolicy;
  readonly execute: ExecuteFn;
  readonly reconcile: ReconcileFn | undefined;
  readonly clock: Clock;
  readonly options: ExecuteOptions;
  readonly startedAtMs: number;

  constructor(
    decision: FinalDecision,
    context: Readonly<ExecutionContext>,
    halted: boolean,
    policy: ExecutionPolicy,
    { execute, reconcile }: Pick<PreparedExecution, "execute" | "reconcile">,
    clock: Clock,
    options: ExecuteOptions,
    startedAtMs = wallTimeOf(clock),
  ) {
    this.decision = decision;
    this.context = context;
    this.halted = halted;
    this.policy = policy;
    this.execute = execute;
    this.reconcile = reconcile;
    this.clock = clock;
    this.options = options;
    this.startedAtMs = startedAtMs;
  }

  /** One action, which nobody observes and in which no port but the bulkhead and the signal has a say. */
  get isPlain(): boolean {
    const { decision, policy, options } = this;
    const { actions } = decision;
    if (actions != null && actions.length !== 1) return false;
    if ((actions?.[0] ?? decision).action === "HOLD" || decision.throttle_ms || decision.cooldown_ms != null)
      return false;
    if (policy.timeout.maxTotalTimeMs === 0 || makesKeys(policy)) return false;
    if (policy.rateLimit.global !== undefined || policy.rateLimit.perAction !== undefined) return false;
    if (options.journal !== undefined || options.onEvent !== undefined || options.approval !== undefined) return false;
    if (options.killSwitch !== undefined || options.retryBudget !== undefined) return false;
    return options.gates === undefined || options.gates.length === 0;
  }

  /** The first thing that happens is that an action queues for its shared slot, and it is the only one that does. */
  get queuesFirst(): boolean {
    const { decision, policy, options } = this;
    const { actions = null, throttle_ms: throttleMs } = decision;
    if (isObserved(options) || options.approval !== undefined || policy.timeout.maxTotalTimeMs === 0) return false;
    const first = actions === null ? decision : actions[0];
    if (first === undefined || first.action === "HOLD" || throttleMs) return false;
    if (policy.maxConcurrency > 1 && actions !== null && actions.length > 1) return false;
    return !makesKeys(policy) || actions?.[0]?.idempotency_key != null;
  }

  /** What ends the execution before it starts, where anything does. The kill switch beats the rest (S2.1). */
  verdict(): Verdict | undefined {
    const { decision, policy, halted, options } = this;
    if (halted) return { status: "denied", reason: "kill_switch" };
    if (!decision.allowed) return { status: "skipped", reason: "not_allowed" };
    if (decision.actions?.length === 0) return { status: "skipped", reason: "no_actions" };
    const { rateLimit, idempotency } = policy;
    const isLimited = rateLimit.global !== undefined || Object.keys(rateLimit.perAction ?? {}).length > 0;
    const limitless = options.rateLimiter === undefined && isLimited;
    const storeless = options.idempotencyStore === undefined && idempotency.enabled;
    if (limitless || storeless) {
      const issues: Issue[] = [];
      if (limitless) issues.push(missing("rateLimiter", "a RateLimiter, since the policy names rate limits"));
      if (storeless)
        issues.push(missing("idempotencyStore", "an IdempotencyStore, since the policy enables idempotency"));
      return { status: "denied", reason: "missing_port", issues };
    }
    return options.signal?.aborted ? { status: "denied", reason: "cancelled" } : undefined;
  }

  /** The machine of its plan, and what its driver needs. */
  prepare(
    verdict: Verdict | undefined,
    plan = planOf(this.decision, this.policy),
    executionId = this.options.executionId ?? randomId(),
  ): PreparedExecution {
    const { decision, context, policy, execute, reconcile, clock, options, startedAtMs } = this;
    const { approval } = options;
    const facts: Mutable<Facts> = {
      executionId,
      seed: options.seed ?? executionId,
      startedAtMs,
      observed: isObserved(options),
      hasKillSwitch: options.killSwitch !== undefined,
      hasBulkhead: options.bulkhead !== undefined,
      hasGates: options.gates !== undefined && options.gates.length > 0,
      hasRetryBudget: options.retryBudget !== undefined,
      canReconcile: reconcile !== undefined,
    };
    if (verdict !== undefined) facts.verdict = verdict;
    if (decision.throttle_ms != null) facts.throttleMs = decision.throttle_ms;
    if (decision.cooldown_ms != null) facts.cooldownMs = decision.cooldown_ms;
    if (approval !== undefined) {
      const { digest, expiresAtMs } = approval;
      facts.approval = {
        matches: digest === digestDecision(decision),
        ...(expiresAtMs !== undefined && { expiresAtMs }),
      };
    }
    Object.freeze(plan.actions);
    return { machine: startMachine(plan, policy, facts), clock, context, execute, reconcile, options };
  }
}

/** Whole milliseconds. @throws what the clock throws, RangeError when it gives no time: every record would be without one. */
export function wallTimeOf(clock: Clock): number {
  const atMs = Math.floor(clock.now());
  if (!Number.isFinite(atMs)) throw new RangeError("the clock gives no time");
  return atMs;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function isObserved({ journal, onEvent }: ExecuteOptions): boolean {
  return journal !== undefined || onEvent !== undefined;
}

const missing = (port: string, expected: string): Issue => ({ path: `options.${port}`, expected });

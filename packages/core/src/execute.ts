import {
  digestDecision,
  type ExecutionContext,
  type FinalDecision,
  type FinalDecisionInput,
  type Issue,
} from "@eoc/decision-schema/read";
import { Driver, type PreparedExecution } from "./driver/driver.js";
import { type Request, waitInRoom } from "./driver/waiting-room.js";
import { createSystemClock } from "./local/system-clock.js";
import { type Facts, startMachine, type Verdict } from "./machine/state.js";
import type { ExecuteOptions } from "./options.js";
import { emptyPlan, planOf } from "./plan.js";
import { definePolicy, type ExecutionPolicy, type ExecutionPolicyInput } from "./policy/execution-policy.js";
import type { Clock } from "./ports/clock.js";
import type { ExecuteFn, Executor, ReconcileFn } from "./ports/executor.js";
import { type Arguments, NO_OPTIONS, NOBODY, Refusal, readArguments, readOptions } from "./read-arguments.js";
import type { ExecutionReport } from "./report/execution-report.js";

const systemClock = /* @__PURE__ */ createSystemClock();

/**
 * Executes the actions of an approved decision. Never throws and never rejects (S1.1): whatever happens, the report says
 * what is known of it, within the policy's time (S4.1).
 */
export function execute(
  decision: FinalDecisionInput,
  context: ExecutionContext,
  policy: ExecutionPolicyInput | ExecutionPolicy,
  executor: Executor,
  options?: ExecuteOptions,
): Promise<ExecutionReport> {
  try {
    const request = requestOf(decision, context, policy, executor, options);
    if (!(request instanceof FrozenRequest)) return new Driver(request).run();
    return waitUnprepared(request) ?? new Driver(request.prepare()).run();
  } catch {
    // The clock threw at the very start.
    return new Driver(refuse(new Refusal("protocol_error", []), systemClock, NO_OPTIONS)).run();
  }
}

/**
 * What `execute` hands to its driver: the arguments checked and frozen, and the machine of the plan, which answers to
 * `{ type: "start", at: 0 }`. Never throws: what is refused becomes a machine that ends at once, with the reason.
 */
export function prepareExecution(
  decision: FinalDecisionInput,
  context: ExecutionContext,
  policy: ExecutionPolicyInput | ExecutionPolicy,
  executor: Executor,
  options?: ExecuteOptions,
): PreparedExecution {
  const request = requestOf(decision, context, policy, executor, options);
  return request instanceof FrozenRequest ? request.prepare() : request;
}

/** The arguments, checked and frozen; where they are refused, the execution that says so. Never throws. */
function requestOf(
  decision: unknown,
  context: unknown,
  policy: unknown,
  executor: unknown,
  options: unknown,
): FrozenRequest | PreparedExecution {
  try {
    const ports = readOptions(options);
    if (ports instanceof Refusal) return refuse(ports, systemClock, NO_OPTIONS);
    const clock = ports.clock ?? systemClock;
    const read = readArguments(decision, context, policy, executor, clock);
    return read instanceof Refusal ? refuse(read, clock, ports) : new FrozenRequest(read, clock, ports);
  } catch {
    // A port threw where none is asked, such as a clock at the very start.
    return refuse(new Refusal("protocol_error", []), systemClock, NO_OPTIONS);
  }
}

/**
 * Has an execution wait for a shared slot as no more than its arguments, where the first thing that it does is to queue for one:
 * one action at a time, nothing to be told, no key to be made, no pause to be kept.
 */
function waitUnprepared(request: FrozenRequest): Promise<ExecutionReport> | undefined {
  const { decision, policy, options } = request;
  if (options.bulkhead === undefined || isObserved(options) || options.approval !== undefined) return undefined;
  const { actions = null, throttle_ms: throttleMs } = decision;
  const first = actions === null ? decision : actions[0];
  if (first === undefined || first.action === "HOLD" || throttleMs) return undefined;
  if (policy.timeout.maxTotalTimeMs === 0) return undefined;
  if (policy.maxConcurrency > 1 && actions !== null && actions.length > 1) return undefined;
  const ownKey = (first as { idempotency_key?: string | null }).idempotency_key;
  if (policy.idempotency.enabled && ownKey == null) return undefined;
  if (admit(request, options) !== undefined) return undefined;
  return waitInRoom(request);
}

/** Everything that an execution is made of, in its least form. */
class FrozenRequest implements Arguments, Request {
  readonly decision: FinalDecision;
  readonly context: Readonly<ExecutionContext>;
  readonly policy: ExecutionPolicy;
  readonly execute: ExecuteFn;
  readonly reconcile: ReconcileFn | undefined;
  readonly halted: boolean;
  readonly clock: Clock;
  readonly options: ExecuteOptions;
  readonly startedAtMs: number;

  constructor(
    { decision, context, policy, execute, reconcile, halted }: Arguments,
    clock: Clock,
    options: ExecuteOptions,
  ) {
    this.decision = decision;
    this.context = context;
    this.policy = policy;
    this.execute = execute;
    this.reconcile = reconcile;
    this.halted = halted;
    this.clock = clock;
    this.options = options;
    this.startedAtMs = Math.floor(clock.now());
  }

  prepare(): PreparedExecution {
    try {
      return prepare(this, admit(this, this.options));
    } catch {
      return refuse(new Refusal("protocol_error", []), systemClock, NO_OPTIONS);
    }
  }

  prepareAdmitted(): PreparedExecution {
    return prepare(this, undefined);
  }
}

function prepare(request: FrozenRequest, verdict: Verdict | undefined): PreparedExecution {
  const { decision, context, policy, execute, reconcile, clock, options, startedAtMs } = request;
  const plan = planOf(decision, policy);
  const executionId = options.executionId ?? randomId();
  const { approval } = options;
  // Most executions have few of these, and what is not so takes no room.
  const facts: Mutable<Facts> = { executionId, seed: options.seed ?? executionId, startedAtMs };
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
  if (isObserved(options)) facts.observed = true;
  if (options.killSwitch !== undefined) facts.hasKillSwitch = true;
  if (options.bulkhead !== undefined) facts.hasBulkhead = true;
  if (options.gates !== undefined && options.gates.length > 0) facts.hasGates = true;
  if (options.retryBudget !== undefined) facts.hasRetryBudget = true;
  if (options.idempotencyStore?.start !== undefined) facts.startsKeys = true;
  if (reconcile !== undefined) facts.canReconcile = true;
  const machine = startMachine(plan, policy, facts);
  return { machine, clock, context, execute, reconcile, options };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function isObserved({ journal, onEvent }: ExecuteOptions): boolean {
  return journal !== undefined || onEvent !== undefined;
}

/** What ends the execution before it starts, where anything does. The kill switch beats the rest (S2.1). */
function admit({ decision, policy, halted }: Arguments, options: ExecuteOptions): Verdict | undefined {
  if (halted) return { status: "denied", reason: "kill_switch" };
  if (!decision.allowed) return { status: "skipped", reason: "not_allowed" };
  if (decision.actions?.length === 0) return { status: "skipped", reason: "no_actions" };
  const { rateLimit, idempotency } = policy;
  const limitless = options.rateLimiter === undefined && (rateLimit.global ?? rateLimit.perAction) !== undefined;
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

const missing = (port: string, expected: string): Issue => ({ path: `options.${port}`, expected });

/** An execution whose arguments were refused: no rows, one denial, and on record like any other (S1.2). */
function refuse({ reason, issues }: Refusal, clock: Clock, options: ExecuteOptions): PreparedExecution {
  const executionId = options.executionId ?? randomId();
  const machine = startMachine(emptyPlan(), definePolicy(), {
    executionId,
    seed: executionId,
    startedAtMs: Math.floor(clock.now()),
    verdict: { status: "denied", reason, ...(issues.length > 0 ? { issues } : undefined) },
    observed: isObserved(options),
  });
  const { journal, onEvent } = options;
  return {
    machine,
    clock,
    context: {},
    ...NOBODY,
    options: { ...(journal && { journal }), ...(onEvent && { onEvent }) },
  };
}

function randomId(): string {
  const { crypto } = globalThis;
  // Browsers keep randomUUID from pages without TLS.
  const id =
    typeof crypto.randomUUID === "function"
      ? crypto.randomUUID()
      : [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  // Put together from sixteen pieces, which stay in memory as such until a character is read, and the reading matters.
  return id.charCodeAt(0) > 0 ? id : "";
}

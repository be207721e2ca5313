import {
  createSystemClock,
  type ExecutionContext,
  type ExecutionPolicy,
  type ExecutionPolicyInput,
  type ExecutionReport,
  type Executor,
  type FinalDecision,
  type FinalDecisionInput,
  type PreparedExecution,
  planExecution,
  prepareExecution,
} from "@eoc/core";
import { type Facts, type Machine, startMachine } from "@eoc/core/machine";
import type { Context } from "@restatedev/restate-sdk";
import { DurableDriver } from "./driver/durable-driver.js";
import { CANCELLED, type Engine } from "./engine.js";
import { checkHeeded, type DurableExecuteOptions, type DurableSettings, HALT_WATCH_MS } from "./options.js";
import { restateEngine } from "./restate-engine.js";

const systemClock = /* @__PURE__ */ createSystemClock();

/** What is executed. */
export interface DurableRequest {
  readonly decision: FinalDecisionInput;
  readonly context: ExecutionContext;
}

/** How: what is not on the engine's record, but for the policy, of which a copy is. */
export interface DurableSetup extends DurableSettings {
  readonly policy: ExecutionPolicyInput | ExecutionPolicy;
  readonly executor: Executor;
}

/**
 * `execute` inside a Restate handler of your own: the same report, over any number of crashes. Await it before anything
 * else of the context is awaited. Never throws for what an execution meets; an operator's cancel is in the report.
 */
export function executeDurably(
  ctx: Context,
  request: DurableRequest,
  setup: DurableSetup,
  options: DurableExecuteOptions = {},
): Promise<ExecutionReport> {
  return runOn(restateEngine(ctx), request, setup, options);
}

/** What is on record from the first step on: an execution ends under the policy that it began under. */
interface Start {
  readonly facts: Facts;
  readonly policy: ExecutionPolicyInput;
  /** The arguments were refused: there is no plan. */
  readonly refused: boolean;
}

/** The same over any engine. `verdict` ends the execution before it starts. */
export async function runOn(
  engine: Engine,
  { decision, context }: DurableRequest,
  setup: DurableSetup,
  options: DurableExecuteOptions = {},
  verdict?: Facts["verdict"],
): Promise<ExecutionReport> {
  const clock = setup.ports?.clock ?? systemClock;
  const prepare = (policy: ExecutionPolicyInput | ExecutionPolicy, nowMs: number) =>
    prepareExecution(decision, context, policy, setup.executor, {
      ...portsOf(setup),
      ...options,
      executionId: options.executionId ?? engine.id,
      clock: {
        now: () => nowMs,
        monotonic: () => 0,
        setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs),
      },
    });
  const issues = checkHeeded(setup.ports, options);
  const ending = issues.length > 0 ? ({ status: "denied", reason: "invalid_options", issues } as const) : verdict;
  const first = engine.step<Start>("start", async () => {
    const { machine } = prepare(setup.policy, clock.now());
    const facts = { ...machine.facts, ...(ending && { verdict: ending }) };
    const unplanned = machine.plan.actions.length === 0 && facts.verdict?.reason !== "no_actions";
    const refused = issues.length > 0 || unplanned;
    return { facts, policy: onRecord(machine.policy), refused };
  });
  let cancelled = false;
  let started = await engine.first([first]);
  for (; started === CANCELLED; started = await engine.first([first])) cancelled = true;
  const { facts: found, policy, refused } = started.value as Start;
  // As with a signal that is aborted already, nothing is begun; what else ends the execution goes before (S4.8).
  const facts = cancelled ? { verdict: CANCELLED_BEFORE, ...found } : found;
  const prepared = prepare(withOwnKeys(policy, setup.policy), facts.startedAtMs);
  const plan = refused ? planExecution(nothing(), prepared.machine.policy) : prepared.machine.plan;
  const machine = startMachine(plan, prepared.machine.policy, facts);
  const driver = new DurableDriver(engine, {
    machine,
    context: prepared.context,
    execute: prepared.execute,
    reconcile: prepared.reconcile,
    ports: setup.ports ?? {},
    clock,
    storeValues: setup.storeValues ?? false,
    haltWatchMs: setup.haltWatchMs ?? HALT_WATCH_MS,
    lastsUntilMs: lastsUntil(machine),
    now: () => Math.floor(clock.now()) - facts.startedAtMs,
  });
  return driver.run();
}

const CANCELLED_BEFORE: NonNullable<Facts["verdict"]> = { status: "denied", reason: "cancelled" };

/** A minute more than an execution can last, for clocks that differ. */
function lastsUntil({ facts, policy }: Machine): number {
  const { maxTotalTimeMs, abortGraceMs, portTimeoutMs } = policy.timeout;
  return facts.startedAtMs + maxTotalTimeMs + abortGraceMs + portTimeoutMs + 60_000;
}

/** The decision of which an empty plan is made. */
function nothing(): FinalDecision {
  return { action: "HOLD", allowed: true, reasons: [], actions: [] };
}

/** The ports as `execute` knows them. Intents and the kill switch are steps of every durable execution. */
function portsOf({ ports = {} }: DurableSettings): PreparedExecution["options"] {
  const { clock: _, ...rest } = ports;
  return {
    ...rest,
    onEvent: ports.onEvent ?? (() => {}),
    killSwitch: ports.killSwitch ?? { read: () => ({ halted: false }) },
  };
}

/** A function is no JSON: what it gives is on record where it is used. */
function onRecord(policy: ExecutionPolicy): ExecutionPolicyInput {
  const { keyGenerator } = policy.idempotency;
  const own = typeof keyGenerator === "function" ? { keyGenerator: "action+context_hash" as const } : undefined;
  return { ...policy, idempotency: { ...policy.idempotency, ...own } } as ExecutionPolicyInput;
}

function withOwnKeys(
  policy: ExecutionPolicyInput,
  given: ExecutionPolicyInput | ExecutionPolicy,
): ExecutionPolicyInput {
  const keyGenerator = given?.idempotency?.keyGenerator;
  if (typeof keyGenerator !== "function") return policy;
  return { ...policy, idempotency: { ...policy.idempotency, keyGenerator } };
}

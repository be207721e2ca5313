import type { ExecutionContext, FinalDecisionInput } from "@eoc/decision-schema/read";
import { Driver } from "./driver/driver.js";
import type { PreparedExecution } from "./driver/handover.js";
import { Opening } from "./driver/opening.js";
import { waitingRoomOf } from "./driver/waiting-room.js";
import { createSystemClock } from "./local/system-clock.js";
import { startMachine } from "./machine/state.js";
import type { ExecuteOptions } from "./options.js";
import { emptyPlan } from "./plan.js";
import { definePolicy, type ExecutionPolicy, type ExecutionPolicyInput } from "./policy/execution-policy.js";
import type { Bulkhead } from "./ports/bulkhead.js";
import type { Clock } from "./ports/clock.js";
import type { Executor } from "./ports/executor.js";
import { randomId } from "./random-id.js";
import { NO_OPTIONS, NOBODY, policyOrDefault, Refusal, readArguments, readOptions } from "./read-arguments.js";
import type { ExecutionReport } from "./report/execution-report.js";
import { isObserved, Request, wallTimeOf } from "./request.js";

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
    if (!(request instanceof Request)) return new Driver(request).run();
    return runUnprepared(request) ?? new Driver(prepare(request)).run();
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
  return request instanceof Request ? prepare(request) : request;
}

/** The arguments, checked and frozen; where they are refused, the execution that says so. Never throws. */
function requestOf(
  decision: unknown,
  context: unknown,
  policy: unknown,
  executor: unknown,
  options: unknown,
): Request | PreparedExecution {
  try {
    const ports = readOptions(options);
    if (ports instanceof Refusal) return refuse(ports, systemClock, NO_OPTIONS);
    const clock = ports.clock ?? systemClock;
    const read = readArguments(decision, context, policy, executor, clock, ports);
    return read instanceof Refusal ? refuse(read, clock, ports, policyOrDefault(policy)) : read;
  } catch {
    // A port threw where none is asked, such as a clock at the very start.
    return refuse(new Refusal("protocol_error", []), systemClock, NO_OPTIONS);
  }
}

/**
 * Begins an execution without a machine: where the first thing that it does is to dispatch its only action, or to queue for a
 * shared slot. Undefined where it needs one from the start.
 */
function runUnprepared(request: Request): Promise<ExecutionReport> | undefined {
  const { bulkhead } = request.options;
  if (bulkhead === undefined) return request.isPlain ? open(request) : undefined;
  const room = waitingRoomOf(bulkhead);
  if (room === undefined) return undefined;
  if (!room.isFull()) return request.isPlain ? open(request, bulkhead) : undefined;
  return request.queuesFirst && request.verdict() === undefined ? room.admit(request) : undefined;
}

function open(request: Request, bulkhead?: Bulkhead): Promise<ExecutionReport> | undefined {
  if (request.verdict() !== undefined) return undefined;
  return new Opening(request, request.clock.monotonic()).run(bulkhead);
}

/** Never throws. */
function prepare(request: Request): PreparedExecution {
  try {
    return request.prepare(request.verdict());
  } catch {
    return refuse(new Refusal("protocol_error", []), systemClock, NO_OPTIONS);
  }
}

/** An execution whose arguments were refused: no rows, one denial, and on record like any other (S1.2). */
function refuse(
  { reason, issues }: Refusal,
  clock: Clock,
  options: ExecuteOptions,
  policy = definePolicy(),
): PreparedExecution {
  const executionId = options.executionId ?? randomId();
  const machine = startMachine(emptyPlan(), policy, {
    executionId,
    seed: executionId,
    startedAtMs: wallTimeOf(clock),
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

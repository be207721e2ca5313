import {
  type AttemptContext,
  checkOptionNames,
  type ExecuteFn,
  type ExecutorResult,
  type PlannedAction,
  type ReconcileFn,
} from "@eoc/core";
import { checkClock, checkOption } from "./check-option.js";
import { checkSteps, type ScriptedStep } from "./scripted-step.js";
import type { VirtualClock } from "./virtual-clock.js";
import type { World } from "./world.js";

/** One dispatch that a scripted executor was given. */
export interface ScriptedCall {
  readonly action: PlannedAction;
  readonly actionIndex: number;
  readonly attempt: number;
  readonly idempotencyKey?: string;
  /** On the wall clock; 0 without a clock. */
  readonly startedAtMs: number;
  /** Absent while it has not ended. */
  readonly endedAtMs?: number;
  /** Code of the reason with which its signal was aborted while it waited. */
  readonly abortedWith?: string;
  /** What the caller got: an answer, what was thrown, or the abort's reason. Absent while it has not ended. */
  readonly outcome?: "answered" | "threw" | "aborted";
}

/** Options of {@link createScriptedExecutor}. */
export interface ScriptedExecutorOptions {
  /** Needed by steps that take time. */
  clock?: VirtualClock;
  /** Where the effects go. */
  world?: World;
  /** Answers when an outcome is unknown; `"world"` looks into the world. */
  reconcile?: ReconcileFn | "world";
}

/** An executor that does what its script says and remembers every dispatch. */
export interface ScriptedExecutor {
  readonly name: string;
  readonly execute: ExecuteFn;
  readonly reconcile?: ReconcileFn;
  readonly calls: readonly ScriptedCall[];
}

/** The step for a dispatch. */
export type StepFor = (action: PlannedAction, attempt: AttemptContext) => ScriptedStep;

/**
 * Makes an executor that takes one step after the other, one per dispatch; the last step repeats. A function chooses
 * the step by action and attempt instead.
 * @throws EocError `invalid_option`
 */
export function createScriptedExecutor(
  steps: readonly ScriptedStep[] | StepFor,
  options: ScriptedExecutorOptions = {},
): ScriptedExecutor {
  checkOptionNames(options, { clock: true, world: true, reconcile: true });
  const { world, reconcile } = options;
  const canAsk = reconcile === undefined || reconcile === "world" || typeof reconcile === "function";
  checkOption(canAsk, "reconcile", '"world" or a function', reconcile);
  const calls: ScriptedCall[] = [];
  const stepFor = typeof steps === "function" ? steps : inTurn(steps, options);
  const ask = reconcile === "world" ? lookInto(world) : reconcile;
  return {
    name: "scripted",
    calls,
    execute: (action, attempt) => {
      const call = openCall(action, attempt, options.clock);
      calls.push(call);
      return perform(stepFor(action, attempt), call, attempt, calls.length, options);
    },
    ...(ask === undefined ? undefined : { reconcile: ask }),
  };
}

type OpenCall = { -readonly [Key in keyof ScriptedCall]: ScriptedCall[Key] };

function openCall(action: PlannedAction, attempt: AttemptContext, clock: VirtualClock | undefined): OpenCall {
  return {
    action,
    actionIndex: attempt.actionIndex,
    attempt: attempt.attempt,
    ...(attempt.idempotencyKey === undefined ? undefined : { idempotencyKey: attempt.idempotencyKey }),
    startedAtMs: clock?.now() ?? 0,
  };
}

async function perform(
  step: ScriptedStep,
  call: OpenCall,
  attempt: AttemptContext,
  callNumber: number,
  { clock, world }: ScriptedExecutorOptions,
): Promise<ExecutorResult> {
  const apply = () => world?.apply(call.action.id, { key: call.idempotencyKey, atMs: clock?.now() });
  try {
    if (step.applies === "at_dispatch") apply();
    if (step.afterMs > 0) {
      await waitForAnswer(
        step,
        call,
        attempt.signal,
        clock,
        `executor call ${callNumber} (${call.action.id}, attempt ${call.attempt})`,
      );
    }
    if (step.applies === "with_answer") apply();
    const answer = step.answer();
    call.outcome = "answered";
    // A script may answer with anything: that is what the core must withstand.
    return answer as ExecutorResult;
  } catch (error) {
    call.outcome = call.abortedWith !== undefined && error === attempt.signal.reason ? "aborted" : "threw";
    throw error;
  } finally {
    call.endedAtMs = clock?.now() ?? 0;
  }
}

async function waitForAnswer(
  step: ScriptedStep,
  call: OpenCall,
  signal: AbortSignal,
  clock: VirtualClock | undefined,
  name: string,
): Promise<void> {
  const isEndless = step.afterMs === Number.POSITIVE_INFINITY;
  if (!isEndless) checkClock(clock, STEPS_TAKE_TIME);
  const noteAbort = () => {
    call.abortedWith = codeOf(signal.reason);
  };
  if (signal.aborted) noteAbort();
  else signal.addEventListener("abort", noteAbort, { once: true });
  try {
    if (isEndless) await endless(step.ignoresAbort ? undefined : signal, clock, name);
    else await clock!.sleep(step.afterMs, step.ignoresAbort ? { name } : { name, signal });
  } finally {
    signal.removeEventListener("abort", noteAbort);
  }
}

function endless(signal: AbortSignal | undefined, clock: VirtualClock | undefined, name: string): Promise<void> {
  const promise = new Promise<void>((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return clock === undefined ? promise : clock.waitFor(name, promise);
}

function codeOf(reason: unknown): string {
  const code = (reason as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "aborted";
}

const STEPS_TAKE_TIME = "steps with afterMs take time";

function inTurn(steps: readonly ScriptedStep[], { clock }: ScriptedExecutorOptions): StepFor {
  checkSteps("steps", steps);
  const takesTime = ({ afterMs }: ScriptedStep) => afterMs > 0 && afterMs < Number.POSITIVE_INFINITY;
  if (steps.some(takesTime)) checkClock(clock, STEPS_TAKE_TIME);
  let next = 0;
  return () => steps[Math.min(next++, steps.length - 1)]!;
}

function lookInto(world: World | undefined): ReconcileFn {
  checkOption(world !== undefined, "world", 'a world for reconcile: "world"', world);
  return (action, { idempotencyKey }) => ({ state: world!.has(action.id, idempotencyKey) ? "applied" : "not_applied" });
}

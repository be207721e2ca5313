import {
  definePolicy,
  type ExecuteOptions,
  type ExecutionContext,
  type ExecutionEvent,
  type ExecutionPlan,
  type ExecutionPolicy,
  type ExecutionPolicyInput,
  type ExecutionReport,
  type Executor,
  execute,
  type FinalDecisionInput,
  planExecution,
} from "@eoc/core";
import { readDecision } from "@eoc/decision-schema/read";
import { createFakeKillSwitch, type FakeKillSwitch } from "../fake-kill-switch.js";
import type { Fault } from "../fault.js";
import { checkFaults, type Faults, type Faulty, type FaultyMethod, faulty } from "../faulty.js";
import type { Recorded } from "../invariants/check-invariants.js";
import { createScriptedExecutor, type ScriptedExecutor, type ScriptedExecutorOptions } from "../scripted-executor.js";
import { checkSteps, type ScriptedStep } from "../scripted-step.js";
import { createClock, type VirtualClock } from "../virtual-clock.js";
import { createWorld, type World } from "../world.js";
import type { Choices } from "./choices.js";
import { Observer } from "./observer.js";

/** The faults that the calls of each method can meet. The first is what happens when nothing is chosen. */
export type FaultMenus<P> = { readonly [Name in FaultyMethod<P>]?: readonly Fault[] };

/** What one execution is started with. Whatever is not given is as `explore` was told. */
export interface LabExecution {
  decision?: FinalDecisionInput;
  context?: ExecutionContext;
  policy?: ExecutionPolicyInput;
  executor?: Executor;
  options?: ExecuteOptions;
}

/**
 * One run's own clock, world and switch, and the one source of everything that may turn out one way or another. Whatever
 * an executor or a port of the run does must follow from its choices.
 */
export interface Lab {
  /** One of `options`. The first is what happens when nothing is chosen: list what is harmless first. */
  choose<T>(name: string, options: readonly T[]): T;
  readonly clock: VirtualClock;
  /** Enter every effect here, and it is compared with what the report says. */
  readonly world: World;
  /** Given to every execution that is not given another. */
  readonly killSwitch: FakeKillSwitch;
  /** An executor every dispatch of which is one of the steps. */
  executor(menu: readonly ScriptedStep[], options?: Pick<ScriptedExecutorOptions, "reconcile">): ScriptedExecutor;
  /** The port, every call of which meets one of the faults. `name` tells it from others. */
  faulty<P extends object>(name: string, port: P, menus: NoInfer<FaultMenus<P>>): Faulty<P>;
  /** Runs one execution and records it. */
  execute(execution?: LabExecution): Promise<ExecutionReport>;
}

/** One execution of a run. */
export interface ExploredExecution extends Recorded {
  policy: ExecutionPolicy;
  events: readonly ExecutionEvent[];
  /** As `execute` was given them. */
  options: ExecuteOptions;
}

/** The events of an execution, whether it came to an end or not. */
export interface Transcript {
  readonly executionId: string;
  readonly events: readonly ExecutionEvent[];
}

/** How the executions of a run are started. */
export interface LabSetup {
  readonly decision: FinalDecisionInput;
  readonly context: ExecutionContext;
  readonly policy: ExecutionPolicyInput;
  readonly executor: (lab: Lab) => Executor;
  readonly options: (lab: Lab) => ExecuteOptions;
  readonly haltAt: Moments;
  readonly cancelAt: Moments;
  readonly ties: boolean;
}

/** Virtual milliseconds since the start of the run at one of which something may happen; or any event. */
export type Moments = readonly number[] | "any event";

/** How often a seeded search lets all be well at a point that a run passes again and again. */
const USUALLY = 0.9;

/** A lab, and what happened in it. */
export class Bench implements Lab {
  readonly clock: VirtualClock;
  readonly killSwitch: FakeKillSwitch;
  /** Whether effects are entered in the ledger at all. */
  keepsLedger = false;
  /** Those that came to an end, in that order. */
  readonly executions: ExploredExecution[] = [];
  /** All that were started, in that order. */
  readonly transcripts: Transcript[] = [];
  readonly observer: Observer;
  readonly #choices: Choices;
  readonly #setup: LabSetup;
  readonly #controller = new AbortController();
  readonly #world = createWorld();
  #isHalted = false;
  #shared: { executor: Executor; options: ExecuteOptions } | undefined;

  constructor(setup: LabSetup, choices: Choices) {
    this.#setup = setup;
    this.#choices = choices;
    const pick = (timers: readonly unknown[]) => this.choose("which timer", [...timers.keys()]);
    this.clock = createClock({ maxTimers: 100_000 }, setup.ties ? pick : undefined);
    this.killSwitch = createFakeKillSwitch([], { clock: this.clock });
    this.killSwitch.subscribe(({ halted }) => {
      this.#isHalted = halted;
    });
    this.observer = new Observer(() => this.#isHalted, this.clock.monotonic);
    this.#happen("halt at", setup.haltAt, () => this.killSwitch.halt("explore"));
    this.#happen("cancel at", setup.cancelAt, () => this.#controller.abort());
  }

  get world(): World {
    this.keepsLedger = true;
    return this.#world;
  }

  // Functions of their own, so that a lab can be taken apart.
  readonly choose = <T>(name: string, options: readonly T[]): T => this.#choices.choose(name, options);

  readonly executor: Lab["executor"] = (menu, options = {}) => {
    checkSteps("menu", menu);
    const { clock, world } = this;
    const step = (action: { id: string }, { attempt }: { attempt: number }) =>
      this.choose(`${action.id}, attempt ${attempt}`, menu);
    return createScriptedExecutor(step, { clock, world, ...options });
  };

  readonly faulty = <P extends object>(name: string, port: P, menus: NoInfer<FaultMenus<P>>): Faulty<P> => {
    const faults = Object.entries<readonly Fault[]>(menus as Record<string, readonly Fault[]>).map(([method, menu]) => {
      checkFaults(`menus.${method}`, menu);
      return [
        method,
        ({ number }: { number: number }) => this.#choices.choose(`${name}.${method}, call ${number}`, menu, USUALLY),
      ];
    });
    return faulty(port, Object.fromEntries(faults) as Faults<P>, { clock: this.clock });
  };

  readonly execute = async (execution: LabExecution = {}): Promise<ExecutionReport> => {
    const { context, policy: usual, decision: usually } = this.#setup;
    this.#shared ??= { executor: this.#setup.executor(this), options: this.#setup.options(this) };
    const { decision = usually, policy = usual, executor = this.#shared.executor } = execution;
    const events: ExecutionEvent[] = [];
    const options: ExecuteOptions = {
      clock: this.clock,
      executionId: `execution-${this.transcripts.length + 1}`,
      seed: "explore",
      killSwitch: this.killSwitch,
      signal: this.#controller.signal,
      ...this.#shared.options,
      ...execution.options,
    };
    this.transcripts.push({ executionId: options.executionId!, events });
    const defined = definePolicy(policy);
    const watched = this.observer.watch(executor, defined, options.killSwitch === this.killSwitch);
    const onEvent = (event: ExecutionEvent) => {
      events.push(event);
      options.onEvent?.(event);
      this.#onEvent(event);
    };
    const report = await execute(decision, execution.context ?? context, policy, watched, { ...options, onEvent });
    this.executions.push({ plan: planOf(decision, defined), policy: defined, events, report, options });
    return report;
  };

  #happen(name: string, moments: Moments, act: () => void): void {
    if (moments === "any event" || moments.length === 0) return;
    const moment = this.choose<number | "never">(name, ["never", ...moments]);
    if (moment !== "never") this.clock.setTimer(act, moment);
  }

  #isChosen(name: string): boolean {
    return this.#choices.choose(name, ["no", "yes"], USUALLY) === "yes";
  }

  #onEvent({ type, seq, executionId }: ExecutionEvent): void {
    if (type === "execution.finished") return;
    const at = `event ${seq} of ${executionId} (${type})`;
    const { haltAt, cancelAt } = this.#setup;
    if (haltAt === "any event" && !this.#isHalted && this.#isChosen(`halt at ${at}`)) {
      this.killSwitch.halt("explore");
    }
    const { signal } = this.#controller;
    if (cancelAt === "any event" && !signal.aborted && this.#isChosen(`cancel at ${at}`)) {
      this.#controller.abort();
    }
  }
}

function planOf(decision: FinalDecisionInput, policy: ExecutionPolicy): ExecutionPlan {
  const read = readDecision(decision);
  return read.success ? planExecution(read.data, policy) : { actions: [], planHash: "" };
}

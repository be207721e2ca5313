import type { ExecutionContext } from "@eoc/decision-schema";
import type { Command } from "../machine/commands.js";
import type { Input } from "../machine/inputs.js";
import { step } from "../machine/machine.js";
import { errorTypeOf, judgeResult, judgeThrown, type Settlement } from "../machine/outcome.js";
import type { Machine } from "../machine/state.js";
import type { ExecuteOptions } from "../options.js";
import type { Clock } from "../ports/clock.js";
import type { ExecuteFn, ReconcileFn } from "../ports/executor.js";
import type { HaltCause } from "../report/events.js";
import type { ExecutionReport } from "../report/execution-report.js";
import { reportOf } from "../report/summary.js";
import { Attempt } from "./attempt.js";
import { EventSink } from "./event-sink.js";
import { KeyKeeper } from "./key-keeper.js";
import { askGates, PermitDesk, readSwitch, SharedSlots } from "./port-desks.js";
import { callPort, isThenable, type PortAnswer } from "./ports-guard.js";
import { Relay } from "./relay.js";
import { joinSignal } from "./signal-hub.js";
import { TimerBoard } from "./timer-board.js";

type Unstamped<T> = T extends unknown ? Omit<T, "at" | "wallMs"> : never;
/** An input that has yet to be stamped. */
export type News = Unstamped<Input>;

export interface DriverSetup {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly context: Readonly<ExecutionContext>;
  readonly execute: ExecuteFn;
  readonly reconcile: ReconcileFn | undefined;
  readonly options: ExecuteOptions;
}

/**
 * Carries the machine's commands out in this process and feeds back what comes of them. It decides nothing: even a halt
 * is only an input, fed before whatever else has happened in the meantime.
 */
export class Driver {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly options: ExecuteOptions;
  readonly context: Readonly<ExecutionContext>;
  readonly #setup: DriverSetup;
  readonly #startedAt: number;
  readonly #relay = new Relay(() => this.#pump());
  readonly #timers: TimerBoard;
  readonly #events: EventSink;
  readonly #slots: SharedSlots;
  readonly #permits: PermitDesk;
  readonly #keys: KeyKeeper;
  readonly #attempts = new Map<number, Attempt>();
  readonly #values = new Map<number, { value: unknown }>();
  readonly #leave: (() => void)[] = [];
  /** Tasks to be taken from the end, those that have come since the last was taken, and halts. */
  readonly #inbox: (() => void)[] = [];
  readonly #arrived: (() => void)[] = [];
  readonly #halts: (() => void)[] = [];
  #pumping = false;
  #switchBroken = false;
  #done: ((report: ExecutionReport) => void) | undefined;

  constructor(setup: DriverSetup) {
    this.#setup = setup;
    this.machine = setup.machine;
    this.clock = setup.clock;
    this.options = setup.options;
    this.context = setup.context;
    this.#startedAt = setup.clock.monotonic();
    this.#timers = new TimerBoard(this);
    this.#events = new EventSink(setup.options.journal, setup.options.onEvent, (errorType) =>
      this.post({ type: "listener_failed", errorType }),
    );
    this.#slots = new SharedSlots(this);
    this.#permits = new PermitDesk(this);
    this.#keys = new KeyKeeper(this, this.#values);
  }

  /** Runs the execution. Never rejects. */
  run(): Promise<ExecutionReport> {
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#subscribe();
      this.post({ type: "start" });
    });
  }

  /** Whole milliseconds since the start. */
  elapsed(): number {
    return Math.floor(this.clock.monotonic() - this.#startedAt);
  }

  /** Feeds news that comes in the caller's asynchronous context. */
  post(news: News): void {
    this.defer(() => this.#feed(news));
    this.#pump();
  }

  /** Feeds a halt, from whichever context it comes. */
  #halt(cause: HaltCause): void {
    this.#halts.push(() => this.#feed({ type: "halt", cause }));
    this.#relay.wake();
  }

  /** Runs a task that comes in somebody else's context: {@link awaitOutside} has been called before. */
  deferOutside(task: () => void): void {
    this.defer(task);
    this.#relay.wake();
  }

  /** News may come from outside from now on. */
  awaitOutside(): void {
    this.#relay.ready();
  }

  defer(task: () => void): void {
    this.#arrived.push(task);
  }

  /** Asks a port, limited by `limitAt`; the answer comes in the caller's context. */
  ask<T>(
    call: () => T | Promise<T>,
    limitAt: number,
    answer: (answer: PortAnswer<T>) => News | undefined,
    tooLate?: (value: T) => void,
  ): void {
    this.awaitOutside();
    callPort<T>({
      call,
      clock: this.clock,
      limitMs: Math.max(0, limitAt - this.elapsed()),
      answer: (result, timedOut) => {
        this.defer(() => {
          const news = answer(result);
          if (news !== undefined) this.#feed(news);
        });
        if (timedOut) this.#relay.wake();
        else this.#pump();
      },
      ...(tooLate === undefined ? undefined : { tooLate }),
    });
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (let task = this.#nextTask(); task !== undefined; task = this.#nextTask()) task();
    } catch {
      this.#breakOff();
    }
    this.#pumping = false;
  }

  /**
   * A halt goes before everything. What a task has led to goes before what waited already, so that nothing comes between
   * the answer of the kill switch and the dispatch that it allows (S5.5).
   */
  #nextTask(): (() => void) | undefined {
    while (this.#arrived.length > 0) this.#inbox.push(this.#arrived.pop()!);
    return this.#halts.pop() ?? this.#inbox.pop();
  }

  #feed(news: News): void {
    const input = news as Input;
    input.at = this.elapsed();
    if (this.machine.facts.approval?.expiresAtMs !== undefined) input.wallMs = this.clock.now();
    const commands = step(this.machine, input);
    for (const command of commands) this.#carryOut(command);
  }

  /** Something of ours threw, such as the clock: an input that fits nowhere ends the execution, fail-closed. */
  #breakOff(): void {
    const { machine } = this;
    if (machine.status !== "finished") {
      for (const command of step(machine, { type: "start", at: machine.at })) {
        try {
          this.#carryOut(command);
        } catch {
          // The report is what matters now.
        }
      }
    }
    this.#finish();
  }

  #carryOut(command: Command): void {
    switch (command.type) {
      case "dispatch":
        return this.#dispatch(command);
      case "emit":
        return this.#events.push(command.event);
      case "set_timer":
        return this.#timers.set(command.action, command.at);
      case "clear_timer":
        this.#permits.stopWaiting(command.action);
        return this.#timers.clear(command.action);
      case "abort":
        return Attempt.abort(this.#attempts.get(command.action)!, command.cause);
      case "yield":
        return this.defer(() => this.#feed({ type: "resume" }));
      case "intend":
        return this.#intend(command);
      case "read_switch":
        return readSwitch(this, command, this.#switchBroken);
      case "ask_gates":
        return askGates(this, command);
      case "acquire_permit":
        return this.#permits.acquire(command);
      case "cancel_permit":
        return this.#permits.cancel(command.action);
      case "enter_bulkhead":
        return this.#slots.enter(command.action);
      case "abandon_bulkhead":
        return this.#slots.abandon(command.action);
      case "leave_bulkhead":
        return this.#slots.leave(command.action);
      case "derive_key":
        return this.#keys.derive(command.action);
      case "claim_key":
        return this.#keys.claim(command);
      case "start_key":
        return this.#keys.start(command);
      case "record_key":
        return this.#keys.record(command);
      case "reconcile":
        return this.#reconcile(command);
      case "take_retry":
        return this.#takeRetry(command.action);
      case "refill_retries":
        return this.#refillRetries();
      default:
        return this.#finishBy(command.limitAt);
    }
  }

  #dispatch({ action, attempt, limitAt }: Command & { type: "dispatch" }): void {
    const handed = this.#attempt(action, attempt, limitAt);
    this.#attempts.set(action, handed);
    this.#permits.dispatched(action);
    const settle = (settlement: Settlement) => {
      if (Attempt.settle(handed)) this.post({ type: "settled", action, attempt, settlement });
    };
    const resolved = (result: unknown) => {
      const settlement = judgeResult(result);
      if (settlement.kind === "applied") this.#keepValue(action, result);
      settle(settlement);
    };
    const rejected = (error: unknown) => settle(judgeThrown(error));
    try {
      const result: unknown = this.#setup.execute(this.machine.plan.actions[action]!, handed);
      if (!isThenable(result)) return resolved(result);
      // Only a native promise is sure to continue in this context, and once.
      const promise = result instanceof Promise ? result : Promise.resolve(result);
      promise.then(resolved, rejected);
    } catch (error) {
      return rejected(error);
    }
    this.#timers.set(action, limitAt);
  }

  #attempt(action: number, attempt: number, limitAt: number): Attempt {
    const idempotencyKey = this.machine.actions[action]!.key;
    return new Attempt({
      attempt,
      deadlineMs: this.#startedAt + limitAt,
      context: this.context,
      executionId: this.machine.facts.executionId,
      actionIndex: action,
      ...(idempotencyKey === undefined ? undefined : { idempotencyKey }),
    });
  }

  #keepValue(action: number, result: unknown): void {
    try {
      const { value } = result as { value?: unknown };
      if (value !== undefined) this.#values.set(action, { value });
    } catch {
      // A getter that answers once: the effect was applied all the same.
    }
  }

  #intend({ action, event, limitAt }: Command & { type: "intend" }): void {
    this.ask(
      () => {
        // Durable at once, or whenever the journal says so.
        let durable: boolean | undefined;
        let answer: ((ok: boolean) => void) | undefined;
        this.#events.push(event, (ok) => {
          durable = ok;
          answer?.(ok);
        });
        return durable ?? new Promise<boolean>((resolve) => (answer = resolve));
      },
      limitAt,
      (result) => ({ type: "intent", action, ok: result.ok && result.value }),
    );
  }

  #reconcile({ action, attempt, limitAt }: Command & { type: "reconcile" }): void {
    const handed = this.#attempt(action, attempt, limitAt);
    this.ask(
      () => this.#setup.reconcile!(this.machine.plan.actions[action]!, handed) as unknown,
      limitAt,
      (result) => {
        Attempt.abort(handed, "deadline");
        const state = result.ok ? stateOf(result.value) : undefined;
        if (state === "applied" && result.ok) this.#keepValue(action, result.value);
        return {
          type: "reconciled",
          action,
          verdict: state === "applied" || state === "not_applied" ? state : "unknown",
          ...(result.ok || result.error === undefined ? undefined : { errorType: errorTypeOf(result.error) }),
        };
      },
    );
  }

  #takeRetry(action: number): void {
    let verdict: "granted" | "exhausted" | "unavailable" = "unavailable";
    try {
      const taken: unknown = this.options.retryBudget!.tryTake();
      if (typeof taken === "boolean") verdict = taken ? "granted" : "exhausted";
    } catch {
      // Unavailable.
    }
    this.post({ type: "retry_budget", action, verdict });
  }

  #refillRetries(): void {
    try {
      this.options.retryBudget!.succeeded();
    } catch {
      // A budget that is not refilled only makes for fewer retries.
    }
  }

  #subscribe(): void {
    const { signal, killSwitch } = this.options;
    if (signal !== undefined) {
      this.awaitOutside();
      this.#leave.push(joinSignal(signal, () => this.#halt("cancelled")));
    }
    if (killSwitch?.subscribe === undefined) return;
    this.awaitOutside();
    try {
      const unsubscribe: unknown = killSwitch.subscribe((state: unknown) => {
        // Whatever is not plainly "go on" stops (S2.3).
        if ((state as { halted?: unknown } | null)?.halted !== false) this.#halt("kill_switch");
      });
      if (typeof unsubscribe === "function") this.#leave.push(unsubscribe as () => void);
    } catch {
      this.#switchBroken = true; // It could not be obeyed in flight.
    }
  }

  #finishBy(limitAt: number): void {
    for (const leave of this.#leave) {
      try {
        leave();
      } catch {
        // Somebody else's clean-up.
      }
    }
    this.#leave.length = 0;
    let cancel: (() => void) | undefined;
    let idle = false;
    this.#events.whenIdle(() => {
      idle = true;
      cancel?.();
      this.#finish();
    });
    if (!idle) cancel = this.clock.setTimer(() => this.#finish(), Math.max(0, limitAt - this.elapsed()));
  }

  #finish(): void {
    this.#timers.clearAll();
    this.#permits.close();
    this.#relay.close();
    const done = this.#done;
    this.#done = undefined;
    if (done === undefined) return;
    const report = reportOf(this.machine, (index) => this.#values.get(index));
    if (this.#events.lost) report.recordError = "journal_unavailable";
    done(report);
  }
}

function stateOf(verdict: unknown): unknown {
  try {
    return (verdict as { state?: unknown } | null)?.state;
  } catch {
    return undefined; // A hostile getter.
  }
}

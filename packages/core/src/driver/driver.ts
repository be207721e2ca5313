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
import { askGates, member, PermitDesk, readSwitch, SharedSlots } from "./port-desks.js";
import { callPort, isThenable, type PortAnswer } from "./ports-guard.js";
import { joinSignal } from "./signal-hub.js";

type Unstamped<T> = T extends unknown ? Omit<T, "at" | "wallMs"> : never;
/** An input that has yet to be stamped. */
export type News = Unstamped<Input>;

/** What was given for the execution, checked and frozen. */
export interface DriverSetup {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly context: Readonly<ExecutionContext>;
  readonly execute: ExecuteFn;
  readonly reconcile: ReconcileFn | undefined;
  readonly options: ExecuteOptions;
}

/** What the driver holds of one action. */
interface Track {
  /** The last that was dispatched. */
  attempt?: Attempt;
  cancelTimer?: (() => void) | undefined;
  /** What the executor, reconcile or a replayed record gave. */
  held?: { readonly value: unknown };
}

/** Something to be fed or done, and what comes after it. */
interface Task {
  readonly task: News | (() => void);
  next: Task | undefined;
}

/**
 * Carries the machine's commands out in this process and feeds back what comes of them. It decides nothing: even a halt
 * is only an input, fed before whatever else has happened in the meantime. Whatever an execution may not need is made
 * when it is first needed.
 */
export class Driver {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly options: ExecuteOptions;
  readonly context: Readonly<ExecutionContext>;
  readonly #execute: ExecuteFn;
  readonly #reconcileFn: ReconcileFn | undefined;
  readonly #startedAt: number;
  readonly #tracks: Track[];
  readonly #events: EventSink | undefined;
  #slots: SharedSlots | undefined;
  #permits: PermitDesk | undefined;
  #keys: KeyKeeper | undefined;
  /** Wakes the driver in the caller's asynchronous context. */
  #wake: (() => void) | undefined;
  #leaveSignal: (() => void) | undefined;
  #leaveSwitch: (() => void) | undefined;
  /** Tasks that wait, and those that have come since the last was taken. */
  #first: Task | undefined;
  #arrivedFirst: Task | undefined;
  #arrivedLast: Task | undefined;
  #halted: HaltCause | undefined;
  #pumping = false;
  #switchBroken = false;
  #done: ((report: ExecutionReport) => void) | undefined;

  constructor({ machine, clock, context, execute, reconcile, options }: DriverSetup) {
    this.machine = machine;
    this.clock = clock;
    this.options = options;
    this.context = context;
    this.#execute = execute;
    this.#reconcileFn = reconcile;
    this.#startedAt = clock.monotonic();
    this.#tracks = new Array(machine.actions.length);
    if (machine.facts.observed) {
      const failed = (errorType: string) => this.post({ type: "listener_failed", errorType });
      this.#events = new EventSink(options.journal, options.onEvent, failed);
    }
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

  /** Feeds news, or does something, that comes in the caller's asynchronous context. */
  post(task: News | (() => void)): void {
    this.#defer(task);
    this.#pump();
  }

  /** The same from somebody else's context, after {@link awaitOutside}. */
  postOutside(task: News | (() => void)): void {
    this.#defer(task);
    this.#awake();
  }

  /**
   * News may come in somebody else's asynchronous context from now on, from timers, subscriptions or other executions. A
   * promise's continuation runs in the context in which it was attached: this must be called in the caller's.
   */
  awaitOutside(): void {
    if (this.#wake !== undefined || this.#done === undefined) return;
    void new Promise<void>((resolve) => {
      this.#wake = resolve;
    }).then(() => {
      this.#wake = undefined;
      this.awaitOutside();
      this.#pump();
    });
  }

  #awake(): void {
    if (this.#wake === undefined) this.#pump();
    else this.#wake();
  }

  /** Asks a port, limited by `limitAt`; the answer is judged and fed in the caller's context. */
  ask<T>(
    call: () => T | Promise<T>,
    limitAt: number,
    judge: (answer: PortAnswer<T>) => News | undefined,
    tooLate?: (value: T) => void,
  ): void {
    callPort<T>({
      call,
      clock: this.clock,
      limitMs: () => {
        this.awaitOutside();
        return Math.max(0, limitAt - this.elapsed());
      },
      answer: (result, timedOut) => {
        const task = () => {
          const news = judge(result);
          if (news !== undefined) this.#feed(news);
        };
        if (timedOut) this.postOutside(task);
        else this.post(task);
      },
      ...(tooLate === undefined ? undefined : { tooLate }),
    });
  }

  #defer(task: News | (() => void)): void {
    const arrived: Task = { task, next: undefined };
    if (this.#arrivedLast === undefined) this.#arrivedFirst = arrived;
    else this.#arrivedLast.next = arrived;
    this.#arrivedLast = arrived;
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (let task = this.#nextTask(); task !== undefined; task = this.#nextTask()) {
        if (typeof task === "function") task();
        else this.#feed(task);
      }
    } catch {
      this.#breakOff();
    }
    this.#pumping = false;
  }

  /**
   * A halt goes before everything. What a task has led to goes before what waited already, so that nothing comes between
   * the answer of the kill switch and the dispatch that it allows (S5.5).
   */
  #nextTask(): News | (() => void) | undefined {
    if (this.#halted !== undefined && this.machine.status !== "new") {
      const cause = this.#halted;
      this.#halted = undefined;
      return { type: "halt", cause };
    }
    if (this.#arrivedLast !== undefined) {
      this.#arrivedLast.next = this.#first;
      this.#first = this.#arrivedFirst;
      this.#arrivedFirst = undefined;
      this.#arrivedLast = undefined;
    }
    const next = this.#first;
    this.#first = next?.next;
    return next?.task;
  }

  #feed(news: News): void {
    const input = news as Input;
    input.at = this.elapsed();
    if (this.machine.facts.approval?.expiresAtMs !== undefined) input.wallMs = this.clock.now();
    for (const command of step(this.machine, input)) this.#carryOut(command);
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
        return this.#events?.push(command.event);
      case "set_timer":
        return this.#setTimer(command.action, command.at);
      case "clear_timer":
        this.#permits?.stopWaiting(command.action);
        return this.#clearTimer(command.action);
      case "abort":
        return Attempt.abort(this.#track(command.action).attempt!, command.cause);
      case "yield":
        return this.#defer({ type: "resume" });
      case "intend":
        return this.#intend(command);
      case "read_switch":
        return readSwitch(this, command, this.#switchBroken);
      case "ask_gates":
        return askGates(this, command);
      case "acquire_permit":
        this.#permits ??= new PermitDesk(this);
        return this.#permits.acquire(command);
      case "cancel_permit":
        return this.#permits!.cancel(command.action);
      case "enter_bulkhead":
        this.#slots ??= new SharedSlots(this);
        return this.#slots.enter(command.action);
      case "abandon_bulkhead":
        return this.#slots!.abandon(command.action);
      case "leave_bulkhead":
        return this.#slots!.leave();
      case "derive_key":
        return this.#keeper().derive(command.action);
      case "claim_key":
        return this.#keeper().claim(command);
      case "start_key":
        return this.#keeper().start(command);
      case "record_key":
        return this.#keeper().record(command);
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

  #keeper(): KeyKeeper {
    this.#keys ??= new KeyKeeper(this);
    return this.#keys;
  }

  /** −1 stands for the execution itself. */
  #track(action: number): Track {
    let track = this.#tracks[action];
    if (track === undefined) {
      track = {};
      this.#tracks[action] = track;
    }
    return track;
  }

  #setTimer(action: number, at: number): void {
    const track = this.#track(action);
    track.cancelTimer?.();
    this.awaitOutside();
    const cancel = this.clock.setTimer(
      () => {
        this.postOutside(() => {
          // What else has happened in the meantime may have cleared or replaced it.
          if (track.cancelTimer !== cancel) return;
          track.cancelTimer = undefined;
          this.#feed({ type: "timer", action });
        });
      },
      Math.max(0, at - this.elapsed()),
    );
    track.cancelTimer = cancel;
  }

  #clearTimer(action: number): void {
    const track = this.#track(action);
    track.cancelTimer?.();
    track.cancelTimer = undefined;
  }

  #dispatch({ action, attempt, limitAt }: Command & { type: "dispatch" }): void {
    const handed = new Attempt(this, action, attempt, this.#startedAt + limitAt);
    this.#track(action).attempt = handed;
    this.#permits?.dispatched(action);
    const resolved = (result: unknown) => this.#settle(handed, judgeResult(result), result);
    const rejected = (error: unknown) => this.#settle(handed, judgeThrown(error), undefined);
    try {
      const result: unknown = this.#execute(this.machine.plan.actions[action]!, handed);
      if (!isThenable(result)) return resolved(result);
      // Only a native promise is sure to continue in this context, and once.
      const promise = result instanceof Promise ? result : Promise.resolve(result);
      promise.then(resolved, rejected);
    } catch (error) {
      return rejected(error);
    }
    this.#setTimer(action, limitAt);
  }

  #settle(handed: Attempt, settlement: Settlement, answer: unknown): void {
    if (!Attempt.settle(handed)) return;
    const { actionIndex: action, attempt } = handed;
    if (settlement.kind === "applied") this.hold(action, answer);
    this.post({ type: "settled", action, attempt, settlement });
  }

  /** Keeps the `value` of an answer for the report. */
  hold(action: number, answer: unknown): void {
    const value = member(answer, "value");
    if (value !== undefined) this.#track(action).held = { value };
  }

  held(action: number): { readonly value: unknown } | undefined {
    return this.#tracks[action]?.held;
  }

  #intend({ action, event, limitAt }: Command & { type: "intend" }): void {
    this.ask(
      () => {
        // Durable at once, or whenever the journal says so.
        let durable: boolean | undefined;
        let answer: ((ok: boolean) => void) | undefined;
        this.#events!.push(event, (ok) => {
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
    const handed = new Attempt(this, action, attempt, this.#startedAt + limitAt);
    this.ask(
      () => this.#reconcileFn!(this.machine.plan.actions[action]!, handed) as unknown,
      limitAt,
      (result) => {
        Attempt.abort(handed, "deadline");
        const state = result.ok ? member(result.value, "state") : undefined;
        if (state === "applied" && result.ok) this.hold(action, result.value);
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
    const halt = (cause: HaltCause) => {
      this.#halted ??= cause;
      this.#awake();
    };
    if (signal !== undefined) {
      this.awaitOutside();
      this.#leaveSignal = joinSignal(signal, () => halt("cancelled"));
    }
    if (killSwitch?.subscribe === undefined) return;
    this.awaitOutside();
    try {
      const unsubscribe: unknown = killSwitch.subscribe((state: unknown) => {
        // Whatever is not plainly "go on" stops (S2.3).
        if (member(state, "halted") !== false) halt("kill_switch");
      });
      if (typeof unsubscribe === "function") this.#leaveSwitch = unsubscribe as () => void;
    } catch {
      this.#switchBroken = true; // It could not be obeyed in flight.
    }
  }

  /** Every row is final: what is left is to have it on record. */
  #finishBy(limitAt: number): void {
    this.#leaveSignal?.();
    try {
      this.#leaveSwitch?.();
    } catch {
      // Somebody else's clean-up.
    }
    if (this.#events === undefined) return this.#finish();
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
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    this.#wake = undefined;
    this.#permits?.close();
    const report = reportOf(this.machine, (action) => this.held(action));
    if (this.#events?.lost) report.recordError = "journal_unavailable";
    done(report);
  }
}

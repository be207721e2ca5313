import type { ExecutionContext } from "@eoc/decision-schema";
import { type DeadlineTimers, timersOf } from "../local/system-clock.js";
import type { Command } from "../machine/commands.js";
import type { Input } from "../machine/inputs.js";
import { step } from "../machine/machine.js";
import type { Settlement } from "../machine/outcome.js";
import type { Machine } from "../machine/state.js";
import type { ExecuteOptions } from "../options.js";
import type { Clock } from "../ports/clock.js";
import type { ExecuteFn, ReconcileFn } from "../ports/executor.js";
import type { HaltCause } from "../report/events.js";
import type { ExecutionReport } from "../report/execution-report.js";
import { reportOf } from "../report/summary.js";
import { elapsed, type Timed } from "./alarm.js";
import { Attempt, type AttemptHost } from "./attempt.js";
import { EventSink } from "./event-sink.js";
import { type Caller, callExecutor, reconcile } from "./executor-desk.js";
import { handBack } from "./hand-back.js";
import {
  breakDown,
  dispatchAgain,
  type PreparedExecution,
  queueAgain,
  type UnderWay,
  type WaitEnd,
} from "./handover.js";
import { keepKey } from "./key-keeper.js";
import { PermitDesk } from "./permit-desk.js";
import { askGates, intend, member, readSwitch, refillRetries, SharedSlots, takeRetry } from "./port-desks.js";
import { awaitPort, callPort, callUnheard, type PortAnswer } from "./ports-guard.js";
import { type News, Pump } from "./pump.js";
import { type Stoppable, StopWatch } from "./stop-watch.js";
import { Track } from "./track.js";

/**
 * Carries the machine's commands out in this process and feeds back what comes of them. It decides nothing: even a halt
 * is only an input, fed before whatever else has happened in the meantime. Whatever an execution may not need is made
 * when it is first needed.
 */
export class Driver extends Pump implements Timed, AttemptHost, Caller, Stoppable {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly options: ExecuteOptions;
  readonly context: Readonly<ExecutionContext>;
  readonly #execute: ExecuteFn;
  readonly #reconcile: ReconcileFn | undefined;
  /** On the monotonic clock. */
  readonly startedAt: number;
  /** Where the clock is one that takes deadlines themselves. */
  readonly timers: DeadlineTimers | undefined;
  readonly #tracks: Track[];
  readonly #events: EventSink | undefined;
  #slots: SharedSlots | undefined;
  #permits: PermitDesk | undefined;
  #stops: StopWatch | undefined;
  /** How much of a millisecond the news that was fed last came after its time. */
  #fraction = 0;

  /** @param startedAt on the monotonic clock; now, where it is not given. */
  constructor({ machine, clock, context, execute, reconcile, options }: PreparedExecution, startedAt?: number) {
    super();
    this.machine = machine;
    this.clock = clock;
    this.options = options;
    this.context = context;
    this.#execute = execute;
    this.#reconcile = reconcile;
    this.startedAt = startedAt ?? clock.monotonic();
    this.timers = timersOf(clock);
    this.#tracks = new Array(machine.actions.length);
    if (machine.facts.observed) {
      const failed = (errorType: string) => this.post({ type: "listener_failed", errorType });
      this.#events = new EventSink(options.journal, options.onEvent, failed);
    }
  }

  /** Runs the execution. Never rejects. */
  run(): Promise<ExecutionReport> {
    const report = this.promise();
    this.#stops = StopWatch.start(this.options, this);
    this.post({ type: "start" });
    return report;
  }

  /**
   * Runs an execution whose first action queued for a slot of the bulkhead right at the start, from the end of that wait: it
   * owns a slot, or was halted, or its time is up. Never rejects.
   */
  runFromQueue(end: WaitEnd, halt: HaltCause | undefined, stops: StopWatch | undefined): Promise<ExecutionReport> {
    const report = this.promise();
    this.#stops = StopWatch.handOver(stops, this);
    queueAgain(this.machine);
    if (halt !== undefined) {
      if (end === "slot") callUnheard(() => this.options.bulkhead!.leave());
      this.halt(halt);
    } else if (end === "slot") this.post({ type: "bulkhead", action: 0, verdict: "entered" });
    else if (end === "deadline") this.post({ type: "timer", action: 0 });
    else this.post(breakDown);
    return report;
  }

  /** Goes on with an execution of one action whose first attempt is under way. Never rejects. */
  runFromDispatch(underWay: UnderWay, stops: StopWatch | undefined): Promise<ExecutionReport> | undefined {
    const { attempt, limitAt, limit, halt, wake } = underWay;
    const report = wake === undefined ? this.promise() : this.wakeBy(wake);
    this.#stops = StopWatch.handOver(stops, this);
    dispatchAgain(this.machine, underWay);
    const track = this.track(0);
    track.attempt = attempt;
    if (limit === "ahead") this.post(() => track.setTimer(limitAt));
    else if (limit === "reached") track.callback();
    else if (limit === "untold") this.post(breakDown);
    if (halt !== undefined) this.halt(halt);
    return report;
  }

  get executionId(): string {
    return this.machine.facts.executionId;
  }

  keyOf(action: number): string | undefined {
    return this.machine.actions[action]!.key;
  }

  /** Whole milliseconds since the start. */
  elapsed(): number {
    return elapsed(this);
  }

  /** Asks a port, limited by `limitAt`; the answer is judged and fed in the caller's context. */
  ask<T>(
    call: () => T | Promise<T>,
    limitAt: number,
    judge: (answer: PortAnswer<T>) => News | undefined,
    tooLate?: (value: T) => void,
  ): void {
    const answer = callPort(call);
    if (answer.ok !== undefined) {
      const news = judge(answer);
      if (news !== undefined) this.post(news);
      return;
    }
    this.awaitOutside();
    awaitPort<T>({
      promise: answer.promise,
      clock: this.clock,
      limitMs: () => Math.max(0, limitAt - this.elapsed()),
      answer: (result, timedOut) => {
        // Judging may need the clock, which may throw: then there has to be a report all the same.
        const task = () => {
          // Of an execution that broke off: whatever was granted is granted to nobody.
          if (this.isOver && tooLate !== undefined) return result.ok ? tooLate(result.value) : undefined;
          const news = judge(result);
          if (news !== undefined) this.feed(news);
        };
        if (timedOut) this.postOutside(task);
        else this.post(task);
      },
      tooLate,
    });
  }

  protected feed(news: News): void {
    const input = news as Input;
    // A clock is read in a fiftieth of a whole execution's time.
    const now = news.type === "start" ? 0 : this.clock.monotonic() - this.startedAt;
    input.at = Math.floor(now);
    this.#fraction = now - input.at;
    if (this.machine.facts.approval?.expiresAtMs !== undefined) input.wallMs = Number(this.clock.now());
    for (const command of step(this.machine, input)) this.#carryOut(command);
  }

  /** An input that fits nowhere ends the execution, fail-closed. */
  protected breakOff(): void {
    const { machine } = this;
    if (machine.status !== "finished") {
      this.#tryToCarryOut(step(machine, { type: "start", at: machine.at }));
      handBack(machine, this.#tracks, this.#slots, (commands) => this.#tryToCarryOut(commands));
    }
    this.#finish();
  }

  #tryToCarryOut(commands: readonly Command[]): void {
    for (const command of commands) {
      try {
        this.#carryOut(command);
      } catch {
        // The report is what matters now.
      }
    }
  }

  #carryOut(command: Command): void {
    switch (command.type) {
      case "dispatch":
        this.#permits?.dispatched(command.action);
        return this.#dispatch(command);
      case "emit":
        return this.#events?.push(command.event);
      case "set_timer":
        return this.track(command.action).setTimer(command.at + this.#lead(command.action));
      case "clear_timer":
        return this.track(command.action).clearTimer();
      case "abort":
        return Attempt.abort(this.#tracks[command.action]?.attempt, command.cause);
      case "yield":
        return this.mailbox.put({ type: "resume" });
      case "intend":
        return intend(this, this.#events!, command);
      case "read_switch":
        return readSwitch(this, command, this.#stops?.switchBroken === true);
      case "ask_gates":
        return askGates(this, command);
      case "acquire_permit":
        this.#permits ??= new PermitDesk(this);
        return this.#permits.acquire(command);
      case "join_line":
        return this.#permits!.joinLine(command);
      case "leave_line":
        return this.#permits!.leaveLine(command);
      case "cancel_permit":
        return this.#permits!.cancel(command.action);
      case "enter_bulkhead":
      case "abandon_bulkhead":
      case "leave_bulkhead":
        this.#slots ??= new SharedSlots(this);
        return this.#slots.carryOut(command);
      case "derive_key":
      case "claim_key":
      case "start_key":
      case "record_key":
        return keepKey(this, command);
      case "reconcile":
        return reconcile(this, this.#reconcile!, command);
      case "take_retry":
        return takeRetry(this, command.action);
      case "refill_retries":
        return refillRetries(this);
      default:
        return this.#finishBy(command.limitAt);
    }
  }

  #dispatch({ action, attempt, limitAt }: Command & { type: "dispatch" }): void {
    const handed = new Attempt(this, action, attempt, limitAt);
    if (!callExecutor(this, this.#execute, this.machine.plan.actions[action]!, handed)) return;
    const track = this.track(action);
    track.attempt = handed;
    track.setTimer(limitAt);
  }

  settled({ actionIndex: action, attempt }: Attempt, settlement: Settlement, answer: unknown): void {
    if (settlement.kind === "applied") this.hold(action, answer);
    this.track(action).settlement = settlement;
    this.post({ type: "settled", action, attempt, settlement });
  }

  /** Somebody else says how long a backoff lasts at the least: it lasts from now, not from the whole millisecond before (S3.5). */
  #lead(action: number): number {
    return this.machine.actions[action]?.phase === "backoff" ? this.#fraction : 0;
  }

  /** −1 stands for the execution itself. */
  track(action: number): Track {
    let track = this.#tracks[action];
    if (track === undefined) {
      track = new Track(this, action);
      this.#tracks[action] = track;
    }
    return track;
  }

  /** Keeps the `value` of an answer for the report. */
  hold(action: number, answer: unknown): void {
    const value = member(answer, "value");
    if (value !== undefined) this.track(action).held = { value };
  }

  held(action: number): { readonly value: unknown } | undefined {
    return this.#tracks[action]?.held;
  }

  /** Every row is final: what is left is to have it on record. */
  #finishBy(limitAt: number): void {
    this.#stops?.leave();
    if (this.#events === undefined) return this.#finish();
    const limit = (giveUp: () => void) => this.clock.setTimer(giveUp, Math.max(0, limitAt - this.elapsed()));
    this.#events.whenDone(limit, () => this.#finish());
  }

  #finish(): void {
    if (this.isOver) return;
    this.#permits?.close();
    const report = reportOf(this.machine, (action) => this.held(action));
    if (this.#events?.lost) report.recordError = "journal_unavailable";
    this.handOut(report);
  }
}

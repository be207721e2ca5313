import type { ExecutionContext } from "@eoc/decision-schema/read";
import { type DeadlineTimers, timersOf } from "../local/system-clock.js";
import type { Settlement } from "../machine/outcome.js";
import { onlyActionOf, type PlannedAction, planOfOne } from "../plan.js";
import type { Bulkhead } from "../ports/bulkhead.js";
import type { Clock } from "../ports/clock.js";
import { randomId } from "../random-id.js";
import type { HaltCause } from "../report/events.js";
import type { ExecutionReport } from "../report/execution-report.js";
import { type DispatchedOnce, reportOfOne } from "../report/report-of-one.js";
import type { Request } from "../request.js";
import { Alarm, elapsed, type Timed } from "./alarm.js";
import { Attempt, type AttemptHost } from "./attempt.js";
import { Driver } from "./driver.js";
import { type Caller, callExecutor } from "./executor-desk.js";
import type { UnderWay } from "./handover.js";
import { member } from "./port-desks.js";
import { callUnheard } from "./ports-guard.js";
import { Pump } from "./pump.js";
import { type Stoppable, StopWatch } from "./stop-watch.js";

/**
 * A plain execution from its dispatch to its success, or to what its executor throws when the caller cancels: no more than its
 * arguments and an attempt. Whatever else happens to it happens to a driver, whose machine goes on from there.
 */
export class Opening extends Alarm implements Timed, AttemptHost, Caller, Stoppable, DispatchedOnce {
  readonly startedAt: number;
  readonly timers: DeadlineTimers | undefined;
  readonly executionId: string;
  readonly #request: Request;
  readonly action: PlannedAction;
  readonly #attempt: Attempt;
  readonly dispatchedAt: number;
  /** It had to queue before. */
  readonly #waited: boolean;
  /** The end of its time and, once it has been told to stop, of its grace. */
  #dueAt: number;
  #stops: StopWatch | undefined;
  /** Wakes it in the caller's asynchronous context, once. */
  #wake: ((self: Opening | Pump) => void) | undefined;
  #halt: HaltCause | undefined;
  /** When the executor was told that the caller had cancelled. */
  cancelledAt: number | undefined;
  /** Once it is to be told otherwise than by its answer. */
  #limit: UnderWay["limit"];
  #driver: Driver | undefined;
  #report: ExecutionReport | Promise<ExecutionReport> | undefined;

  /**
   * @param startedAt on the monotonic clock
   * @param at when it got the slot that it had queued for
   */
  constructor(request: Request, startedAt: number, at?: number) {
    super();
    const { decision, policy, options } = request;
    const { attemptTimeoutMs, maxTotalTimeMs } = policy.timeout;
    this.startedAt = startedAt;
    this.timers = timersOf(request.clock);
    this.executionId = options.executionId ?? randomId();
    this.#request = request;
    this.action = onlyActionOf(decision, policy);
    this.dispatchedAt = at ?? 0;
    this.#waited = at !== undefined;
    this.#dueAt = Math.min(this.dispatchedAt + attemptTimeoutMs, maxTotalTimeMs);
    this.#attempt = new Attempt(this, 0, 0, this.#dueAt);
  }

  get clock(): Clock {
    return this.#request.clock;
  }

  get context(): Readonly<ExecutionContext> {
    return this.#request.context;
  }

  get startedAtMs(): number {
    return this.#request.startedAtMs;
  }

  get waitedMs(): number {
    return this.#waited ? this.dispatchedAt : 0;
  }

  keyOf(): string | undefined {
    return this.action.idempotencyKey;
  }

  /** @param bulkhead has a free slot, which is taken. May throw before that. */
  run(bulkhead: Bulkhead | undefined): Promise<ExecutionReport> {
    const { options } = this.#request;
    const stops = options.signal && StopWatch.start(options, this);
    bulkhead?.tryEnter();
    const report = this.dispatch(stops);
    return report instanceof Promise ? report : Promise.resolve(report);
  }

  /** Calls the executor. Never throws. */
  dispatch(stops: StopWatch | undefined): ExecutionReport | Promise<ExecutionReport> {
    this.#stops = StopWatch.handOver(stops, this);
    callExecutor(this, this.#request.execute, this.action, this.#attempt);
    if (this.#report !== undefined) return this.#report;
    const report = this.#sleep();
    this.#setAlarm();
    if (this.#isDisturbed) this.#wake!(this);
    return report;
  }

  #sleep(): Promise<ExecutionReport> {
    return new Promise<Opening | Pump>((resolve) => {
      this.#wake = resolve;
    }).then(Opening.#woken);
  }

  #setAlarm(): void {
    try {
      this.set(this, this.#dueAt);
    } catch {
      this.#limit = "untold";
    }
  }

  get #isDisturbed(): boolean {
    return this.#halt !== undefined || this.#limit !== undefined;
  }

  halt(cause: HaltCause): void {
    this.#halt ??= cause;
    this.#wake?.(this);
  }

  /** Its time, or its grace, is over. */
  callback(): void {
    this.#limit = "reached";
    this.#wake!(this);
  }

  settled(attempt: Attempt, settlement: Settlement, answer: unknown): void {
    if (this.#driver === undefined) {
      const { dispatchedAt, cancelledAt } = this;
      const awaited = cancelledAt === undefined ? "applied" : "threw";
      const at = settlement.kind === awaited && !this.#isDisturbed ? this.#elapsed() : Number.NaN;
      if (at >= (cancelledAt ?? dispatchedAt) && at <= this.#dueAt) {
        const errorType = settlement.kind === "threw" ? settlement.errorType : undefined;
        return this.#conclude(reportOfOne(this, at, member(answer, "value"), errorType));
      }
      this.#handOver();
    }
    this.#driver!.settled(attempt, settlement, answer);
  }

  #elapsed(): number {
    try {
      return elapsed(this);
    } catch {
      return Number.NaN;
    }
  }

  #conclude(report: ExecutionReport): void {
    const { options } = this.#request;
    this.clear(this);
    if (options.bulkhead !== undefined) callUnheard(options.bulkhead.leave, options.bulkhead);
    this.#stops?.leave();
    this.#report = report;
    this.#wake?.(this);
  }

  static #woken(this: void, self: Opening | Pump): ExecutionReport | Promise<ExecutionReport> {
    if (!(self instanceof Opening)) return Pump.woken(self)!;
    if (self.#report === undefined) {
      const cancelled = self.#cancel();
      if (cancelled !== undefined) return cancelled;
      self.#handOver("ahead");
    }
    return self.#report!;
  }

  /**
   * Obeys a cancel that leaves one end, that the executor throws: undefined where reconcile, or an answer after the limit, may make
   * another.
   */
  #cancel(): Promise<ExecutionReport> | undefined {
    const { policy, reconcile } = this.#request;
    const isObeyed = this.#halt !== undefined && policy.onHalt === "abort" && reconcile === undefined;
    const at = isObeyed && this.#limit === undefined ? this.#elapsed() : Number.NaN;
    const graceEndsAt = at + policy.timeout.abortGraceMs;
    if (!(at >= this.dispatchedAt && graceEndsAt <= this.#dueAt)) return undefined;
    this.#halt = undefined;
    this.cancelledAt = at;
    this.#dueAt = graceEndsAt;
    const report = this.#sleep();
    Attempt.abort(this.#attempt, "cancelled");
    // An answer may be heard within the abort.
    if (this.#report === undefined && this.#driver === undefined) this.#setAlarm();
    if (this.#isDisturbed) this.#wake!(this);
    return report;
  }

  /** @param limit undefined where the answer is there */
  #handOver(limit?: "ahead"): void {
    this.clear(this);
    this.#driver = new Driver(
      this.#request.prepare(undefined, planOfOne(this.action), this.executionId),
      this.startedAt,
    );
    const underWay: UnderWay = {
      attempt: this.#attempt,
      at: this.dispatchedAt,
      waited: this.#waited,
      cancelledAt: this.cancelledAt,
      limitAt: this.#dueAt,
      limit: this.#limit ?? limit,
      halt: this.#halt,
      wake: this.#isDisturbed ? undefined : this.#wake,
    };
    this.#report = this.#driver.runFromDispatch(underWay, this.#stops);
  }
}

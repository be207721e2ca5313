import type { Input } from "../machine/inputs.js";
import type { Machine } from "../machine/state.js";
import type { HaltCause } from "../report/events.js";
import type { ExecutionReport } from "../report/execution-report.js";
import { Mailbox } from "./mailbox.js";

type Unstamped<T> = T extends unknown ? Omit<T, "at" | "wallMs"> : never;
/** An input that has yet to be stamped. */
export type News = Unstamped<Input>;

/** Takes what happens one after the other, always in the caller's asynchronous context, until there is a report. */
export abstract class Pump {
  abstract readonly machine: Machine;
  protected readonly mailbox = new Mailbox<News | (() => void)>();
  #pumping = false;
  /** Wakes the driver in the caller's asynchronous context, once. */
  #wake: ((self: Pump) => void) | undefined;
  #report: ExecutionReport | undefined;
  /** Hands the report out, once the promise that {@link promise} gave has been used up for waking. */
  #done: ((report: ExecutionReport) => void) | undefined;

  /** Feeds the machine and does what it says. */
  protected abstract feed(news: News): void;

  /** Something of ours threw, such as the clock: there must be a report all the same. */
  protected abstract breakOff(): void;

  /** Most executions are never woken from outside: one promise does for the first waking and for the report. */
  protected promise(): Promise<ExecutionReport> {
    return this.#nextWaking() as Promise<ExecutionReport>;
  }

  /** Takes over a promise that was given for the report: it has not been used for waking, and continues with {@link woken}. */
  protected wakeBy(wake: (self: Pump) => void): undefined {
    this.#wake = wake;
  }

  protected get isOver(): boolean {
    return this.#report !== undefined;
  }

  protected handOut(report: ExecutionReport): void {
    this.#report = report;
    if (this.#done === undefined) return this.#wake!(this);
    this.#wake = undefined;
    this.#done(report);
  }

  /** Feeds news, or does something, that comes in the caller's asynchronous context. */
  post(task: News | (() => void)): void {
    const { halt, isEmpty } = this.mailbox;
    if (!this.#pumping && halt === undefined && isEmpty) return this.#pump(task);
    this.mailbox.put(task);
    this.#pump();
  }

  /** The same from somebody else's context, after {@link awaitOutside}. */
  postOutside(task: News | (() => void)): void {
    this.mailbox.put(task);
    this.#awake();
  }

  /** The same of a turn: it comes after all that waits. */
  postTurn(task: () => void): void {
    this.mailbox.putTurn(task);
    this.#awake();
  }

  /** A halt from anywhere: the first is fed before all that waits. */
  halt(cause: HaltCause): void {
    this.mailbox.halt ??= cause;
    this.#awake();
  }

  /**
   * News may come in somebody else's asynchronous context from now on, from timers, subscriptions or other executions. A
   * promise's continuation runs in the context in which it was attached: this must be called in the caller's.
   */
  awaitOutside(): void {
    if (this.#wake === undefined && this.#report === undefined) void this.#nextWaking();
  }

  #nextWaking(): Promise<ExecutionReport | undefined> {
    return new Promise<Pump>((resolve) => {
      this.#wake = resolve;
    }).then(Pump.woken);
  }

  /** Gives the report to whom it was promised first: at once, or as another promise. */
  static woken(this: void, self: Pump): ExecutionReport | Promise<ExecutionReport> | undefined {
    self.#wake = undefined;
    let report: ExecutionReport | Promise<ExecutionReport> | undefined = self.#report;
    if (report === undefined && self.#done === undefined) {
      report = new Promise((resolve) => {
        self.#done = resolve;
      });
    }
    self.awaitOutside();
    self.#pump();
    return report;
  }

  #awake(): void {
    if (this.#wake === undefined) this.#pump();
    else this.#wake(this);
  }

  /** @param first what is done before all that waits. */
  #pump(first?: News | (() => void)): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (let task = first ?? this.#nextTask(); task !== undefined; task = this.#nextTask()) {
        if (typeof task === "function") task();
        else this.feed(task);
      }
    } catch {
      this.breakOff();
    }
    this.#pumping = false;
  }

  /** A halt is an answer to what has been started. */
  #nextTask(): News | (() => void) | undefined {
    const cause = this.mailbox.halt;
    if (cause === undefined || this.machine.status === "new") return this.mailbox.take();
    this.mailbox.halt = undefined;
    return { type: "halt", cause };
  }
}

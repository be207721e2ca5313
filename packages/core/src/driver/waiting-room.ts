import { type Fifo, Place } from "../local/fifo.js";
import type { ExecuteOptions } from "../options.js";
import type { Bulkhead } from "../ports/bulkhead.js";
import type { Clock } from "../ports/clock.js";
import type { HaltCause } from "../report/events.js";
import type { ExecutionReport } from "../report/execution-report.js";
import { Request } from "../request.js";
import { Driver } from "./driver.js";
import type { WaitEnd } from "./handover.js";
import { Opening } from "./opening.js";
import { callUnheard } from "./ports-guard.js";
import { type Stoppable, StopWatch } from "./stop-watch.js";

/** Who stands in the queue of a bulkhead. */
export interface Waiting extends Place {
  /** Is called once, owning a slot and out of the queue. */
  enter(): void;
}

const rooms = new WeakMap<Bulkhead, WaitingRoom>();

/**
 * Lets executions stand in the queue of a bulkhead by themselves: what would need a machine, a driver and a timer only in order to
 * wait is made when the wait is over.
 *
 * @param isFull true when all slots are taken
 * @param canWait true when the queue has room
 */
export function openWaitingRoom(
  bulkhead: Bulkhead,
  queue: Fifo<Waiting>,
  isFull: () => boolean,
  canWait: () => boolean,
): void {
  rooms.set(bulkhead, new WaitingRoom(bulkhead, queue, isFull, canWait));
}

/** The queue of a bulkhead of ours; undefined for others, and where the caller has replaced its methods, which have to be asked. */
export function waitingRoomOf(bulkhead: Bulkhead): WaitingRoom | undefined {
  const room = rooms.get(bulkhead);
  return room?.isItself ? room : undefined;
}

export class WaitingRoom {
  readonly queue: Fifo<Waiting>;
  readonly #bulkhead: Bulkhead;
  readonly #methods: Bulkhead;
  readonly isFull: () => boolean;
  readonly #canWait: () => boolean;
  /** The execution that has waited longest, and so is due first. */
  #first: Parked | undefined;
  /** That of the one who came last: most have it in common. */
  #setup: Setup | undefined;
  #clock: Clock | undefined;
  #lastDueAt = 0;
  /** It may go off for one that has left: then it is set for the next. */
  #cancelTimer: (() => void) | undefined;

  constructor(bulkhead: Bulkhead, queue: Fifo<Waiting>, isFull: () => boolean, canWait: () => boolean) {
    this.#bulkhead = bulkhead;
    this.#methods = { ...bulkhead };
    this.queue = queue;
    this.isFull = isFull;
    this.#canWait = canWait;
  }

  /**
   * Has an execution wait whose first step would be to queue for a slot. Undefined where it need not wait, or can only do so with
   * a driver of its own.
   */
  admit(request: Request): Promise<ExecutionReport> | undefined {
    if (!this.isFull() || !this.#canWait()) return undefined;
    const { clock } = request;
    const startedAt = clock.monotonic();
    const dueAt = startedAt + request.policy.timeout.maxTotalTimeMs;
    // One timer does for all of them as long as who came later is due later.
    if (this.#first !== undefined && (clock !== this.#clock || dueAt < this.#lastDueAt)) return undefined;
    if (this.#setup === undefined || !isOf(this.#setup, request)) this.#setup = new Setup(this, request);
    const parked = new Parked(this.#setup, request, startedAt);
    if (this.#first === undefined) {
      this.#clock = clock;
      this.#setTimer(parked, startedAt);
      this.#first = parked;
    }
    this.#lastDueAt = dueAt;
    this.queue.add(parked);
    return parked.wait();
  }

  get isItself(): boolean {
    const { tryEnter, queue } = this.#bulkhead;
    return tryEnter === this.#methods.tryEnter && queue === this.#methods.queue;
  }

  remove(parked: Parked): void {
    if (parked === this.#first) this.forget(parked, this.queue.behind(parked));
    this.queue.remove(parked);
  }

  /** Is told of everyone who leaves the queue, and who is behind him. */
  forget(parked: Parked, behind: Waiting | undefined): void {
    if (parked !== this.#first) return;
    let next = behind;
    while (next !== undefined && !(next instanceof Parked)) next = this.queue.behind(next);
    this.#first = next;
    if (next !== undefined) return;
    this.#setup = undefined;
    callUnheard(this.#cancelTimer);
    this.#cancelTimer = undefined;
  }

  #setTimer(first: Parked, now: number): void {
    this.#cancelTimer = this.#clock!.setTimer(() => this.#timeIsUp(), Math.max(0, first.restMs(now)));
  }

  #timeIsUp(): void {
    this.#cancelTimer = undefined;
    try {
      const now = this.#clock!.monotonic();
      while (this.#first !== undefined && this.#first.restMs(now) <= 0) this.#first.wake("deadline");
      if (this.#first !== undefined) this.#setTimer(this.#first, now);
    } catch {
      // Nobody can wait any longer where there is no telling the time.
      while (this.#first !== undefined) this.#first.wake("broken");
    }
  }
}

/** What executions that wait have in common, if they were called alike. */
class Setup {
  readonly room: WaitingRoom;
  readonly policy: Request["policy"];
  readonly clock: Clock;
  readonly options: ExecuteOptions;

  constructor(room: WaitingRoom, { policy, clock, options }: Request) {
    this.room = room;
    this.policy = policy;
    this.clock = clock;
    this.options = options;
  }
}

function isOf({ policy, options }: Setup, request: Request): boolean {
  return policy === request.policy && isWithin(options, request.options) && isWithin(request.options, options);
}

/** Both are objects of our own, and name the clock too. */
function isWithin(one: ExecuteOptions, other: ExecuteOptions): boolean {
  for (const name in one) if (one[name as keyof ExecuteOptions] !== other[name as keyof ExecuteOptions]) return false;
  return true;
}

/** An execution that waits: its request, taken apart. */
class Parked extends Place implements Waiting, Stoppable {
  readonly #setup: Setup;
  readonly #decision: Request["decision"];
  readonly #context: Request["context"];
  readonly #execute: Request["execute"];
  readonly #reconcile: Request["reconcile"];
  readonly #startedAtMs: number;
  /** On the monotonic clock. */
  readonly #startedAt: number;
  /** Wakes it in the caller's asynchronous context. */
  #wake: ((self: Parked) => void) | undefined;
  #stops: StopWatch | undefined;
  #end: WaitEnd | undefined;
  #halt: HaltCause | undefined;

  constructor(setup: Setup, request: Request, startedAt: number) {
    super();
    const { decision, context, execute, reconcile, startedAtMs } = request;
    this.#setup = setup;
    this.#decision = decision;
    this.#context = context;
    this.#execute = execute;
    this.#reconcile = reconcile;
    this.#startedAtMs = startedAtMs;
    this.#startedAt = startedAt;
  }

  /** Whole milliseconds until its time is up. */
  restMs(now: number): number {
    return this.#setup.policy.timeout.maxTotalTimeMs - Math.floor(now - this.#startedAt);
  }

  wait(): Promise<ExecutionReport> {
    const report = new Promise<Parked>((resolve) => {
      this.#wake = resolve;
    }).then(Parked.#goOn);
    this.#stops = StopWatch.start(this.#setup.options, this);
    return report;
  }

  enter(): void {
    const { room } = this.#setup;
    room.forget(this, room.queue.first);
    this.#end = "slot";
    this.#wake!(this);
  }

  /** Ends the wait without a slot, unless it is over. */
  wake(end: WaitEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#setup.room.remove(this);
    this.#wake!(this);
  }

  halt(cause: HaltCause): void {
    this.#halt ??= cause;
    this.wake("halt");
  }

  static #goOn(this: void, self: Parked): ExecutionReport | Promise<ExecutionReport> {
    const request = self.#request();
    if (self.#end === "slot" && self.#halt === undefined && request.isPlain) {
      const at = self.#timeOfDispatch();
      if (at !== undefined) {
        return new Opening(request, self.#startedAt, at).dispatch(self.#stops);
      }
    }
    const driver = new Driver(request.prepare(undefined), self.#startedAt);
    return driver.runFromQueue(self.#end!, self.#halt, self.#stops);
  }

  /** Put together again. */
  #request(): Request {
    const { policy, clock, options } = this.#setup;
    const functions = { execute: this.#execute, reconcile: this.#reconcile };
    return new Request(this.#decision, this.#context, false, policy, functions, clock, options, this.#startedAtMs);
  }

  /** Undefined once its time is up, or where there is no telling the time. */
  #timeOfDispatch(): number | undefined {
    try {
      const { clock, policy } = this.#setup;
      const at = Math.floor(clock.monotonic() - this.#startedAt);
      return at >= 0 && at < policy.timeout.maxTotalTimeMs ? at : undefined;
    } catch {
      return undefined;
    }
  }
}

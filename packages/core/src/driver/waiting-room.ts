import { type Fifo, Place } from "../local/fifo.js";
import type { Bulkhead } from "../ports/bulkhead.js";
import type { Clock } from "../ports/clock.js";
import type { HaltCause } from "../report/events.js";
import type { ExecutionReport } from "../report/execution-report.js";
import type { Request } from "../request.js";
import { Driver } from "./driver.js";
import type { WaitEnd } from "./handover.js";
import { Opening } from "./opening.js";
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
    const parked = new Parked(this, request, startedAt);
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
    this.forget(parked, parked.next);
    this.queue.remove(parked);
  }

  /** Is told of everyone who leaves the queue, and who is behind him. */
  forget(parked: Parked, behind: Place | undefined): void {
    if (parked !== this.#first) return;
    let next = behind;
    while (next !== undefined && !(next instanceof Parked)) next = next.next;
    this.#first = next;
    if (next !== undefined) return;
    this.#cancelTimer?.();
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

class Parked extends Place implements Waiting, Stoppable {
  readonly #room: WaitingRoom;
  readonly #request: Request;
  /** On the monotonic clock. */
  readonly #startedAt: number;
  /** Wakes it in the caller's asynchronous context. */
  #wake: ((self: Parked) => void) | undefined;
  #stops: StopWatch | undefined;
  #end: WaitEnd | undefined;
  #halt: HaltCause | undefined;

  constructor(room: WaitingRoom, request: Request, startedAt: number) {
    super();
    this.#room = room;
    this.#request = request;
    this.#startedAt = startedAt;
  }

  /** Whole milliseconds until its time is up. */
  restMs(now: number): number {
    return this.#request.policy.timeout.maxTotalTimeMs - Math.floor(now - this.#startedAt);
  }

  wait(): Promise<ExecutionReport> {
    const report = new Promise<Parked>((resolve) => {
      this.#wake = resolve;
    }).then(Parked.#goOn);
    this.#stops = StopWatch.start(this.#request.options, this);
    return report;
  }

  enter(): void {
    this.#room.forget(this, this.#room.queue.first);
    this.#end = "slot";
    this.#wake!(this);
  }

  /** Ends the wait without a slot, unless it is over. */
  wake(end: WaitEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#room.remove(this);
    this.#wake!(this);
  }

  halt(cause: HaltCause): void {
    this.#halt ??= cause;
    this.wake("halt");
  }

  static #goOn(this: void, self: Parked): ExecutionReport | Promise<ExecutionReport> {
    const request = self.#request;
    if (self.#end === "slot" && self.#halt === undefined && request.isPlain) {
      const at = self.#timeOfDispatch();
      if (at !== undefined) {
        return new Opening(request, self.#startedAt, at).dispatch(self.#stops);
      }
    }
    const driver = new Driver(request.prepare(undefined), self.#startedAt);
    return driver.runFromQueue(self.#end!, self.#halt, self.#stops);
  }

  /** Undefined once its time is up, or where there is no telling the time. */
  #timeOfDispatch(): number | undefined {
    try {
      const at = Math.floor(this.#request.clock.monotonic() - this.#startedAt);
      return at >= 0 && at < this.#request.policy.timeout.maxTotalTimeMs ? at : undefined;
    } catch {
      return undefined;
    }
  }
}

import type { Input } from "@eoc/core/machine";
import { CANCELLED, type Engine, type Pending } from "../engine.js";
import { member } from "../live/limited.js";
import { type Chore, type Delivery, deliver } from "./outbox.js";
import type { News } from "./port-steps.js";
import type { Shop } from "./shop.js";

/** When a step was over: that may be long after what it tells of. */
interface Ended {
  readonly endedAt: number;
}

/** Something that is waited for, beside others. */
interface Open {
  readonly pending: Pending<unknown>;
  readonly arrived: (value: never) => void | Promise<void>;
}

/**
 * The invocation's record as the driver writes and reads it: one step at a time, or the first of what is open; and what
 * has come of it, waiting to be fed. The order of everything here is that of the record, on every replay.
 */
export class EngineRecord {
  readonly engine: Engine;
  readonly #shop: Shop;
  #chores: Chore[] = [];
  /** What a dispatch has led to: nothing comes between. */
  readonly #urgent: Input[] = [];
  #promised: Input | undefined;
  #inbox: Input[] = [];
  #arrived: Input[] = [];
  /** Turns in the line for permits: who had it before is heard out first. */
  readonly #turns: Input[] = [];
  readonly #open = new Map<string, Open>();
  /** What has come of what was open while a step was taken: where it was waited for, and what it gave. */
  readonly #early = new Map<string, unknown>();
  #cancel: "none" | "asked" | "fed" = "none";
  #lost = false;
  /** The latest time on record: a port may have taken its time since the machine was told of anything. */
  #latest = 0;

  constructor(engine: Engine, shop: Shop) {
    this.engine = engine;
    this.#shop = shop;
  }

  /** True when an event could not be appended. */
  get lost(): boolean {
    return this.#lost;
  }

  /** A cancel has come and is not fed yet. */
  get cancelAsked(): boolean {
    return this.#cancel === "asked";
  }

  /** An operator has cancelled the invocation: heard of like a caller's signal (S4.8). */
  cancel(): void {
    if (this.#cancel === "none") this.#cancel = "asked";
  }

  /** To be handed on with the next step. */
  put(chore: Chore): void {
    this.#chores.push(chore);
  }

  /** To be fed, stamped with the time at which it happened. */
  news(news: News, at: number): void {
    this.#arrived.push({ ...news, at } as Input);
  }

  /** To be fed after all that waits. */
  turn(action: number): void {
    this.#turns.push({ type: "permit_turn", action, at: this.#shop.machine.at });
  }

  urgent(input: Input): void {
    this.#urgent.push(input);
  }

  /** What has come of a promise: whatever waits to be fed is fed before it, but for a cancel. */
  promised(input: Input): void {
    this.#promised = input;
  }

  /** What is to be fed next: what a dispatch has led to at once or later, then a cancel, then the latest, as in one process. */
  async next(): Promise<Input | undefined> {
    // What comes of what is fed now goes before what has come so far.
    this.#inbox = [...this.#arrived, ...this.#inbox];
    this.#arrived = [];
    const urgent = this.#urgent.shift();
    if (urgent !== undefined) return urgent;
    if (this.#promised !== undefined) {
      const before = this.#inbox.shift() ?? this.#turns.shift();
      if (before !== undefined) return before;
      const promised = this.#promised;
      this.#promised = undefined;
      return promised;
    }
    if (this.#cancel === "asked") {
      this.#cancel = "fed";
      // The engine says that it came, not when: what is in flight has its grace from now on.
      const { at } = await this.step("cancelled", async () => ({ at: this.#shop.now() }));
      return { type: "halt", cause: "cancelled", at };
    }
    return this.#inbox.shift() ?? this.#turns.shift();
  }

  /** One step, taken alone. What has no answer is handed on at its beginning. */
  async step<T extends object>(name: string, work: () => Promise<T>): Promise<T> {
    const chores = this.#chores;
    this.#chores = [];
    const { portTimeoutMs } = this.#shop.machine.policy.timeout;
    const pending = this.engine.step<T & Delivery & Ended>(name, async () => {
      const delivery = await deliver(this.#shop, chores, portTimeoutMs);
      return { ...(await work()), ...delivery, endedAt: this.#shop.now() };
    });
    const result = await this.alone(pending);
    if (result.lost) this.#lost = true;
    if (result.listenerFailed !== undefined) {
      this.news({ type: "listener_failed", errorType: result.listenerFailed }, this.#shop.machine.at);
    }
    return result;
  }

  /** Waits for one thing. What is open goes on meanwhile, and is heard of afterwards. */
  async alone<T>(pending: Pending<T>): Promise<T> {
    for (;;) {
      const open = this.#awaited();
      const first = await this.#next([...open.map(([, { pending }]) => pending), pending]);
      if (first === CANCELLED) this.#cancelled();
      else if (first.index === open.length) return first.value as T;
      else this.#early.set(open[first.index]![0], first.value);
    }
  }

  /** What comes next on the record; its time is the latest then. */
  async #next(pending: readonly Pending<unknown>[]): ReturnType<Engine["first"]> {
    const first = await this.engine.first(pending);
    const value = first === CANCELLED ? undefined : first.value;
    const endedAt = member(value, "endedAt") ?? member(value, "at");
    if (typeof endedAt === "number") this.#latest = Math.max(this.#latest, endedAt);
    return first;
  }

  #awaited(): [string, Open][] {
    return [...this.#open].filter(([name]) => !this.#early.has(name));
  }

  #cancelled(): void {
    this.cancel();
    this.#shop.poke();
  }

  /** Hands on what nobody has been told, in a step of its own; none where nobody wants to know. */
  async flush(): Promise<void> {
    const { journal, onEvent } = this.#shop.ports;
    const wanted = journal !== undefined || onEvent !== undefined;
    if (this.#chores.some(({ type }) => type === "refill" || wanted)) await this.step("record", async () => ({}));
    else this.#chores = [];
  }

  /** Waits for `pending` beside whatever else is open under another name. */
  wait<T>(name: string, pending: Pending<T>, arrived: (value: T) => void | Promise<void>): void {
    this.drop(name);
    this.#open.set(name, { pending, arrived });
  }

  waits(name: string): boolean {
    return this.#open.has(name);
  }

  drop(name: string): void {
    this.#open.delete(name);
    this.#early.delete(name);
  }

  /** A timer of the engine's, whose times are whole: it fires at `at` or later, counted from the latest time on record. */
  timer(name: string, at: number): Pending<void> {
    return this.engine.timer(name, Math.max(0, Math.ceil(at) - Math.max(this.#latest, this.#shop.machine.at)));
  }

  /** Waits for nothing but `name`, if for that. */
  waitsForNothingBut(name: string): boolean {
    return this.#open.size === 0 || (this.#open.size === 1 && this.#open.has(name));
  }

  /** Waits for the first of what is open. False when there is nothing, and nothing to be fed either. */
  async first(): Promise<boolean> {
    if (this.#inbox.length + this.#arrived.length + this.#turns.length > 0 || this.#cancel === "asked") return true;
    for (const [name, value] of this.#early) return this.#arrive(name, value);
    const open = this.#awaited();
    if (open.length === 0) return false;
    const first = await this.#next(open.map(([, { pending }]) => pending));
    if (first !== CANCELLED) return this.#arrive(open[first.index]![0], first.value);
    this.#cancelled();
    return true;
  }

  async #arrive(name: string, value: unknown): Promise<true> {
    const { arrived } = this.#open.get(name)!;
    this.drop(name);
    await arrived(value as never);
    return true;
  }
}

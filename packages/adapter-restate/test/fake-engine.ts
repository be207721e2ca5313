import type { Clock } from "@eoc/core";
import { CANCELLED, type Engine, type Pending } from "../src/engine.js";

interface Entry {
  readonly kind: "step" | "timer";
  readonly name: string;
  readonly wakeAtMs?: number;
  result?: { value: unknown };
}

type Notification = number | typeof CANCELLED;

/** Where an attempt can be hit: before a step's work, after it with nothing on record yet, and after it is on record. */
export type Moment = "before" | "unrecorded" | "recorded";

export interface FakeEngineOptions {
  readonly clock: Clock;
  readonly id?: string;
  /** Called at every moment of every step that is really taken. True ends the attempt there. */
  readonly hit?: (name: string, moment: Moment) => boolean;
}

/**
 * One invocation's record, kept as Restate keeps it: commands by place, results in the order in which they came. It
 * outlives attempts of the handler; JSON is all it can hold.
 */
export class FakeInvocation {
  readonly entries: Entry[] = [];
  readonly notifications: Notification[] = [];
  readonly #options: FakeEngineOptions;
  #current: FakeAttempt | undefined;

  constructor(options: FakeEngineOptions) {
    this.#options = options;
  }

  get id(): string {
    return this.#options.id ?? "inv-1";
  }

  /** An operator cancels. */
  cancel(): void {
    this.notifications.push(CANCELLED);
    this.#current?.wake();
  }

  /** The engine loses the attempt that is running; the process lives on. */
  cutOff(): void {
    this.#current?.end();
  }

  /** The handler is started, or started again: whatever an earlier attempt still does goes unheard. */
  attempt(): FakeAttempt {
    this.#current?.end();
    this.#current = new FakeAttempt(this, this.#options);
    return this.#current;
  }

  complete(index: number, value: unknown): void {
    this.entries[index]!.result = { value: value === undefined ? undefined : JSON.parse(JSON.stringify(value)) };
    this.notifications.push(index);
  }
}

export class FakeAttempt implements Engine {
  readonly id: string;
  /** Resolves when the attempt is hit. */
  readonly hit: Promise<void>;
  readonly #invocation: FakeInvocation;
  readonly #options: FakeEngineOptions;
  readonly #over = new AbortController();
  readonly #works = new Map<number, () => Promise<unknown>>();
  readonly #armed = new Set<number>();
  readonly #ready = new Set<number>();
  #place = 0;
  #read = 0;
  #wake: (() => void) | undefined;
  #onHit!: () => void;

  constructor(invocation: FakeInvocation, options: FakeEngineOptions) {
    this.#invocation = invocation;
    this.#options = options;
    this.id = invocation.id;
    this.hit = new Promise((resolve) => {
      this.#onHit = resolve;
    });
  }

  get attemptOver(): AbortSignal {
    return this.#over.signal;
  }

  end(): void {
    this.#over.abort();
    this.#onHit();
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  step<T>(name: string, work: () => Promise<T>): Pending<T> {
    const index = this.#command({ kind: "step", name });
    if (this.#invocation.entries[index]!.result === undefined) this.#works.set(index, work);
    return { handle: index };
  }

  timer(name: string, delayMs: number): Pending<void> {
    // Restate cuts a fraction off, and so would wake too early.
    if (!Number.isSafeInteger(delayMs) || delayMs < 0) throw new Error(`${name}: no whole milliseconds: ${delayMs}`);
    const wakeAtMs = this.#options.clock.monotonic() + delayMs;
    const index = this.#command({ kind: "timer", name, wakeAtMs });
    this.#start(index);
    return { handle: index };
  }

  /** A command that is on record already has to be the same again. */
  #command(entry: Entry): number {
    const index = this.#place++;
    const recorded = this.#invocation.entries[index];
    if (recorded === undefined) this.#invocation.entries.push(entry);
    else if (recorded.kind !== entry.kind || recorded.name !== entry.name) {
      throw new Error(
        `not deterministic: ${recorded.kind} ${recorded.name} is on record, not ${entry.kind} ${entry.name}`,
      );
    }
    return index;
  }

  async first(pending: readonly Pending<unknown>[]): Promise<{ index: number; value: unknown } | typeof CANCELLED> {
    for (;;) {
      const index = pending.findIndex(({ handle }) => this.#ready.has(handle as number));
      if (index >= 0)
        return { index, value: this.#invocation.entries[pending[index]!.handle as number]!.result!.value };
      const next = this.#invocation.notifications[this.#read];
      if (next === CANCELLED) {
        this.#read++;
        return CANCELLED;
      }
      if (next !== undefined) {
        this.#read++;
        this.#ready.add(next);
        continue;
      }
      const awake = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      for (const { handle } of pending) this.#start(handle as number);
      await awake;
      if (this.#over.signal.aborted) await new Promise<never>(() => {});
    }
  }

  #start(index: number): void {
    const entry = this.#invocation.entries[index]!;
    if (this.#armed.has(index) || entry.result !== undefined) return;
    this.#armed.add(index);
    if (entry.kind === "timer") {
      const delayMs = Math.max(0, entry.wakeAtMs! - this.#options.clock.monotonic());
      this.#options.clock.setTimer(() => this.#record(index, undefined), delayMs);
    } else void this.#run(index, entry);
  }

  async #run(index: number, { name }: Entry): Promise<void> {
    if (this.#isHit(name, "before")) return;
    const value = await this.#works.get(index)!();
    if (this.#isHit(name, "unrecorded")) return;
    this.#record(index, value);
    this.#isHit(name, "recorded");
  }

  #record(index: number, value: unknown): void {
    if (this.#over.signal.aborted || this.#invocation.entries[index]!.result !== undefined) return;
    this.#invocation.complete(index, value);
    this.wake();
  }

  #isHit(name: string, moment: Moment): boolean {
    if (this.#over.signal.aborted) return true;
    if (!this.#options.hit?.(name, moment)) return false;
    this.end();
    return true;
  }
}

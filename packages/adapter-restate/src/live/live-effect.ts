import type { Clock, ExecuteFn, KillSwitch, PlannedAction } from "@eoc/core";
import { type AbortCause, judgeResult, judgeThrown, type Settlement } from "@eoc/core/machine";
import { member, subscribe } from "./limited.js";
import { LiveAttempt } from "./live-attempt.js";

/** What an executor gave, and when, in milliseconds since the execution started. */
export interface Outcome {
  readonly at: number;
  readonly settlement: Settlement;
  /** Not for any record (S9.2). */
  readonly value: unknown;
}

/** What happened first while an attempt was being watched. */
export type Watched =
  | {
      readonly type: "settled";
      readonly at: number;
      readonly settlement: Settlement;
      readonly value?: { json: unknown };
    }
  | { readonly type: "limit"; readonly at: number }
  | { readonly type: "halt"; readonly at: number }
  | { readonly type: "over"; readonly at: number }
  /** This process does not know the attempt: the one that began it is gone, or cut off. */
  | { readonly type: "lost"; readonly at: number };

/** What a watch looks at. Read again on every {@link LiveEffect.look}. */
export interface Watch {
  /** Which of the attempt's timers is waited for: the machine has been told of those before it. */
  readonly timer: () => number;
  readonly toldOfHalt: () => boolean;
  /** A cancel has come, or nobody waits for what the watch sees any more. */
  readonly over: () => boolean;
}

/** The number of the first timer of every attempt: its limit. */
export const LIMIT = 1;

export interface Begin {
  readonly execute: ExecuteFn;
  readonly action: PlannedAction;
  readonly handed: LiveAttempt;
  readonly limitAt: number;
  /** Why it is aborted at its limit. */
  readonly limitCause: AbortCause;
  readonly abortsOnHalt: boolean;
}

/** Where an effect belongs. */
export interface Place {
  readonly action: number;
  readonly executionId: string;
  /** All the effects of the execution that this process knows, in plan order. */
  readonly besides: () => readonly LiveEffect[];
}

/**
 * One intended dispatch, as this process knows it. It is begun once, however many attempts of the handler come by, and
 * keeps its limits by itself: the engine may be away for a while.
 */
export class LiveEffect {
  readonly #clock: Clock;
  /** Milliseconds since the execution started. */
  readonly #now: () => number;
  readonly #place: Place;
  #state: "intended" | "begun" | "void" = "intended";
  #handed: LiveAttempt | undefined;
  #begunAt = 0;
  #outcome: Outcome | undefined;
  /** What has happened to it, in order: an executor that an abort has ended is not heard before the abort is. */
  readonly #happened: { readonly type: "limit" | "halt" | "settled"; readonly at: number; readonly timer: number }[] =
    [];
  #abortsOnHalt = false;
  #halted = false;
  #listensTo: KillSwitch | undefined;
  #leave: (() => void) | undefined;
  /** The number of the timer that was set last. */
  #timer = 0;
  #cancelTimer: (() => void) | undefined;
  readonly #onLook = new Set<() => void>();

  constructor(clock: Clock, now: () => number, place: Place) {
    this.#clock = clock;
    this.#now = now;
    this.#place = place;
  }

  get action(): number {
    return this.#place.action;
  }

  get executionId(): string {
    return this.#place.executionId;
  }

  get state(): "intended" | "begun" | "void" {
    return this.#state;
  }

  get begunAt(): number {
    return this.#begunAt;
  }

  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** From now on it cannot be begun any more. */
  makeVoid(): void {
    if (this.#state === "intended") this.#state = "void";
  }

  /** Calls the executor. Nothing is waited for between the last look at the gates and this. */
  begin({ execute, action, handed, limitAt, limitCause, abortsOnHalt }: Begin, at: number): void {
    this.#abortsOnHalt = abortsOnHalt;
    this.#state = "begun";
    this.#handed = handed;
    this.#begunAt = at;
    const resolved = (value: unknown) => this.#settle(judgeResult(value), member(value, "value"));
    const rejected = (error: unknown) => this.#settle(judgeThrown(error), undefined);
    try {
      const result: unknown = execute(action, handed);
      if (typeof member(result, "then") === "function") Promise.resolve(result).then(resolved, rejected);
      else resolved(result);
    } catch (error) {
      rejected(error);
    }
    this.setTimer(LIMIT, limitAt, limitCause);
  }

  #settle(settlement: Settlement, value: unknown): void {
    if (!LiveAttempt.settle(this.#handed!)) return;
    this.#outcome = { at: this.#now(), settlement, value };
    this.#cancelTimer?.();
    this.stopListening();
    this.#happens("settled");
  }

  #happens(type: "limit" | "halt" | "settled", at = this.#now()): void {
    this.#happened.push({ type, at, timer: this.#timer });
    this.look();
  }

  /**
   * Listens to the kill switch, before it is read: no halt falls between the two. False where it cannot be subscribed
   * to, and so could not be obeyed in flight (S2.3).
   */
  listen(killSwitch: KillSwitch | undefined): boolean {
    if (killSwitch === undefined || this.#listensTo !== undefined) return true;
    this.#listensTo = killSwitch;
    // Whoever hears of it first tells the others: they are aborted in plan order, as in one process.
    this.#leave = subscribe(killSwitch, () => {
      for (const effect of this.#place.besides()) if (effect.#listensTo === killSwitch) effect.#halt();
      this.#halt();
    });
    if (this.#leave === undefined) this.#listensTo = undefined;
    return this.#leave !== undefined;
  }

  #halt(): void {
    if (this.#halted || this.#listensTo === undefined) return;
    this.#halted = true;
    if (this.#state !== "begun") return;
    if (this.#abortsOnHalt) this.abort("halt");
    this.#happens("halt");
  }

  /** A halt was heard of. */
  get halted(): boolean {
    return this.#halted;
  }

  /** Nobody needs to hear of a halt any more. */
  stopListening(): void {
    this.#leave?.();
    this.#leave = undefined;
    this.#listensTo = undefined;
  }

  /**
   * Sets the attempt's timer in place of those before it, once for each number. It is kept here, so that it holds also
   * while no attempt of the handler is connected; `cause` aborts the attempt when it comes.
   */
  setTimer(timer: number, at: number, cause?: AbortCause): void {
    if (timer <= this.#timer || this.#outcome !== undefined) return;
    this.#cancelTimer?.();
    this.#timer = timer;
    const due = Math.ceil(at);
    this.#cancelTimer = this.#clock.setTimer(
      () => {
        if (cause !== undefined) this.abort(cause);
        // A clock may be a hair early; the machine, asked to believe that, would take what the abort causes for the executor's own.
        this.#happens("limit", Math.max(due, this.#now()));
      },
      Math.max(0, due - this.#now()),
    );
  }

  abort(cause: AbortCause): void {
    if (this.#handed !== undefined) LiveAttempt.abort(this.#handed, cause);
  }

  /** Something has changed: whoever watches looks again. */
  look(): void {
    for (const look of [...this.#onLook]) look();
  }

  /** What happens first. */
  watch(watch: Watch): Promise<Watched> {
    return new Promise((resolve) => {
      const look = () => {
        const seen = this.#seen(watch);
        if (seen === undefined) return;
        this.#onLook.delete(look);
        resolve(seen);
      };
      this.#onLook.add(look);
      look();
    });
  }

  #seen(watch: Watch): Watched | undefined {
    for (const { type, at, timer } of this.#happened) {
      if (type === "settled") return { type, at, settlement: this.#outcome!.settlement };
      if (type === "halt" ? !watch.toldOfHalt() : timer === watch.timer()) return { type, at };
    }
    return watch.over() ? { type: "over", at: this.#now() } : undefined;
  }
}

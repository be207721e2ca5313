import type { Clock, ExecuteFn, KillSwitch, PlannedAction } from "@eoc/core";
import { type AbortCause, judgeResult, judgeThrown, type Settlement } from "@eoc/core/machine";
import { attempt, member } from "./limited.js";
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
  | { readonly type: "cancel"; readonly at: number }
  /** This process does not know the attempt: the one that began it is gone, or cut off. */
  | { readonly type: "lost"; readonly at: number };

/** What a watch looks at. Read again on every {@link LiveEffect.look}. */
export interface Watch {
  /** When the watch ends, whatever happens. */
  readonly until: () => number;
  readonly toldOfHalt: () => boolean;
  /** The machine has aborted the attempt already. */
  readonly toldOfLimit: () => boolean;
  readonly cancelled: () => boolean;
}

export interface Begin {
  readonly execute: ExecuteFn;
  readonly action: PlannedAction;
  readonly handed: LiveAttempt;
  readonly limitAt: number;
  /** Why it is aborted at its limit. */
  readonly limitCause: AbortCause;
  readonly abortsOnHalt: boolean;
}

/**
 * One intended dispatch, as this process knows it. It is begun once, however many attempts of the handler come by, and
 * keeps its limits by itself: the engine may be away for a while.
 */
export class LiveEffect {
  readonly #clock: Clock;
  /** Milliseconds since the execution started. */
  readonly #now: () => number;
  #state: "intended" | "begun" | "void" = "intended";
  #handed: LiveAttempt | undefined;
  #begunAt = 0;
  #outcome: Outcome | undefined;
  /** What has happened to it, in order: an executor that an abort has ended is not heard before the abort is. */
  readonly #happened: { readonly type: "limit" | "halt" | "settled"; readonly at: number }[] = [];
  #abortsOnHalt = false;
  #halted = false;
  #leave: (() => void) | undefined;
  #cancelLimit: (() => void) | undefined;
  readonly #onLook = new Set<() => void>();

  constructor(clock: Clock, now: () => number) {
    this.#clock = clock;
    this.#now = now;
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
    if (this.#outcome === undefined) this.#guard(limitAt, limitCause);
  }

  #settle(settlement: Settlement, value: unknown): void {
    if (!LiveAttempt.settle(this.#handed!)) return;
    this.#outcome = { at: this.#now(), settlement: journalable(settlement), value };
    this.#cancelLimit?.();
    this.stopListening();
    this.#happens("settled");
  }

  #happens(type: "limit" | "halt" | "settled"): void {
    this.#happened.push({ type, at: this.#now() });
    this.look();
  }

  /**
   * Listens to the kill switch, before it is read: no halt falls between the two. False where it cannot be subscribed
   * to, and so could not be obeyed in flight (S2.3).
   */
  listen(killSwitch: KillSwitch | undefined): boolean {
    if (killSwitch?.subscribe === undefined || this.#leave !== undefined) return true;
    try {
      const leave: unknown = killSwitch.subscribe((state: unknown) => {
        // Whatever is not plainly "go on" stops.
        if (member(state, "halted") === false || this.#halted) return;
        this.#halted = true;
        if (this.#state !== "begun") return;
        if (this.#abortsOnHalt) this.abort("halt");
        this.#happens("halt");
      });
      this.#leave = () => {
        if (typeof leave === "function") attempt(leave as () => unknown);
      };
      return true;
    } catch {
      return false;
    }
  }

  /** A halt was heard of. */
  get halted(): boolean {
    return this.#halted;
  }

  /** Nobody needs to hear of a halt any more. */
  stopListening(): void {
    this.#leave?.();
    this.#leave = undefined;
  }

  /** The limit is kept here, so that it holds also while no attempt of the handler is connected. */
  #guard(limitAt: number, cause: AbortCause): void {
    this.#cancelLimit = this.#clock.setTimer(
      () => {
        this.abort(cause);
        this.#happens("limit");
      },
      Math.max(0, limitAt - this.#now()),
    );
  }

  abort(cause: AbortCause): void {
    if (this.#handed !== undefined) LiveAttempt.abort(this.#handed, cause);
  }

  /** Something has changed: whoever watches looks again. */
  look(): void {
    for (const look of [...this.#onLook]) look();
  }

  /** What happens first. Takes one timer, and leaves none behind. */
  watch(watch: Watch): Promise<Watched> {
    return new Promise((resolve) => {
      let cancel: (() => void) | undefined;
      let armedFor = Number.NaN;
      const look = () => {
        const seen = this.#seen(watch);
        if (seen !== undefined) {
          this.#onLook.delete(look);
          cancel?.();
          return resolve(seen);
        }
        const until = watch.until();
        if (until === armedFor) return;
        cancel?.();
        armedFor = until;
        if (until === Number.POSITIVE_INFINITY) return;
        cancel = this.#clock.setTimer(
          () => {
            armedFor = Number.NaN;
            look();
          },
          Math.max(1, until - this.#now()),
        );
      };
      this.#onLook.add(look);
      look();
    });
  }

  #seen(watch: Watch): Watched | undefined {
    for (const { type, at } of this.#happened) {
      if (type === "settled") return { type, at, settlement: this.#outcome!.settlement };
      const told = type === "halt" ? watch.toldOfHalt() : watch.toldOfLimit();
      if (!told) return { type, at };
    }
    const now = this.#now();
    if (watch.cancelled()) return { type: "cancel", at: now };
    return now >= watch.until() ? { type: "limit", at: now } : undefined;
  }
}

/** JSON has no infinity. */
function journalable(settlement: Settlement): Settlement {
  if (settlement.kind !== "not_applied") return settlement;
  return { ...settlement, retryAfterMs: Math.min(settlement.retryAfterMs, Number.MAX_SAFE_INTEGER) };
}

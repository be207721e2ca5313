import type { Effect, ExecutionEvent } from "@eoc/core";
import type { JournalProblemCode } from "./findings.js";

/** What is to be said of a record: which rule was broken, or could not be checked, and how. */
export type Charge = (code: JournalProblemCode, message: string) => void;

export interface Charges {
  readonly broken: Charge;
  readonly unproven: Charge;
}

export type EventOf<T extends ExecutionEvent["type"]> = ExecutionEvent & { type: T };

/** Holds the records of one action to what may follow what (S3, S4.3), whatever the policy. */
export class ActionConduct {
  readonly #index: number;
  /** What kind of action it is, such as `ACT`. */
  kind = "";
  /** Its key is claimed. */
  claimed = false;
  /** Dispatches, and those of them that are at work as far as anybody knows (S4.4). */
  starts = 0;
  atWork = 0;
  #ended = false;
  #isReconciled = false;
  /** The number of the last attempt that was intended and not dispatched yet. */
  #intended: number | undefined;
  /** The last attempt was given up without an answer. */
  #unsettled = false;
  #outcome: "none" | "applied" | "not_applied" | "unknown" = "none";
  #late = false;
  #invalid = false;
  /** Attempts before the last one whose outcome stayed unknown. */
  #unknowns = 0;

  constructor(index: number) {
    this.#index = index;
  }

  attempt(number: number): string {
    return `attempt ${number} of action ${this.#index}`;
  }

  /** Its records all name the kind of action that it began as. */
  mustBe(event: ExecutionEvent & { actionIndex: number }, { broken }: Charges): void {
    if (!("action" in event) || this.kind === "" || event.action === this.kind) return;
    broken("action_mismatch", `${event.type} of action ${this.#index} names another action than it began as`);
  }

  intend(number: number, { broken }: Charges): void {
    this.#intended = number;
    if (this.#ended) broken("after_end", `${this.attempt(number)} is intended after the end of its action`);
  }

  withdraw(): void {
    this.#intended = undefined;
  }

  start(number: number, effect: Effect | undefined, charges: Charges): void {
    const { broken } = charges;
    const name = this.attempt(number);
    if (this.#ended) broken("after_end", `${name} is dispatched after the end of its action`);
    if (this.#intended !== number) broken("no_intent", `${name} is dispatched without an intent`);
    if (this.atWork > 0) broken("overlap", `${name} is dispatched while the one before is at work`);
    this.#repeat(name, effect, charges);
    if (this.#outcome === "unknown") this.#unknowns++;
    this.#intended = undefined;
    this.#outcome = "none";
    this.starts++;
    this.atWork++;
  }

  finish({ status, errorCode, late = false }: EventOf<"attempt.finished">): void {
    this.#outcome = OUTCOMES[status];
    this.#late = late;
    this.#invalid = errorCode === "invalid_result";
    // Who answers after its limit is marked late; a timeout that is not has had no answer at all.
    this.#unsettled = status === "unknown" && errorCode === "timeout" && !late;
    if (!this.#unsettled) this.atWork--;
  }

  settleLate({ status }: EventOf<"attempt.settled_late">): void {
    if (this.#unsettled) this.atWork--;
    this.#unsettled = false;
    if (status === "unknown" || this.#ended) return;
    this.#outcome = OUTCOMES[status];
    this.#late = true;
  }

  reconcile({ verdict, whileRunning }: EventOf<"reconcile.finished">): void {
    this.#isReconciled = true;
    if (verdict === "applied") this.#outcome = "applied";
    else if (verdict === "not_applied" && !whileRunning && this.#outcome === "unknown") {
      this.#outcome = "not_applied";
      this.#late = false;
    }
  }

  /** Its row may say less than the attempts, never more. */
  end(
    { status, reason, attemptCount, basis, replayed }: EventOf<"action.finished">,
    effect: Effect | undefined,
    charges: Charges,
  ): void {
    this.#ended = true;
    const lie = (words: string) => charges.broken("row_mismatch", `action ${this.#index} ends ${status}, but ${words}`);
    if (attemptCount !== this.starts) return lie(`with ${attemptCount} dispatches where ${this.starts} are on record`);
    if (replayed && this.starts > 0) return lie("was dispatched, not replayed");
    if (basis === "reconcile" && !this.#isReconciled) return lie("by reconcile, and none is on record");
    const isApplied = this.#outcome === "applied";
    if (status === "success") {
      if (reason === "replayed" && this.starts > 0) lie("was dispatched, not replayed");
      else if (reason !== "replayed" && !isApplied) lie("nothing on record says that it was applied");
    } else if (status !== "unknown") {
      if (isApplied) lie("it was applied");
      else if (this.#unknowns > 0 || this.#outcome === "unknown") {
        if (effect === undefined)
          charges.unproven("effect_unknown", `action ${this.#index} ends ${status} after an unknown outcome`);
        else if (effect !== "none") lie("an outcome of it is unknown");
      }
    }
  }

  /** Whether what the attempt before came to allows another one. */
  #repeat(name: string, effect: Effect | undefined, { broken, unproven }: Charges): void {
    const isUnknown = this.#outcome === "unknown";
    if (this.#outcome === "applied")
      broken("repeated_after_success", `${name} is dispatched although one before was applied`);
    if (isUnknown && this.#invalid) {
      return broken("repeated_after_unknown", `${name} is dispatched after something that is no result`);
    }
    if (!isUnknown && !(this.#outcome === "not_applied" && this.#late)) return;
    const after = isUnknown ? "an unknown outcome" : "an answer that came late";
    if (effect === undefined) {
      unproven("effect_unknown", `${name} is dispatched after ${after}, and nothing says whether it may be`);
    } else if (effect === "once") {
      const code = isUnknown ? "repeated_after_unknown" : "repeated_after_late";
      broken(code, `${name} of a once-only action is dispatched after ${after}`);
    }
  }
}

const OUTCOMES = { success: "applied", failed: "not_applied", unknown: "unknown" } as const;

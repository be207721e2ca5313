import type { OpenIntent } from "./open-intent.js";
import type { AnyEvent } from "./paired-execution.js";

type Names = Pick<OpenIntent, "executionId" | "actionIndex" | "attemptNumber">;
type Doubted = Names & { found?: string };

/**
 * What has ever been in doubt, by the records of the intents, and what was found out of it: a settlement is held to that. Holds
 * nothing of dispatches whose end was known at once.
 */
export class Settlements {
  readonly #doubted = new Map<number, Doubted>();

  doubt({ seq, executionId, actionIndex, attemptNumber }: OpenIntent): void {
    if (!this.#doubted.has(seq)) this.#doubted.set(seq, { executionId, actionIndex, attemptNumber });
  }

  /** The executor has said late what it came to. */
  heardOf(seq: number, status: string): void {
    if (status !== "unknown") this.found(seq, status === "success" ? "applied" : "not_applied");
  }

  found(seq: number, outcome: string): void {
    const doubted = this.#doubted.get(seq);
    if (doubted !== undefined) doubted.found = outcome;
  }

  /** What speaks against a settlement, in words; undefined for nothing, and it counts then. */
  faultOf({ intentSeq, executionId, actionIndex, attemptNumber, outcome }: AnyEvent): string | undefined {
    const doubted = this.#doubted.get(intentSeq);
    // A dispatch may have ended while somebody was asking about it: then there is nothing to settle.
    if (doubted === undefined) return undefined;
    const isNamed =
      doubted.executionId === executionId &&
      doubted.actionIndex === actionIndex &&
      doubted.attemptNumber === attemptNumber;
    if (!isNamed) return `it settles record ${intentSeq}, but names another dispatch`;
    if (doubted.found !== undefined && doubted.found !== outcome)
      return `it says ${outcome} of record ${intentSeq}, which was found ${doubted.found} before`;
    doubted.found = outcome;
    return undefined;
  }
}

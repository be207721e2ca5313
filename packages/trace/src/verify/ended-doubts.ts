import type { OpenIntent } from "./open-intent.js";
import type { AnyEvent } from "./paired-execution.js";
import type { Settlements } from "./settlements.js";

/** What was in doubt when its execution ended, until something settles it. */
export class EndedDoubts {
  /** By the records of their intents. */
  readonly #doubts = new Map<number, OpenIntent>();
  readonly #byAction = new Map<string, OpenIntent[]>();
  readonly #byKey = new Map<string, OpenIntent[]>();

  /** @param key which their action had claimed */
  add(doubts: readonly OpenIntent[], key: string | undefined): void {
    for (const doubt of doubts) {
      this.#doubts.set(doubt.seq, doubt);
      addTo(this.#byAction, nameOf(doubt), doubt);
      if (key !== undefined) addTo(this.#byKey, key, doubt);
    }
  }

  left(): Iterable<OpenIntent> {
    return this.#doubts.values();
  }

  /** Whether there was one with its intent in this record. */
  settle(intentSeq: number): boolean {
    return this.#doubts.delete(intentSeq);
  }

  /** An attempt is heard of late: a success settles what was in doubt before it, since its action was repeatable. */
  heardOf(event: AnyEvent, settlements: Settlements): void {
    if (event.status === "unknown") return;
    for (const { seq, attemptNumber } of this.#byAction.get(nameOf(event)) ?? []) {
      if (attemptNumber === event.attemptNumber) settlements.heardOf(seq, event.status);
      if (event.status === "success" || attemptNumber === event.attemptNumber) this.#doubts.delete(seq);
    }
  }

  settleKey(key: string): void {
    for (const { seq } of this.#byKey.get(key) ?? []) this.#doubts.delete(seq);
    this.#byKey.delete(key);
  }
}

function nameOf({ executionId, actionIndex }: Pick<OpenIntent, "executionId" | "actionIndex">): string {
  return `${actionIndex} ${executionId}`;
}

export function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

import type { Results } from "./measure/results.ts";

/** One who does a work's operation, alone in a process of its own. */
export interface Contestant {
  /** Does the operation `count` times. Throws when a result is not what it has to be: a wrong answer has no speed. */
  run(count: number): Promise<void> | void;
  /** What else is measured, each once after the rounds, such as the bytes that a waiting item holds. */
  readonly gauges?: Readonly<Record<string, () => Promise<number> | number>>;
}

/** One of the figures that a run has to show. */
export interface Show {
  /** Its number in the list of what is asked. */
  readonly show: number;
  readonly what: string;
  readonly value: (results: Results) => number;
  readonly atMost: number;
  /** @defaultValue "×" */
  readonly unit?: "×" | "bytes" | "ms" | "MB" | "kB" | "";
}

/** Something that is done by several contestants in turn. */
export interface Work {
  readonly name: string;
  readonly title: string;
  /** What one operation is, in the singular. */
  readonly operation: string;
  /** The contestant that the tables compare with. */
  readonly floor: string;
  /** Makes the contestants; each imports what it needs when it is made, so that no process pays for another's library. */
  readonly contestants: Readonly<Record<string, () => Promise<Contestant> | Contestant>>;
  /** Operations of one run where they cannot be chosen freely, in a full and in a short form. */
  readonly count?: { readonly full: number; readonly short: number };
  /** Rounds of one process in a full form. @defaultValue 9 */
  readonly rounds?: number;
  /** No bytes per operation: for works in which collection cannot be kept away. */
  readonly withoutBytes?: true;
  /** No time per operation: for works whose gauges say all there is to say. */
  readonly withoutTime?: true;
  readonly shows: readonly Show[];
}

/** Throws unless `value` is what a contestant has to get. */
export function verify(isRight: unknown, who: string, value?: unknown): asserts isRight {
  if (!isRight) throw new Error(`${who} got a wrong result: ${JSON.stringify(value)}`);
}

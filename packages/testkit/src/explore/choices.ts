import { valueText } from "../value-text.js";

/** One choice that was made. */
export interface Choice {
  /** What was to be chosen. */
  readonly name: string;
  /** The option taken, as text. */
  readonly taken: string;
  /** Its place among the options; 0 is what happens when nothing is chosen. */
  readonly index: number;
  /** How many options there were. */
  readonly of: number;
}

/**
 * Chooses among `count` options; `position` counts the choices of a run from 0. `usual` is the share of the first option
 * where it is more than the others'.
 */
export type Chooser = (position: number, name: string, count: number, usual: number | undefined) => number;

/** More choices than any run should need: one that never ends would exhaust the memory. */
const MAX_CHOICES = 100_000;

/** Makes the choices of one run and remembers them. */
export class Choices {
  readonly taken: Choice[] = [];
  /** A choice that cannot be made. Whoever asked may have swallowed it: an executor that throws is no news. */
  misuse: Error | undefined;
  readonly #choose: Chooser;

  constructor(choose: Chooser) {
    this.#choose = choose;
  }

  /** One of `options`. A single option is no choice. @throws TypeError when there is none, RangeError when there is not that one */
  choose<T>(name: string, options: readonly T[], usual?: number): T {
    const of = Array.isArray(options) ? options.length : 0;
    if (of === 0) return this.#refuse(new TypeError(`nothing to choose from: ${name}`));
    if (of === 1) return options[0]!;
    const position = this.taken.length;
    if (position === MAX_CHOICES) return this.#refuse(new RangeError(`a run of more than ${MAX_CHOICES} choices`));
    const index = this.#choose(position, name, of, usual);
    if (index >= of) {
      this.taken.push({ name, taken: "no such option", index, of });
      const message = `the replay is stale: its choice ${position} is option ${index}, but "${name}" has ${of} options, from 0`;
      return this.#refuse(new RangeError(message));
    }
    const option = options[index]!;
    this.taken.push({ name, taken: optionText(option), index, of });
    return option;
  }

  #refuse(error: Error): never {
    this.misuse ??= error;
    throw error;
  }
}

/** Follows a list as far as there are such options; beyond its end nothing is chosen any more. */
export function followed(indexes: readonly number[]): Chooser {
  return (position, _name, count) => Math.min(indexes[position] ?? 0, count - 1);
}

/** Follows a list to the letter: an option that there is not is no other one. */
export function replayed(indexes: readonly number[]): Chooser {
  return (position) => indexes[position] ?? 0;
}

function optionText(option: unknown): string {
  const text = (option as { text?: unknown } | null | undefined)?.text;
  return typeof text === "string" ? text : valueText(option);
}

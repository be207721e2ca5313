/** One member of a structured field: its bare value and its parameters. */
export interface StructuredItem {
  readonly value: StructuredValue;
  readonly parameters: ReadonlyMap<string, StructuredValue>;
}

/** A number, a string, a token or byte sequence as its text, or a boolean. */
export type StructuredValue = number | string | boolean;

const KEY = /[a-z*][a-z0-9_.*-]*/y;
const NUMBER = /-?(?:\d{1,12}\.\d{1,3}|\d{1,15})(?![\d.])/y;
const STRING = /"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y;
const TOKEN_OR_BYTES = /[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*|:[A-Za-z0-9+/=]*:/y;
const BOOLEAN = /\?[01]/y;

/** Reads a list of items (RFC 9651 §4.2.1), inner lists excepted; undefined when it is malformed. */
export function parseStructuredList(text: string): StructuredItem[] | undefined {
  return parseMembers(text, (input) => {
    const value = input.value();
    return value === undefined ? undefined : { value, parameters: input.parameters() };
  });
}

/** Reads a dictionary of items (RFC 9651 §4.2.2) without their parameters; undefined when it is malformed. */
export function parseStructuredDictionary(text: string): ReadonlyMap<string, StructuredValue> | undefined {
  const entries = parseMembers(text, (input): [string, StructuredValue] | undefined => {
    const key = input.take(KEY);
    const value = input.take(/=/y) === undefined ? true : input.value();
    input.parameters();
    return key === undefined || value === undefined ? undefined : [key, value];
  });
  return entries && new Map(entries);
}

function parseMembers<T>(text: string, member: (input: Input) => T | undefined): T[] | undefined {
  const input = new Input(text.trim());
  const members: T[] = [];
  while (true) {
    const next = member(input);
    if (next === undefined || input.malformed) return undefined;
    members.push(next);
    if (input.atEnd) return members;
    if (input.take(/[ \t]*,[ \t]*/y) === undefined) return undefined;
  }
}

class Input {
  readonly #text: string;
  #at = 0;
  malformed = false;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length;
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  value(): StructuredValue | undefined {
    const number = this.take(NUMBER);
    if (number !== undefined) return Number(number);
    const string = this.take(STRING);
    if (string !== undefined) return string.slice(1, -1).replace(/\\(.)/g, "$1");
    const boolean = this.take(BOOLEAN);
    return boolean === undefined ? this.take(TOKEN_OR_BYTES) : boolean === "?1";
  }

  parameters(): ReadonlyMap<string, StructuredValue> {
    const parameters = new Map<string, StructuredValue>();
    while (this.take(/; */y) !== undefined) {
      const key = this.take(KEY);
      const value = this.take(/=/y) === undefined ? true : this.value();
      if (key === undefined || value === undefined) {
        this.malformed = true;
        break;
      }
      parameters.set(key, value);
    }
    return parameters;
  }
}

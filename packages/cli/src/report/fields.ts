/** Reads fields of what a file holds, one rule for all: a value that is not what it must be names its place. */
export class Fields {
  readonly #value: Record<string, unknown>;
  readonly #path: string;

  /** @throws MalformedReport when `value` is no object */
  constructor(value: unknown, path = "") {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new MalformedReport(path, "an object");
    this.#value = value as Record<string, unknown>;
    this.#path = path;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#value, key);
  }

  text(key: string): string {
    return this.#must(key, "a text", (value): value is string => typeof value === "string");
  }

  number(key: string): number {
    return this.#must(key, "a number", (value): value is number => Number.isFinite(value));
  }

  /** A number from 0 on: an index or a count. */
  count(key: string): number {
    const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
    return this.#must(key, "a whole number from 0 on", isCount);
  }

  flag(key: string): boolean {
    return this.#must(key, "true or false", (value): value is boolean => typeof value === "boolean");
  }

  oneOf<T extends string>(key: string, words: readonly T[]): T {
    return this.#must(key, `one of ${words.join(", ")}`, (value): value is T => words.includes(value as T));
  }

  /** Every item of a list as an object. */
  list(key: string): Fields[] {
    const items = this.#must(key, "a list", (value): value is unknown[] => Array.isArray(value));
    return items.map((item, index) => new Fields(item, `${this.#pathOf(key)}[${index}]`));
  }

  /** What `read` reads, unless the field is absent or null, as absent fields are written on the wire. */
  maybe<T>(key: string, read: (fields: Fields, key: string) => T): T | undefined {
    const value = this.#value[key];
    return value === undefined || value === null ? undefined : read(this, key);
  }

  #must<T>(key: string, expected: string, accepts: (value: unknown) => value is T): T {
    const value = this.has(key) ? this.#value[key] : undefined;
    if (!accepts(value)) throw new MalformedReport(this.#pathOf(key), expected);
    return value;
  }

  #pathOf(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }
}

/** A value that is not what it must be. */
export class MalformedReport extends Error {
  constructor(path: string, expected: string) {
    super(`${path === "" ? "it" : path} must be ${expected}`);
    this.name = "MalformedReport";
  }
}

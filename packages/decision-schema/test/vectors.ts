import { readFileSync } from "node:fs";

/** One case of a golden vector file: what the Python reference answered for an input. */
export interface VectorCase {
  readonly name: string;
  readonly category: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly expected: VectorExpectation;
}

/** `value`, or `raises` where the reference failed; some files add more. */
export interface VectorExpectation {
  readonly value?: unknown;
  readonly raises?: { readonly type: string; readonly message: string };
  readonly [more: string]: unknown;
}

/** A golden vector file, decoded. Sections that a file does not have are empty. */
export interface VectorFile {
  readonly reference: Readonly<Record<string, unknown>>;
  readonly section: (name: string) => readonly VectorCase[];
}

/** Reads a vector file, such as `new URL("./vectors/types.json", import.meta.url)`. */
export function readVectors(file: URL): VectorFile {
  const content = decodeVector(JSON.parse(readFileSync(file, "utf8"))) as Record<string, unknown>;
  return {
    reference: (content["reference"] ?? {}) as Record<string, unknown>,
    section: (name) => (content[name] ?? []) as VectorCase[],
  };
}

/** Turns the encodings of what JSON cannot carry (`$float`, `$tuple`, `$repeat`, `$nest`) into the values they stand for. */
export function decodeVector(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decodeVector);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) {
    const decode = decoders[only[0]];
    if (decode) return decode(only[1]);
  }
  const decoded = {};
  for (const [key, member] of entries) {
    // Some inputs have a key named __proto__.
    Object.defineProperty(decoded, key, {
      value: decodeVector(member),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return decoded;
}

const decoders: Readonly<Record<string, (argument: unknown) => unknown>> = Object.assign(Object.create(null), {
  $float: (name: string) =>
    ({ nan: Number.NaN, inf: Number.POSITIVE_INFINITY, "-inf": Number.NEGATIVE_INFINITY, "-0.0": -0 })[name],
  $tuple: (items: unknown[]) => items.map(decodeVector),
  $repeat: ([text, times]: [string, number]) => text.repeat(times),
  $nest: ({ kind, depth, key, leaf }: { kind: "dict" | "list"; depth: number; key: string; leaf: unknown }) => {
    let value = decodeVector(leaf);
    for (let level = 0; level < depth; level++) value = kind === "list" ? [value] : { [key]: value };
    return value;
  },
});

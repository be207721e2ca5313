/** A file that is not a scenario: where in it, and why. Its message is one line. */
export class MalformedFile extends Error {
  constructor(path: string, reason: string) {
    super(`${path === "" ? "(whole file)" : path}: ${reason}`);
    this.name = "MalformedFile";
  }
}

/** What a field must be, in words, and whether a value is. */
export interface FieldRule {
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const aBoolean: FieldRule = { expected: "true or false", accepts: (value) => typeof value === "boolean" };
export const aText: FieldRule = { expected: "a text", accepts: (value) => typeof value === "string" };
export const anObject: FieldRule = { expected: "an object", accepts: isRecord };

export const anInteger = (min: number, max: number): FieldRule => ({
  expected: `an integer from ${min} to ${max}`,
  accepts: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
});

/**
 * The object at `path`, with no other fields than those of `rules`, each as its rule says or absent.
 * @throws MalformedFile naming the first that is not.
 */
export function checkFields(
  value: unknown,
  path: string,
  rules: Readonly<Record<string, FieldRule>>,
): Record<string, unknown> {
  if (!isRecord(value)) throw new MalformedFile(path, `expected an object`);
  for (const [key, member] of Object.entries(value)) {
    const at = path === "" ? key : `${path}.${key}`;
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule === undefined) throw new MalformedFile(at, `no such field; known are ${Object.keys(rules).join(", ")}`);
    if (!rule.accepts(member)) throw new MalformedFile(at, `expected ${rule.expected}`);
  }
  return value;
}

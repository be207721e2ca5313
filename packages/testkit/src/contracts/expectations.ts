import { valueText } from "../value-text.js";

/** Fails the case unless `holds`. */
export function must(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message);
}

/** Fails the case unless the two are equal as JSON is, members that are undefined left out. */
export function mustEqual(actual: unknown, expected: unknown, what: string): void {
  must(isEqual(actual, expected), `${what}: expected ${valueText(expected)}, got ${valueText(actual)}`);
}

/** Like {@link mustEqual}, for the named members only. */
export function mustMatch(actual: unknown, expected: Readonly<Record<string, unknown>>, what: string): void {
  const members = typeof actual === "object" && actual !== null ? (actual as Record<string, unknown>) : {};
  const fits = Object.entries(expected).every(([name, value]) => isEqual(members[name], value));
  must(fits, `${what}: expected ${valueText(expected)}, got ${valueText(actual)}`);
}

function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => isEqual(one[key], other[key]));
}

import { EocError } from "@eoc/core";

/**
 * Refuses the option at `path` unless `holds`.
 * @throws EocError `invalid_option`, with the type of what was received: a text may be a secret in the wrong place
 */
export function checkOption(holds: boolean, path: string, expected: string, value: unknown): void {
  if (!holds) refuseOption(path, expected, nameOf(value));
}

/** @throws EocError `invalid_option` unless `value` has all these methods */
export function checkMethods(path: string, value: unknown, ...methods: readonly string[]): void {
  const held = (value ?? {}) as Readonly<Record<string, unknown>>;
  const holds = methods.every((method) => typeof held[method] === "function");
  checkOption(holds, path, `an object with ${methods.map((method) => `${method}()`).join(" and ")}`, value);
}

/** @throws EocError `invalid_option` unless `value` is one of `words` */
export function checkWord(path: string, value: unknown, words: readonly string[]): void {
  if (words.includes(value as string)) return;
  const isShort = typeof value === "string" && value.length <= 40;
  refuseOption(path, `one of ${words.join(", ")}`, isShort ? JSON.stringify(value) : nameOf(value));
}

/** @throws EocError `invalid_option`, always */
export function refuseOption(path: string, expected: string, received: string): never {
  throw new EocError("invalid_option", `${path} must be ${expected}, not ${received}`, {
    issues: [{ path, expected, received }],
  });
}

/** An object that is no list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nameOf(value: unknown): string {
  if (value === null || typeof value === "number") return String(value);
  return Array.isArray(value) ? "a list" : typeof value;
}

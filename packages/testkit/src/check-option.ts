import { EocError } from "@eoc/core";
import { valueText } from "./value-text.js";

/**
 * Refuses the option at `path` unless `holds`.
 * @throws EocError `invalid_option`
 */
export function checkOption(holds: boolean, path: string, expected: string, value: unknown): void {
  if (holds) return;
  const received = typeof value === "number" ? String(value) : valueText(value);
  throw new EocError("invalid_option", `${path} must be ${expected}, not ${received}`, {
    issues: [{ path, expected, received }],
  });
}

/** @throws EocError `invalid_option` unless `value` is one of `words` */
export function checkWord(path: string, value: unknown, words: readonly string[]): void {
  checkOption(words.includes(value as string), path, `one of ${words.join(", ")}`, value);
}

/** @throws EocError `invalid_option` unless `value` is a number of at least `min`; undefined is left to its default */
export function checkNumber(path: string, value: unknown, min = 0): void {
  checkOption(value === undefined || (typeof value === "number" && value >= min), path, `a number >= ${min}`, value);
}

/** @throws EocError `invalid_option` unless `range` is two numbers, the smaller one first; undefined is left to its default */
export function checkRange(path: string, range: unknown): void {
  if (range === undefined) return;
  const [min, max] = Array.isArray(range) ? (range as unknown[]) : [];
  const holds = typeof min === "number" && typeof max === "number" && 0 <= min && min <= max;
  checkOption(holds, path, "[min, max], numbers >= 0", range);
}

/** @throws EocError `invalid_option` unless `value` is a function; undefined is left to its default */
export function checkFunction(path: string, value: unknown): void {
  checkOption(value === undefined || typeof value === "function", path, "a function", value);
}

/** @throws EocError `invalid_option` unless there is a clock that sleeps; `what` needs it */
export function checkClock(clock: unknown, what: string): void {
  const holds = typeof (clock as { sleep?: unknown } | null | undefined)?.sleep === "function";
  checkOption(holds, "clock", `a virtual clock: ${what}`, clock);
}

/** @throws EocError `invalid_option` unless the rates, defaults filled in, are probabilities that add up to 1 at most */
export function checkRates(path: string, rates: Readonly<Record<string, number>>): void {
  for (const [name, rate] of Object.entries(rates)) {
    checkOption(rate >= 0 && rate <= 1, `${path}.${name}`, "a number from 0 to 1", rate);
  }
  const sum = Object.values(rates).reduce((total, rate) => total + rate, 0);
  const all = Object.keys(rates).join(", ");
  checkOption(sum <= 1 + Number.EPSILON, path, `at most 1 in all, defaults included (${all})`, sum);
}

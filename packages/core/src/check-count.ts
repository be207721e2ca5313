import { EocError } from "./errors.js";

/**
 * @throws EocError `invalid_option` when `value` is not an integer of at least `min`.
 */
export function checkCount(path: string, value: unknown, min: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= min) return;
  const expected = `an integer >= ${min}`;
  const received = typeof value === "number" ? String(value) : typeof value;
  throw new EocError("invalid_option", `${path} must be ${expected}, not ${received}`, {
    issues: [{ path, expected, received }],
  });
}

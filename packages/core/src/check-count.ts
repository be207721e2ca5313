import { refuseOption } from "./refuse-option.js";

/**
 * @throws EocError `invalid_option` when `value` is not an integer of at least `min`.
 */
export function checkCount(path: string, value: unknown, min: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= min) return;
  refuseOption(path, `an integer >= ${min}`, typeof value === "number" ? String(value) : typeof value);
}

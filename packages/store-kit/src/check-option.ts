import { EocError } from "@eoc/core";

/** @throws EocError `invalid_option`, always */
export function refuseOption(path: string, expected: string, value: unknown): never {
  const received = typeof value === "number" ? String(value) : typeof value;
  throw new EocError("invalid_option", `${path} must be ${expected}, not ${received}`, {
    issues: [{ path, expected, received }],
  });
}

/** @throws EocError `invalid_option` when `value` is not a positive number */
export function checkDuration(path: string, value: unknown): void {
  if (typeof value !== "number" || !(value > 0)) refuseOption(path, "a number of milliseconds > 0", value);
}

/**
 * Anything else would free a key in doubt, and have its action dispatched again.
 * @throws EocError `invalid_option` when `outcome` is neither of the two
 */
export function checkOutcome(outcome: unknown): void {
  if (outcome !== "applied" && outcome !== "not_applied")
    refuseOption("outcome", '"applied" or "not_applied"', outcome);
}

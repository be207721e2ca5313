import { EocError } from "./errors.js";

/** @throws EocError `invalid_option`, always */
export function refuseOption(path: string, expected: string, received: string): never {
  throw new EocError("invalid_option", `${path} must be ${expected}, not ${received}`, {
    issues: [{ path, expected, received }],
  });
}

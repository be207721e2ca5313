import { EocError } from "@eoc/core";

/** @throws EocError `invalid_option` */
export function checkPath(file: string): string {
  check(typeof file === "string" && file !== "" && !file.startsWith(":"), "file", "a path", String(file));
  return file;
}

/** @throws EocError `invalid_option` */
export function checkCount(path: string, value: number, min: number): number {
  check(Number.isSafeInteger(value) && value >= min && value < 2 ** 31, path, `an integer >= ${min}`, String(value));
  return value;
}

/** @throws EocError `invalid_option` unless `isValid` */
export function check(isValid: boolean, path: string, expected: string, received: string): void {
  if (isValid) return;
  throw new EocError("invalid_option", `${path} must be ${expected}, not ${JSON.stringify(received)}`, {
    issues: [{ path, expected, received }],
  });
}

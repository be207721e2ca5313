import { SchemaError, typeName } from "./errors.ts";

/** The version of the wire contract that this package implements. `actions`, `effect` and our trace keys are additions to it. */
export const SCHEMA_VERSION = "0.2.2";

/** A version of the contract in its parts. */
export interface Version {
  major: number;
  minor: number;
  patch: number;
}

/** The versions that a reader accepts; a bound that is absent or `null` does not bound. */
export interface VersionRange {
  major: number;
  minMinor?: number | null | undefined;
  maxMinor?: number | null | undefined;
}

/**
 * Says whether a packet of `version` can be read by one who expects `range`. Source: the reference's `compat.py`.
 *
 * The major must be the same; below 1.0 the minor must lie within the bounds, from 1.0 on it is not looked at; the patch never is.
 * What is no version, and a range that is not made of whole numbers, is not compatible. No `version` makes it throw.
 */
export function isCompatible(version: string, range: VersionRange): boolean {
  if (typeof version !== "string" || version !== version.trim()) return false;
  const [major, minor = 0] = version.split(".", 2).map(versionNumber);
  const { minMinor, maxMinor } = range;
  if (major === undefined || Number.isNaN(minor) || major !== range.major) return false;
  return (
    isBound(minMinor, (bound) => major > 0 || minor >= bound) &&
    isBound(maxMinor, (bound) => major > 0 || minor <= bound)
  );
}

/**
 * The parts of `major.minor` or `major.minor.patch`; further parts are not looked at. Source: the reference's `compat.py`.
 *
 * @throws {SchemaError} `invalid_version` when a part is missing, not made of the digits 0 to 9, or above 2^53 − 1
 */
export function parseVersion(version: string): Version {
  const [major = Number.NaN, minor = Number.NaN, patch = 0] =
    typeof version === "string" ? version.split(".", 3).map(versionNumber) : [];
  if (Number.isNaN(major + minor + patch)) {
    throw new SchemaError("invalid_version", [
      { path: "", expected: "a version such as 0.2.2", received: typeName(version) },
    ]);
  }
  return { major, minor, patch };
}

function versionNumber(text: string): number {
  const number = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

function isBound(bound: number | null | undefined, holds: (bound: number) => boolean): boolean {
  return bound === undefined || bound === null || (Number.isInteger(bound) && holds(bound));
}

import { hash } from "node:crypto";

/**
 * SHA-256 over canonical JSON as one writes it for speed when nothing is hostile: a copy with its keys in order, written and
 * hashed by the platform.
 */
export function canonicalHash(value: unknown): string {
  return hash("sha256", JSON.stringify(sorted(value)), "hex");
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const members = value as Record<string, unknown>;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(members).sort()) copy[key] = sorted(members[key]);
  return copy;
}

import { createHash } from "node:crypto";

/**
 * SHA-256 over canonical JSON as one writes it when nothing is hostile: members sorted, strings by the platform, the
 * platform's hash.
 */
export function canonicalHash(value: unknown): string {
  return createHash("sha256").update(canonical(value)).digest("hex");
}

function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = value as Record<string, unknown>;
  let text = "";
  for (const key of Object.keys(members).sort()) {
    if (members[key] === undefined) continue;
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonical(members[key])}`;
  }
  return `{${text}}`;
}

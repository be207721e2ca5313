/**
 * A key as PostgreSQL can keep it, one text for each key: what `text` cannot hold (NUL, surrogates without their other
 * half) is escaped, and so is the backslash.
 */
export function encodeKey(key: string): string {
  return key.replaceAll(/[\\\0]|\p{Surrogate}/gu, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function decodeKey(text: string): string {
  return text.replaceAll(/\\u([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

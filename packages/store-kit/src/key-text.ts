/**
 * A key as the server can keep it, one text for each key: what it cannot hold (NUL, surrogates without their other half)
 * is escaped as in JSON.
 */
export function encodeKey(key: string): string {
  return JSON.stringify(key).slice(1, -1);
}

export function decodeKey(text: string): string {
  return JSON.parse(`"${text}"`) as string;
}

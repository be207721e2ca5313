/** A script, and the digest under which a server remembers it: SHA-1 of its text in hexadecimal, checked by a test. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

/** What every script begins with: it refuses a newer layout, and reads the server's clock, in milliseconds. */
export const PRELUDE = `
local layout = redis.call('GET', KEYS[1])
if layout and tonumber(layout) > 1 then return redis.error_reply('EOCLAYOUT ' .. layout) end
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local function text(number) return string.format('%.3f', number) end
local function whole(number) return string.format('%.0f', math.ceil(number)) end
`;

export function isUnknownScript(error: unknown): boolean {
  return messageOf(error).startsWith("NOSCRIPT");
}

export function isNewerLayout(error: unknown): boolean {
  return messageOf(error).includes("EOCLAYOUT");
}

function messageOf(error: unknown): string {
  return String((error as { message?: unknown } | null | undefined)?.message);
}

import { parseStructuredDictionary, parseStructuredList } from "./structured-list.js";

/**
 * Milliseconds until a quota that is used up is there again, as the RateLimit fields tell it; undefined when they do not say
 * that one is. Reads all forms of draft-ietf-httpapi-ratelimit-headers that are in use: `RateLimit: "name";r=0;t=30` (08 and later),
 * `RateLimit: limit=10, remaining=0, reset=30` (07), `RateLimit-Remaining` and `RateLimit-Reset` (06 and earlier). The
 * unstandardised `X-RateLimit-Reset` is a time for some services and a duration for others, so it is not read.
 */
export function rateLimitWaitMs(headers: Headers): number | undefined {
  const text = headers.get("ratelimit");
  if (text === null) return waitMs(whole(headers.get("ratelimit-remaining")), whole(headers.get("ratelimit-reset")));
  const quotas = parseStructuredList(text)?.map(({ parameters }) => waitMs(parameters.get("r"), parameters.get("t")));
  const waits = quotas?.filter((wait) => wait !== undefined) ?? [];
  // Of several quotas, all have to be there again.
  if (waits.length > 0) return Math.max(...waits);
  const dictionary = parseStructuredDictionary(text);
  return waitMs(dictionary?.get("remaining"), dictionary?.get("reset"));
}

function waitMs(remaining: unknown, seconds: unknown): number | undefined {
  // What is left of a quota says nothing of when: the request was refused for something else.
  if (remaining !== 0 || typeof seconds !== "number") return undefined;
  return Number.isInteger(seconds) && seconds >= 0 ? Math.min(seconds * 1000, Number.MAX_SAFE_INTEGER) : undefined;
}

function whole(text: string | null): number | undefined {
  return text !== null && /^\d+$/.test(text.trim()) ? Number(text) : undefined;
}

import type { RetryPolicy } from "./execution-policy.js";

/**
 * Backoff with the policy's jitter: `full` draws from [0, b), `equal` from [b/2, b). The draw is a function of its key
 * (seed, execution, action, attempt), so it does not depend on the order of draws. Source: S3.5.
 */
export function jitteredMs(
  jitter: RetryPolicy["jitter"],
  backoff: number,
  key: { seed: string; executionId: string; actionIndex: number; attempt: number },
): number {
  if (jitter === "none" || backoff === 0) return backoff;
  const draw = fraction(`${key.seed}\u0000${key.executionId}\u0000${key.actionIndex}\u0000${key.attempt}`);
  return Math.trunc(jitter === "full" ? backoff * draw : backoff / 2 + (backoff / 2) * draw);
}

/** FNV-1a over UTF-16 code units, finished by murmur3's mixer, as a number in [0, 1). */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

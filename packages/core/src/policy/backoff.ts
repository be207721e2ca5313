import type { RetryPolicy } from "./execution-policy.js";

/**
 * Milliseconds to wait before retry `retryNumber` (1 is the first retry), without jitter. Source: S3.5.
 * Never more than `maxBackoffMs`, also where the power overflows.
 */
export function backoffMs(retry: RetryPolicy, retryNumber: number): number {
  if (retryNumber < 1 || retry.initialBackoffMs === 0) return 0;
  const growth = retry.initialBackoffMs * retry.backoffMultiplier ** (retryNumber - 1);
  return Number.isFinite(growth) ? Math.min(Math.trunc(growth), retry.maxBackoffMs) : retry.maxBackoffMs;
}

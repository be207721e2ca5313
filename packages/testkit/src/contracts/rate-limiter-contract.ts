import { type ContractCase, contractCases, type Open } from "./contract-case.js";
import type { RateLimiterUnderTest } from "./rate-limiter/limiter-desk.js";
import { cancelCases, sharedCases, stampCases } from "./rate-limiter/permits.js";
import { WINDOW_CASES } from "./rate-limiter/windows.js";

/** What a limiter can do beyond the least. What it cannot is declared, and then the fallback is checked. */
export interface RateLimiterCapabilities {
  /** Counts a permit from the moment at which it is stamped with `dispatched`. @defaultValue true */
  stamps?: boolean;
  /** Takes a permit back. @defaultValue true */
  cancel?: boolean;
  /** Several processes use it: {@link RateLimiterUnderTest.another} opens a second connection. @defaultValue true */
  shared?: boolean;
}

/** What every `RateLimiter` must do, as cases for any test runner. Source: S6. */
export function rateLimiterContract(
  open: Open<RateLimiterUnderTest>,
  { stamps = true, cancel = true, shared = true }: RateLimiterCapabilities = {},
): ContractCase[] {
  return contractCases(open, {
    ...WINDOW_CASES,
    ...stampCases(stamps),
    ...cancelCases(cancel),
    ...sharedCases(shared),
  });
}

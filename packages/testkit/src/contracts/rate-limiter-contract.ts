import { checkOptionNames } from "@eoc/core";
import { type ContractCase, contractCases, type Open } from "./contract-case.js";
import { type ContractTiming, TIMING } from "./contract-time.js";
import type { RateLimiterUnderTest } from "./rate-limiter/limiter-desk.js";
import { cancelCases, clockCases, sharedCases, stampCases } from "./rate-limiter/permits.js";
import { WINDOW_CASES } from "./rate-limiter/windows.js";

/** What a limiter can do beyond the least. What it cannot is declared, and then the fallback is checked. */
export interface RateLimiterCapabilities extends ContractTiming {
  /** Counts a permit from the moment at which it is stamped with `dispatched`. @defaultValue true */
  stamps?: boolean;
  /** Takes a permit back. @defaultValue true */
  cancel?: boolean;
  /** Several processes use it: {@link RateLimiterUnderTest.another} opens a second connection. @defaultValue true */
  shared?: boolean;
  /** Goes by a clock of its own, not by its callers' `nowMs`. @defaultValue as `shared`: monotonic clocks have nothing in common */
  ownClock?: boolean;
  /**
   * After how many milliseconds a permit that is neither stamped nor handed back is taken for dispatched, because whoever
   * holds it may be dead. @defaultValue never
   */
  permitLeaseMs?: number;
}

/**
 * What every `RateLimiter` must do, as cases for any test runner. Source: S6.
 * @throws EocError `invalid_option`
 */
export function rateLimiterContract(
  open: Open<RateLimiterUnderTest>,
  capabilities: RateLimiterCapabilities = {},
): ContractCase[] {
  checkOptionNames(capabilities, {
    ...TIMING,
    stamps: true,
    cancel: true,
    shared: true,
    ownClock: true,
    permitLeaseMs: true,
  });
  const { stamps = true, cancel = true, shared = true, ownClock = shared, permitLeaseMs } = capabilities;
  const cases = {
    ...WINDOW_CASES,
    ...stampCases(stamps, permitLeaseMs),
    ...cancelCases(cancel),
    ...clockCases(ownClock),
    ...sharedCases(shared),
  };
  return contractCases(open, cases, capabilities);
}

import { checkOptionNames } from "@eoc/core";
import { type ContractCase, contractCases, type Open } from "./contract-case.js";
import { type ContractTiming, TIMING } from "./contract-time.js";
import { CLAIM_CASES } from "./idempotency-store/claims.js";
import { sharedCases } from "./idempotency-store/connections.js";
import { clockCases, expiryCases, LEASE_CASES, startCases, takeOverCases } from "./idempotency-store/leases.js";
import { listCases, resolveCases } from "./idempotency-store/operators.js";
import type { StoreUnderTest } from "./idempotency-store/store-desk.js";
import { WRITE_CASES } from "./idempotency-store/writes.js";

/** What a store can do beyond the least. What it cannot is declared, and then the fallback is checked. */
export interface StoreCapabilities extends ContractTiming {
  /** Tells a claim that was dispatched from one that was not. @defaultValue true */
  start?: boolean;
  /** Claims a key in doubt when the claim has `takeOver`. @defaultValue true */
  takeOver?: boolean;
  /** Forgets completed records after their time to live. @defaultValue true */
  expiry?: boolean;
  /** Times leases by a clock of its own, not by the caller's `nowMs`. @defaultValue true */
  ownClock?: boolean;
  /** @defaultValue true */
  list?: boolean;
  /** @defaultValue true */
  resolve?: boolean;
  /** Several processes use it at the same time: {@link StoreUnderTest.another} opens a second connection. @defaultValue true */
  shared?: boolean;
}

/**
 * What every `IdempotencyStore` must do, as cases for any test runner. Source: S7.
 * @throws EocError `invalid_option`
 */
export function idempotencyStoreContract(
  open: Open<StoreUnderTest>,
  capabilities: StoreCapabilities = {},
): ContractCase[] {
  checkOptionNames(capabilities, {
    ...TIMING,
    start: true,
    takeOver: true,
    expiry: true,
    ownClock: true,
    list: true,
    resolve: true,
    shared: true,
  });
  const { start = true, takeOver = true, expiry = true, ownClock = true } = capabilities;
  const { list = true, resolve = true, shared = true } = capabilities;
  const cases = {
    ...CLAIM_CASES,
    ...WRITE_CASES,
    ...LEASE_CASES,
    ...clockCases(ownClock),
    ...startCases(start, ownClock),
    ...takeOverCases(takeOver),
    ...expiryCases(expiry),
    ...listCases(list),
    ...resolveCases(resolve),
    ...sharedCases(shared, { start, takeOver }),
  };
  return contractCases(open, cases, capabilities);
}

import { checkOptionNames } from "@eoc/core";
import { type ContractCase, contractCases, type Open } from "./contract-case.js";
import type { ExecutorUnderTest } from "./executor/executor-desk.js";
import { abortCases, OUTCOME_CASES } from "./executor/outcomes.js";
import { dedupeCases, EXECUTE_CASES, reconcileCases } from "./executor/repeats.js";

/** What an executor can do beyond the least. What it cannot is declared, and then the fallback is checked. */
export interface ExecutorCapabilities {
  /** Heeds the attempt's signal. @defaultValue true */
  abort?: boolean;
  /** Hands the idempotency key to an outside world that honours it. @defaultValue true */
  dedupes?: boolean;
  /** Can ask the outside world what became of a dispatch. @defaultValue true */
  reconcile?: boolean;
}

/**
 * What every executor must do, as cases for any test runner: tell the truth about what happened, or throw. Give it an
 * outside world that misbehaves on command. Source: S3, S4.
 * @throws EocError `invalid_option`
 */
export function executorContract(
  open: Open<ExecutorUnderTest>,
  capabilities: ExecutorCapabilities = {},
): ContractCase[] {
  checkOptionNames(capabilities, { abort: true, dedupes: true, reconcile: true });
  const { abort = true, dedupes = true, reconcile = true } = capabilities;
  return contractCases(open, {
    ...OUTCOME_CASES,
    ...abortCases(abort),
    ...dedupeCases(dedupes),
    ...reconcileCases(reconcile),
    ...EXECUTE_CASES,
  });
}

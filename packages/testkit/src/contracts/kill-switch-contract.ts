import { checkOptionNames } from "@eoc/core";
import { type ContractCase, contractCases, type Open } from "./contract-case.js";
import { type ContractTiming, TIMING } from "./contract-time.js";
import { clearCases, subscribeCases } from "./kill-switch/changes.js";
import { outageCases, READ_CASES, reasonCases } from "./kill-switch/reads.js";
import type { KillSwitchUnderTest } from "./kill-switch/switch-desk.js";

/** What a switch can do beyond the least. What it cannot is declared, and then the fallback is checked. */
export interface KillSwitchCapabilities extends ContractTiming {
  /** Tells its listeners. @defaultValue true */
  subscribe?: boolean;
  /** Can be flipped back. @defaultValue true */
  clear?: boolean;
  /** Keeps the reason of a halt. @defaultValue true */
  reason?: boolean;
  /** Its state is kept elsewhere, and may be out of reach. @defaultValue true */
  outage?: boolean;
}

/**
 * What every `KillSwitch` must do, as cases for any test runner. Source: S2.
 * @throws EocError `invalid_option`
 */
export function killSwitchContract(
  open: Open<KillSwitchUnderTest>,
  capabilities: KillSwitchCapabilities = {},
): ContractCase[] {
  checkOptionNames(capabilities, { ...TIMING, subscribe: true, clear: true, reason: true, outage: true });
  const { subscribe = true, clear = true, reason = true, outage = true } = capabilities;
  const cases = {
    ...READ_CASES,
    ...subscribeCases(subscribe),
    ...clearCases(clear, subscribe),
    ...reasonCases(reason),
    ...outageCases(outage, subscribe),
  };
  return contractCases(open, cases, capabilities);
}

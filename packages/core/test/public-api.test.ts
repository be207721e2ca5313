import { describe, expect, it } from "vitest";
import * as core from "../src/index.js";
import * as machine from "../src/machine/index.js";

describe("what @eoc/core exports", () => {
  it("is this, and a change of it needs a changeset", () => {
    expect(Object.keys(core).sort()).toEqual([
      "EOC_ERROR_CODES",
      "EocError",
      "HARMLESS_KEYS",
      "NotAppliedError",
      "TERMINAL_REASONS",
      "UnknownOutcomeError",
      "checkOptionNames",
      "createBulkhead",
      "createManualKillSwitch",
      "createMemoryIdempotencyStore",
      "createMemoryRateLimiter",
      "createRedactor",
      "createRetryBudget",
      "createSystemClock",
      "definePolicy",
      "deriveKey",
      "execute",
      "explainPolicy",
      "fingerprintOf",
      "isEocError",
      "isNotAppliedError",
      "isUnknownOutcomeError",
      "planExecution",
      "prepareExecution",
      "reportFromEvents",
    ]);
  });

  it("for drivers, is this", () => {
    expect(Object.keys(machine).sort()).toEqual([
      "PermitLine",
      "errorTypeOf",
      "judgeResult",
      "judgeThrown",
      "rateRequests",
      "reportOf",
      "restore",
      "safeCode",
      "snapshot",
      "startMachine",
      "step",
    ]);
  });
});

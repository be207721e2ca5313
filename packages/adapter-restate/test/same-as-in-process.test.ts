import type { TerminalReason } from "@eoc/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectTheSame, expectUnheardTheSame } from "./both-drivers.js";
import { aScenario, type Scenario } from "./scenario.js";

/** The deep run looks for what is new; the short one says whether what is known still holds. */
const RUNS = process.env["EOC_DEEP"] === "1" ? { numRuns: 20_000 } : { numRuns: 1000, seed: 402953150 };

/** How actions may end that a scenario can bring about: a comparison in which some never do says less than it seems to. */
const ENDS: readonly TerminalReason[] = [
  "completed",
  "reconciled",
  "replayed",
  "rejected",
  "retries_exhausted",
  "retry_after_too_long",
  "retry_budget_exhausted",
  "retry_budget_unavailable",
  "execution_exception",
  "invalid_result",
  "attempt_timeout",
  "deadline_exceeded",
  "kill_switch",
  "kill_switch_unavailable",
  "cancelled",
  "approval_mismatch",
  "approval_expired",
  "gate_denied",
  "gate_unavailable",
  "rate_limited",
  "rate_limiter_unavailable",
  "in_progress",
  "in_doubt",
  "idempotency_conflict",
  "idempotency_store_unavailable",
  "invalid_idempotency_key",
  "journal_unavailable",
  "prior_action_failed",
  "hold",
  "not_allowed",
];

it("S8.3 an execution in one process does the same, each at its time, whether or not anybody listens", async () => {
  const compare = (scenario: Scenario) => expectUnheardTheSame({ ...scenario, journal: undefined });
  await fc.assert(fc.asyncProperty(aScenario, compare), RUNS);
}, 1_200_000);

describe("an execution of which no process dies", () => {
  it("has the same events, journal, report and values on the engine as in one process, each at its time, and the same calls of every action", async () => {
    const ends = new Set<string>();
    const compare = async (scenario: Scenario) => {
      const { report } = await expectTheSame(scenario);
      for (const { reason } of report.actions) ends.add(reason);
    };
    await fc.assert(fc.asyncProperty(aScenario, compare), RUNS);
    expect(ENDS.filter((end) => !ends.has(end))).toEqual([]);
  }, 1_200_000);
});

import fc from "fast-check";
import { describe, it } from "vitest";
import { expectTheSame } from "./both-drivers.js";
import { aScenario } from "./scenario.js";

/** The deep run looks for what is new; the short one says whether what is known still holds. */
const RUNS =
  process.env["EOC_DEEP"] === "1"
    ? { numRuns: Number(process.env["RUNS"] ?? 20_000) }
    : { numRuns: 1000, seed: 402953150 };

describe("an execution of which no process dies", () => {
  it("has the same events, journal, report, values and calls on the engine as in one process, apart from times", async () => {
    await fc.assert(
      fc.asyncProperty(aScenario, async (scenario) => void (await expectTheSame(scenario))),
      RUNS,
    );
  }, 1_200_000);
});

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { record } from "../src/engine/recording.js";
import { setupOfScenario } from "../src/engine/setup-of-scenario.js";
import { parseScenario } from "../src/scenario/scenario.js";
import { parseScript, printScript } from "../src/scenario/script-notation.js";

const folder = new URL("../decisions/", import.meta.url);
const files = readdirSync(folder).sort();

describe("every bundled scenario, on virtual time", () => {
  for (const file of files) {
    const text = readFileSync(new URL(file, folder), "utf8");
    const scenario = parseScenario(file.replace(".json", ""), text);
    const policy = (JSON.parse(text) as { policy?: object }).policy ?? {};

    for (const seed of ["1", "2", "3"]) {
      it(`${scenario.name} goes as its file expects, with seed ${seed}`, async () => {
        const { eoc, naive, violations } = await record(setupOfScenario(scenario, policy, seed));
        const { status, reason, effects, naiveEffects } = scenario.expect ?? { status: "success" };
        expect(eoc.report.status).toBe(status);
        if (reason !== undefined) expect(eoc.report.reason).toBe(reason);
        if (effects !== undefined) expect(eoc.effects).toHaveLength(effects);
        if (naiveEffects !== undefined) expect(naive.effects).toHaveLength(naiveEffects);
        expect(violations).toEqual([]);
      });
    }

    it(`${scenario.name} runs the same way again, to the last record of its journal`, async () => {
      const setup = setupOfScenario(scenario, policy, "7");
      const [first, second] = [await record(setup), await record(setup)];
      expect(second.journal).toEqual(first.journal);
      expect(second.reportHash).toBe(first.reportHash);
    });

    it(`${scenario.name} is written in the page's notation and read back`, () => {
      expect(parseScript(printScript(scenario.world.replies))).toEqual({ replies: scenario.world.replies, issues: [] });
    });
  }
});

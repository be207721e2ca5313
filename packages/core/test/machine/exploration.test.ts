import { describe, expect, it } from "vitest";
import { explore } from "./explorer.js";
import { ALL_WELL, type Scenario } from "./scenario.js";

const SCENARIOS: Scenario[] = [
  { name: "one once", plan: ["once"], halts: ["kill_switch", "cancelled"], lags: 1, earlyTimers: 1 },
  { name: "one idempotent", plan: ["idempotent"], halts: ["kill_switch", "cancelled"], lags: 1 },
  { name: "two once", plan: ["once", "once"], halts: ["kill_switch"], policy: { maxConcurrency: 2 } },
];

describe("explore", () => {
  for (const scenario of SCENARIOS) {
    it(scenario.name, () => {
      const t = performance.now();
      const seen = explore(scenario);
      console.log(scenario.name, JSON.stringify(seen), Math.round(performance.now() - t));
      expect(seen.paths).toBeGreaterThan(0);
    });
  }
});

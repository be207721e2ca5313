import { afterAll, describe, expect, it } from "vitest";
import { DEEP, PATIENCE_MS } from "./depth.js";
import { type Explored, explore } from "./explorer.js";
import type { Scenario } from "./scenario.js";

/** One test for each scenario: every order of its inputs keeps every invariant. Prints how much was explored. */
export function describeExploration(subject: string, scenarios: readonly Scenario[]): void {
  describe(subject, () => {
    const sum = { states: 0, steps: 0, paths: 0, misfits: 0 };

    for (const scenario of scenarios) {
      it(`keeps S2–S10 in every order of inputs: ${scenario.name}`, { timeout: PATIENCE_MS }, () => {
        const seen = explore(scenario);
        expect(seen.paths).toBeGreaterThan(0);
        for (const what of Object.keys(sum) as (keyof Explored)[]) sum[what] += seen[what];
        if (DEEP) print(scenario.name, seen);
      });
    }

    afterAll(() => print(`${subject}: ${scenarios.length} scenarios`, sum));
  });
}

function print(name: string, { states, steps, paths, misfits }: Explored): void {
  const [s, i, p, m] = [states, steps, paths, misfits].map((count) => count.toLocaleString("en"));
  console.log(`${name}: ${s} states, ${i} inputs, ${p} paths${misfits > 0 ? `, ${m} inputs that fit nowhere` : ""}`);
}

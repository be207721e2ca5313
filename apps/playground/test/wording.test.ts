import { planExecution } from "@eoc/core";
import { describe, expect, it } from "vitest";
import { record } from "../src/engine/recording.js";
import { setupOfScenario } from "../src/engine/setup-of-scenario.js";
import { meaningOf } from "../src/page/wording.js";
import { parseScenario } from "../src/scenario/scenario.js";
import { parseScript } from "../src/scenario/script-notation.js";

async function saidOf(effect: string, script: string, more: object = {}): Promise<string> {
  const decision = { action: "ACT", actions: [{ action: "ACT", id: "order-5", effect }] };
  const policy = { retry: { maxRetries: 2, initialBackoffMs: 10 } };
  const made = setupOfScenario(parseScenario("one", JSON.stringify({ decision, ...more })), policy, "7");
  const setup = { ...made, world: { ...made.world, replies: parseScript(script).replies } };
  const { eoc } = await record(setup);
  return meaningOf(eoc.report, planExecution(setup.decision, setup.policy));
}

describe("what a report is said to mean", () => {
  it("S3.2 says that EOC does not try again of a once-only action alone", async () => {
    expect(await saidOf("once", "order-5: drop")).toMatch(/does not try again/);
    expect(await saidOf("idempotent", "order-5: drop, drop, drop")).toBe(
      "Nobody can know whether it was applied, and EOC says so. It was sent 3 times, which its effect allows.",
    );
  });

  it("names the service's word only where the service gave it", async () => {
    expect(await saidOf("once", "order-5: 422")).toBe("It was not applied, by the service’s own word.");
    expect(await saidOf("once", "order-5: lost, lost, lost", { reconcile: true })).toBe(
      "It was not applied, and EOC knows.",
    );
    expect(await saidOf("none", "order-5: lost, lost, lost")).toMatch(/^It did not succeed\. It only reads/);
  });
});

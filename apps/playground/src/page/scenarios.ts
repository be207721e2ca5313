import type { ExecutionPolicyInput } from "@eoc/core";
import { type PlayTexts, textsOf } from "../engine/play-texts.js";
import { setupOfScenario } from "../engine/setup-of-scenario.js";
import { parseScenario, shortNameOf } from "../scenario/scenario.js";

/** One of the bundled scenarios, as the page offers it. */
export interface Offered {
  /** Without its number: what links and the terminal call it. */
  readonly name: string;
  readonly about: string;
  readonly texts: PlayTexts;
}

const DEFAULT_SEED = "7";

const files = import.meta.glob("../../decisions/*.json", { eager: true, query: "?raw", import: "default" });

export const SCENARIOS: readonly Offered[] = Object.entries(files as Record<string, string>)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([path, text]) => {
    const name = shortNameOf(path.replace(/^.*\/|\.json$/g, ""));
    const scenario = parseScenario(name, text);
    const { policy = {} } = JSON.parse(text) as { policy?: ExecutionPolicyInput };
    const about = scenario.about ?? "A bare decision in the reference's form: one action, and all goes well.";
    return { name, about, texts: textsOf(setupOfScenario(scenario, policy, DEFAULT_SEED)) };
  });

/** What a stranger sees first. */
export const FIRST = SCENARIOS.find(({ name }) => name === "dropped-reply")!;

export function scenarioOf(name: string): Offered | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}

import type { ExecutionPolicyInput } from "@eoc/core";
import { record } from "../engine/recording.js";
import { setupOfScenario } from "../engine/setup-of-scenario.js";
import { parseScenario } from "../scenario/scenario.js";
import { drawPicture } from "./picture.js";

/** The picture of what the page shows first, from that scenario's file. */
export async function pictureOf(scenario: string): Promise<string> {
  const { policy = {} } = JSON.parse(scenario) as { policy?: ExecutionPolicyInput };
  return drawPicture(await record(setupOfScenario(parseScenario("dropped-reply", scenario), policy, "7")));
}

import type { Command } from "./command.js";
import { explain } from "./explain.js";
import { intents } from "./intents.js";
import { policyCheck } from "./policy-check.js";
import { timeline } from "./timeline.js";
import { verify } from "./verify.js";

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [verify, intents, timeline, explain, policyCheck];

import type { Command } from "./command.js";
import { explain } from "./explain.js";
import { haltOff, haltOn, haltStatus } from "./halt.js";
import { intents } from "./intents.js";
import { keysList } from "./keys-list.js";
import { keysResolve } from "./keys-resolve.js";
import { keysShow } from "./keys-show.js";
import { policyCheck } from "./policy-check.js";
import { settle } from "./settle.js";
import { timeline } from "./timeline.js";
import { verify } from "./verify.js";

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  verify,
  intents,
  settle,
  timeline,
  explain,
  policyCheck,
  keysList,
  keysShow,
  keysResolve,
  haltOn,
  haltOff,
  haltStatus,
];

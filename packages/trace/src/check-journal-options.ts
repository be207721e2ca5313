import { checkOptionNames } from "@eoc/core";
import { checkMethods, checkOption, isRecord } from "./check-option.js";
import type { CheckpointOptions } from "./checkpoints.js";
import type { JournalSink, JsonlJournalOptions } from "./jsonl-journal.js";

const OPTIONS = { redactor: true, head: true, versions: true, policy: true, clock: true, checkpoints: true } as const;
const CHECKPOINTS = { sink: true, every: true, signer: true, clock: true, onFailure: true } as const;

/**
 * Whoever misspells `redactor` must not hear of it from what was written, nor who gives no sink from the first dispatch that is denied.
 * @throws EocError `invalid_option`
 */
export function checkJournalOptions(sink: JournalSink, options: JsonlJournalOptions): void {
  checkMethods("sink", sink, "append");
  checkOptionNames(options, OPTIONS);
  const { redactor, versions, clock, checkpoints } = options;
  if (redactor !== undefined) checkMethods("redactor", redactor, "redact");
  checkOption(versions === undefined || isRecord(versions), "versions", "an object of texts", versions);
  if (clock !== undefined) checkMethods("clock", clock, "now");
  if (checkpoints !== undefined) checkCheckpoints(checkpoints);
}

function checkCheckpoints(checkpoints: CheckpointOptions): void {
  checkOptionNames(checkpoints, CHECKPOINTS, "checkpoints");
  const { sink, every = 1, signer, clock, onFailure } = checkpoints;
  checkMethods("checkpoints.sink", sink, "append");
  checkOption(Number.isSafeInteger(every) && every >= 1, "checkpoints.every", "an integer >= 1", every);
  if (signer !== undefined) checkMethods("checkpoints.signer", signer, "sign");
  if (clock !== undefined) checkMethods("checkpoints.clock", clock, "now");
  const hears = onFailure === undefined || typeof onFailure === "function";
  checkOption(hears, "checkpoints.onFailure", "a function", onFailure);
}

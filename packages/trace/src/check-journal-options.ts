import { checkOptionNames, EocError } from "@eoc/core";
import type { JsonlJournalOptions } from "./jsonl-journal.js";

const OPTIONS = { redactor: true, head: true, versions: true, policy: true, clock: true, checkpoints: true } as const;
const CHECKPOINTS = { sink: true, every: true, signer: true, clock: true, onFailure: true } as const;

/**
 * Whoever misspells `redactor` must not hear of it from what was written.
 * @throws EocError `invalid_option`
 */
export function checkJournalOptions(options: JsonlJournalOptions): void {
  checkOptionNames(options, OPTIONS);
  const { redactor, checkpoints } = options;
  if (checkpoints !== undefined) checkOptionNames(checkpoints, CHECKPOINTS, "checkpoints");
  if (redactor === undefined || typeof redactor?.redact === "function") return;
  const issue = { path: "redactor", expected: "an object with redact()", received: typeof redactor };
  throw new EocError("invalid_option", `${issue.path} must be ${issue.expected}, not ${issue.received}`, {
    issues: [issue],
  });
}

import { checkOption, checkWord, isRecord } from "./check-option.js";
import { faultIn, SETTLEMENT } from "./event-shape.js";
import type { JournalSettlement } from "./journal-record.js";
import type { OpenIntent } from "./verify/open-intent.js";

/** An open intent, and what somebody has found out of it. */
export type SettlementInput = Pick<OpenIntent, "seq" | "executionId" | "actionIndex" | "attemptNumber"> &
  Pick<JournalSettlement, "outcome" | "by" | "note">;

/** @throws EocError `invalid_option` for what is no settlement */
export function settlementOf(input: SettlementInput, settledAtMs: number): JournalSettlement {
  checkOption(isRecord(input), "settlement", "an open intent with its outcome", input);
  const { seq, executionId, actionIndex, attemptNumber, outcome, by, note } = input;
  checkWord("settlement.outcome", outcome, ["applied", "not_applied"]);
  const settlement: JournalSettlement = {
    type: "journal.settled",
    intentSeq: seq,
    executionId,
    actionIndex,
    attemptNumber,
    outcome,
    settledAtMs,
    ...(by !== undefined && { by }),
    ...(note !== undefined && { note }),
  };
  const fault = faultIn(SETTLEMENT, { ...settlement });
  if (fault !== undefined) {
    const name = fault.name === "intentSeq" ? "seq" : fault.name;
    checkOption(false, `settlement.${name}`, fault.expected, settlement[fault.name as keyof JournalSettlement]);
  }
  return settlement;
}

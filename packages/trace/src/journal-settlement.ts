import { eventFault } from "./event-shape.js";
import type { JournalSettlement } from "./journal-record.js";
import type { OpenIntent } from "./verify/open-intent.js";

/** An open intent, and what somebody has found out of it. */
export type SettlementInput = Pick<OpenIntent, "seq" | "executionId" | "actionIndex" | "attemptNumber"> &
  Pick<JournalSettlement, "outcome" | "by" | "note">;

/** @throws TypeError for what is no settlement */
export function settlementOf(
  { seq, executionId, actionIndex, attemptNumber, outcome, by, note }: SettlementInput,
  settledAtMs: number,
): JournalSettlement {
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
  const fault = eventFault(settlement as never);
  if (fault !== undefined) throw new TypeError(`this settles nothing: ${fault}`);
  return settlement;
}

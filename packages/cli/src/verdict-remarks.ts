import type { JournalVerdict } from "@eoc/trace";

/** What a journal is verified by, besides itself. */
export interface Given {
  readonly checkpoints: boolean;
  readonly keys: boolean;
}

type Name = "integrity" | "continuity" | "pairing" | "signatures" | "conformance" | "completeness";

/** What there is to say beside each verdict; empty for one that says it all. */
export function remarks(verdict: JournalVerdict, given: Given): Record<Name, string> {
  const { pairing, signatures, conformance, completeness } = verdict;
  const failed = ({ verdict: word, problemCount }: { verdict: string; problemCount: number }) =>
    word === "FAIL" ? counted(problemCount, "problem") : "";
  return {
    integrity: failed(verdict.integrity),
    continuity: failed(verdict.continuity),
    pairing: pairedRemark(pairing),
    signatures: signatures.verdict === "NOT PROVEN" ? unsigned(given) : failed(signatures),
    conformance: conformance.verdict === "NOT PROVEN" ? "the records do not say enough" : failed(conformance),
    completeness: completeness.verdict === "NOT PROVEN" ? incomplete(verdict) : failed(completeness),
  };
}

function pairedRemark({ verdict, problemCount, openIntents, cutShort }: JournalVerdict["pairing"]): string {
  if (verdict === "FAIL") return counted(problemCount, "problem");
  if (openIntents.length > 0)
    return `${counted(openIntents.length, "dispatch", "dispatches")} in flight or in doubt: see eoc intents`;
  if (verdict === "OPEN") return "an execution has no end";
  return cutShort.length === 0
    ? ""
    : `${counted(cutShort.length, "execution")} cut short by a restart, nothing in doubt`;
}

function unsigned({ checkpoints, keys }: Given): string {
  if (!checkpoints) return "no checkpoints were given";
  return keys ? "there are no checkpoints" : "no public key was given";
}

function incomplete({ completeness, recordCount }: JournalVerdict): string {
  const { provenUpTo, missingBefore } = completeness;
  if (missingBefore > 0) return `records 0 to ${missingBefore - 1} are in files that were not given`;
  if (provenUpTo >= 0) return `up to record ${provenUpTo}; what came after may have been cut off`;
  return `without --head: ${recordCount === 0 ? "all of it" : "its end"} may have been cut off`;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

import { checkOption, isRecord } from "../check-option.js";
import { type CheckpointVerifier, fromHex, type JournalCheckpoint, signedBytes } from "../checkpoints.js";
import { isHash, type JournalHead } from "../journal-record.js";
import { type Finding, type JournalProblemCode, Problems } from "./findings.js";

/** A head that somebody noted, or a whole checkpoint. */
export type KnownHead = JournalHead | JournalCheckpoint;

/**
 * Asynchronous, because keys may be.
 * @throws EocError `invalid_option` for what is no head: it would prove nothing, and nobody would hear of it
 */
export async function checkSignatures(
  checkpoints: Iterable<KnownHead> | AsyncIterable<KnownHead>,
  keys: readonly CheckpointVerifier[],
): Promise<{
  finding: Finding<"PASS" | "FAIL" | "NOT PROVEN">;
  /** Those that may be relied on: all but the ones that a key was to vouch for and does not. */
  trusted: KnownHead[];
}> {
  const problems = new Problems();
  const trusted: KnownHead[] = [];
  let place = 0;
  for await (const checkpoint of checkpoints) {
    checkOption(isKnownHead(checkpoint), `checkpoints[${place++}]`, EXPECTED, checkpoint);
    const fault = keys.length === 0 ? undefined : await faultOf(checkpoint, keys);
    if (fault === undefined) trusted.push(checkpoint);
    else problems.add({ line: place, seq: checkpoint.seq, code: fault, message: FAULTS[fault] });
  }
  const proven = keys.length > 0 && place > 0 ? "PASS" : "NOT PROVEN";
  return { finding: problems.finding(problems.count > 0 ? "FAIL" : proven), trusted };
}

const EXPECTED = "{ seq, hash } (parseCheckpoint reads a line)";

function isKnownHead(value: unknown): value is KnownHead {
  if (!isRecord(value)) return false;
  const { seq, hash, signature } = value;
  return Number.isSafeInteger(seq) && isHash(hash) && (signature === undefined || typeof signature === "string");
}

type Fault = Extract<JournalProblemCode, "unsigned" | "unknown_key" | "bad_signature">;

const FAULTS: Record<Fault, string> = {
  unsigned: "this checkpoint has no signature",
  unknown_key: "this checkpoint names a key that was not given",
  bad_signature: "no key that was given has made this signature: the checkpoint was changed, or somebody else wrote it",
};

async function faultOf(checkpoint: KnownHead, keys: readonly CheckpointVerifier[]): Promise<Fault | undefined> {
  if (!("signature" in checkpoint) || checkpoint.signature === undefined) return "unsigned";
  const { keyId, signature } = checkpoint;
  const own = keys.filter((key) => key.keyId === undefined || keyId === undefined || key.keyId === keyId);
  if (own.length === 0) return "unknown_key";
  const message = signedBytes(checkpoint);
  for (const key of own) if (await verifies(key, message, fromHex(signature))) return undefined;
  return "bad_signature";
}

async function verifies(key: CheckpointVerifier, ...args: Parameters<CheckpointVerifier["verify"]>): Promise<boolean> {
  try {
    return (await key.verify(...args)) === true;
  } catch {
    return false; // Such as a signature of the wrong length.
  }
}

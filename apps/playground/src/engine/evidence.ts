import { type JournalHead, type JournalVerdict, verifyJournal } from "@eoc/trace";

/** What is done to a journal behind its writer's back. */
export type Tampering = "flip_byte" | "delete_last" | "none";

/** One of a verifier's verdicts, in words. */
export interface Finding {
  readonly name: string;
  readonly verdict: string;
  /** Where it breaks, and how; empty when it does not. */
  readonly problem: string;
}

/** The record whose byte is flipped: the seventh, or the last where there are fewer. */
export function flippedRecord(lines: readonly string[]): number {
  return Math.min(7, lines.length - 1);
}

/** The journal after it was tampered with. */
export function tamper(lines: readonly string[], tampering: Tampering): string[] {
  if (lines.length === 0 || tampering === "none") return [...lines];
  if (tampering === "delete_last") return lines.slice(0, -1);
  const at = flippedRecord(lines);
  return lines.with(at, flipByte(lines[at]!));
}

/** The lowest bit of the last digit of the record's time: what remains is a record like any other. */
function flipByte(line: string): string {
  const time = /"atMs":\d+/.exec(line);
  const place = time === null ? line.length - 2 : time.index + time[0].length - 1;
  return line.slice(0, place) + String.fromCharCode(line.charCodeAt(place) ^ 1) + line.slice(place + 1);
}

/** What the verifier says of such lines, given the head where it is pinned. */
export async function examine(
  lines: readonly string[],
  head: JournalHead | undefined,
): Promise<{ ok: boolean; findings: Finding[] }> {
  const verdict = await verifyJournal(lines, { head });
  return { ok: verdict.ok, findings: findingsOf(verdict) };
}

export function findingsOf(verdict: JournalVerdict): Finding[] {
  const { integrity, continuity, pairing, conformance, completeness } = verdict;
  return Object.entries({ integrity, continuity, pairing, conformance, completeness }).map(([name, finding]) => {
    const [first] = finding.problems;
    const place = finding.verdict !== "FAIL" || first?.seq === undefined ? "" : `breaks at #${first.seq}: `;
    const open = name === "pairing" ? pairing.openIntents : [];
    const inFlight = open.filter(({ outcome }) => outcome === undefined).map(({ actionId }) => actionId);
    const ended = open.filter(({ outcome }) => outcome === "unknown").map(({ actionId }) => actionId);
    const words = [
      ...(first === undefined ? [] : [`${place}${first.message}`]),
      ...(inFlight.length > 0 ? [`in flight when it stopped: ${inFlight.join(", ")}`] : []),
      ...(ended.length > 0 ? [`ended, nobody knows how: ${ended.join(", ")}`] : []),
    ];
    return { name, verdict: finding.verdict, problem: words.join("; ") };
  });
}

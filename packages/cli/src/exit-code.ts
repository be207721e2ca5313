import type { ExecutionReport } from "@eoc/core";

/** What a command tells the shell. */
export const EXIT = {
  /** As it should be, and proven. */
  ok: 0,
  /** Failed: the action, the check, the verification. */
  failed: 1,
  /** Wrong arguments, or a file that cannot be read as what it should be. */
  usage: 2,
  /** Denied, or cut short by a halt. */
  denied: 3,
  /** Unknown, or not proven. */
  unknown: 4,
} as const;

/** One of the values of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The code of one report. What a halt or a cancel cut short counts as denied, unless something is unknown. */
export function exitCodeOf({ status, haltLatencyMs }: Pick<ExecutionReport, "status" | "haltLatencyMs">): ExitCode {
  if (status === "unknown") return EXIT.unknown;
  if (status === "denied" || haltLatencyMs !== undefined) return EXIT.denied;
  return status === "success" || status === "skipped" ? EXIT.ok : EXIT.failed;
}

/** The worst of several: unknown, then failed, denied, ok, as in a report (S10). */
export function worstOf(codes: readonly ExitCode[]): ExitCode {
  return [EXIT.unknown, EXIT.failed, EXIT.denied].find((code) => codes.includes(code)) ?? EXIT.ok;
}

import type { ExecutionReport } from "@eoc/core";

/** What the demo tells the shell. */
export const EXIT = { ok: 0, failed: 1, usage: 2, denied: 3, unknown: 4 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code of one report. What a halt or a cancel cut short counts as denied, unless something is unknown. */
export function exitCodeOf({ status, haltLatencyMs }: Pick<ExecutionReport, "status" | "haltLatencyMs">): ExitCode {
  if (status === "unknown") return EXIT.unknown;
  if (status === "denied" || haltLatencyMs !== undefined) return EXIT.denied;
  return status === "success" || status === "skipped" ? EXIT.ok : EXIT.failed;
}

/** The worst of several: unknown, then failed, denied, ok, as in a report (S10). */
export function worstOf(codes: readonly ExitCode[]): ExitCode {
  return [EXIT.unknown, EXIT.failed, EXIT.denied].find((code) => codes.includes(code)) ?? EXIT.ok;
}

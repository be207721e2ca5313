import type { ExecutionReport } from "@eoc/core";
import { checkOption, refuseOption } from "./check-option.js";

/**
 * Refuses what is no report, above all one that was not awaited.
 * @throws EocError `invalid_option`
 */
export function checkReport(report: ExecutionReport): void {
  const { executionId, actions, attempts } = (report ?? {}) as Partial<ExecutionReport>;
  const isReport = typeof executionId === "string" && Array.isArray(actions) && Array.isArray(attempts);
  const expected = "the report of an execution";
  const isPromise = typeof (report as { then?: unknown } | undefined)?.then === "function";
  if (isPromise) refuseOption("report", expected, "a promise of one: await it");
  checkOption(isReport, "report", expected, report);
}

import { EocError, type ExecutionReport } from "@eoc/core";

/**
 * Refuses what is no report, above all one that was not awaited.
 * @throws EocError `invalid_option`
 */
export function checkReport(report: ExecutionReport): void {
  const { executionId, actions, attempts } = (report ?? {}) as Partial<ExecutionReport>;
  if (typeof executionId === "string" && Array.isArray(actions) && Array.isArray(attempts)) return;
  const [path, expected] = ["report", "the report of an execution"];
  const isPromise = typeof (report as { then?: unknown } | undefined)?.then === "function";
  const received = isPromise ? "a promise of one: await it" : report === null ? "null" : typeof report;
  throw new EocError("invalid_option", `${path} must be ${expected}, not ${received}`, {
    issues: [{ path, expected, received }],
  });
}

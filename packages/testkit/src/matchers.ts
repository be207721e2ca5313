import type { ActionStatus, ExecutionReport, TerminalReason } from "@eoc/core";
import type { ExploreResult } from "./explore/explore.js";
import { checkInvariants, type Recorded } from "./invariants/check-invariants.js";
import { describeViolations, type Violation } from "./invariants/violation.js";
import {
  asEnded,
  type Counts,
  countBy,
  countsText,
  expectedText,
  hasCounts,
  members,
  rowsOf,
  summaryOf,
} from "./matchers/describe.js";
import type { ScriptedCall } from "./scripted-executor.js";
import { valueText } from "./value-text.js";
import type { WorldEffect } from "./world.js";

/** What a matcher answers, to vitest, jest and every runner like them. */
export interface MatcherResult {
  pass: boolean;
  message: () => string;
}

/** How the matchers look on `expect(…)`. `R` is what assertions return. */
export interface EocMatchers<R> {
  /** Of a report or a row: everything was applied. */
  toHaveSucceeded(): R;
  /** Of a report or a row: not applied, with this code of the executor's where one is given. */
  toHaveFailed(code?: string): R;
  /** Of a report or a row: a gate, bound, port or person said no, for this reason where one is given. */
  toBeDenied(reason?: TerminalReason): R;
  /** Of a report or a row: the decision or the plan said no, for this reason where one is given. */
  toBeSkipped(reason?: TerminalReason): R;
  /** Of a report or a row: nobody knows whether it was applied, for this reason where one is given. */
  toBeUnknown(reason?: TerminalReason): R;
  /** Of a report. */
  toBeFailClosed(): R;
  /** Of a report or a scripted executor: dispatched so often, all together or by action id. */
  toHaveDispatched(times: Counts): R;
  /** Of a world: so many effects, all together or by action id. */
  toHaveEffects(times: Counts): R;
  /** Of a recorded execution, of what `checkInvariants` found, or of what `explore` came to. */
  toHaveNoViolations(): R;
}

type Matchers = {
  [Name in keyof EocMatchers<void>]: (
    received: unknown,
    ...expected: Parameters<EocMatchers<void>[Name]>
  ) => MatcherResult;
};

/** For `expect.extend(matchers)`, in any runner that has it. */
export const matchers: Matchers = {
  toHaveSucceeded: (received) => ended(received, "toHaveSucceeded", "success"),
  toHaveFailed: (received, code) => ended(received, "toHaveFailed", "failed", { code }),
  toBeDenied: (received, reason) => ended(received, "toBeDenied", "denied", { reason }),
  toBeSkipped: (received, reason) => ended(received, "toBeSkipped", "skipped", { reason }),
  toBeUnknown: (received, reason) => ended(received, "toBeUnknown", "unknown", { reason }),
  toBeFailClosed(received) {
    const report = asEnded(received, "toBeFailClosed");
    const pass = "failClosed" in report && report.failClosed;
    return {
      pass,
      message: () =>
        `expected the report ${pass ? "not " : ""}to be fail closed; it is ${summaryOf(report)}${rowsOf(report)}`,
    };
  },
  toHaveDispatched(received, times) {
    const counts = countBy(dispatchedIds(received));
    return counted(counts, times, "to have been dispatched", "it was dispatched");
  },
  toHaveEffects(received, times) {
    const { effects } = members(received);
    if (!Array.isArray(effects)) throw new TypeError(`toHaveEffects is for worlds, not for ${valueText(received)}`);
    const counts = countBy((effects as readonly WorldEffect[]).map(({ actionId }) => actionId));
    return counted(counts, times, "to have happened", "it happened");
  },
  toHaveNoViolations(received) {
    const text = violationsText(received);
    return { pass: text === undefined, message: () => text ?? "expected violations of the invariants; there are none" };
  },
};

function ended(
  received: unknown,
  matcher: string,
  status: ActionStatus,
  { reason, code }: { reason?: TerminalReason | undefined; code?: string | undefined } = {},
): MatcherResult {
  const report = asEnded(received, matcher);
  const codes = "actions" in report ? report.actions.map(({ errorCode }) => errorCode) : [report.errorCode];
  const reasons = "actions" in report ? [report.reason, ...report.actions.map((row) => row.reason)] : [report.reason];
  const pass =
    report.status === status &&
    (reason === undefined || reasons.includes(reason)) &&
    (code === undefined || codes.includes(code));
  const wanted = [status, reason, code].filter((part) => part !== undefined).join(", ");
  return {
    pass,
    message: () => `expected ${pass ? "anything but " : ""}${wanted}; got ${summaryOf(report)}${rowsOf(report)}`,
  };
}

function counted(counts: ReadonlyMap<string, number>, times: Counts, expectation: string, fact: string): MatcherResult {
  const pass = hasCounts(counts, times);
  return {
    pass,
    message: () =>
      `expected it ${pass ? "not " : ""}${expectation} ${expectedText(times)}; ${fact} ${countsText(counts)}`,
  };
}

/** Ids of the actions that were dispatched, one for each dispatch. */
function dispatchedIds(received: unknown): string[] {
  const { calls, attempts, actions } = members(received);
  if (Array.isArray(calls)) return (calls as readonly ScriptedCall[]).map(({ action }) => action.id);
  if (!Array.isArray(attempts) || !Array.isArray(actions)) {
    throw new TypeError(`toHaveDispatched is for reports and scripted executors, not for ${valueText(received)}`);
  }
  const report = received as ExecutionReport;
  return report.attempts.map(({ actionIndex }) => report.actions[actionIndex]?.id ?? `action-${actionIndex}`);
}

/** What went wrong; undefined when nothing did. */
function violationsText(received: unknown): string | undefined {
  if (Array.isArray(received)) return textOf(received as readonly Violation[]);
  const { report, plan, runs, failure } = members(received);
  if (typeof runs === "number") return failure === undefined ? undefined : (received as ExploreResult).failure!.message;
  if (report !== undefined && plan !== undefined) return textOf(checkInvariants(received as Recorded));
  throw new TypeError(
    `toHaveNoViolations is for recorded executions, violations and results of explore, not for ${valueText(received)}`,
  );
}

function textOf(violations: readonly Violation[]): string | undefined {
  if (violations.length === 0) return undefined;
  return `${violations.length} ${violations.length === 1 ? "violation" : "violations"} of the invariants\n\n${describeViolations(violations)}`;
}

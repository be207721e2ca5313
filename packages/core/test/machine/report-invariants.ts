import {
  type ActionReport,
  type ActionStatus,
  type Effect,
  type ExecutionReport,
  TERMINAL_REASONS,
} from "../../src/index.js";
import { type Facts, hold } from "./hold.js";
import type { Account, Model } from "./model.js";

/** Ends of an action after which `onFailure: "stop"` stops. */
export const FAILING: ReadonlySet<ActionStatus> = new Set(["failed", "denied", "unknown"]);

const SKIPS: ReadonlySet<string> = new Set(["not_allowed", "hold", "no_actions", "prior_action_failed"]);

/** What has to be so of a row when it is written. */
const ROW: Facts<[Model, Account, ActionReport]> = {
  "S3.4 the row counts every dispatch": (_, { dispatches }, { attemptCount }) => attemptCount === dispatches,
  "S3.8 the reason is one of the closed list": (_, __, { reason }) => Object.hasOwn(TERMINAL_REASONS, reason),
  "S3.9, S3.10 the status is what is known": ({ scenario }, account, row) =>
    row.status === statusOf(account, scenario.plan[row.index], row),
  "S1.5 HOLD is never more than skipped or stopped": ({ scenario }, _, { index, status }) =>
    scenario.plan[index] !== "hold" || status === "skipped" || status === "denied",
  "S2.4 after a halt, what was never dispatched is denied for it": ({ machine, misled }, { dispatches }, { reason }) =>
    machine.halt === undefined || misled || dispatches > 0 || [machine.halt.cause, ...KNOWN_OTHERWISE].includes(reason),
  "S5.5 a halted execution replays nothing": ({ halted }, _, { replayed }) => !replayed || !halted,
  "S7.2 a replay is no dispatch": (_, { dispatches }, { replayed, basis, reason }) =>
    [reason === "replayed", basis === "replay"].every((is) => is === replayed) && (!replayed || dispatches === 0),
  "S10 no more time was waited than went by": (_, __, { waitedMs, latencyMs }) =>
    waitedMs >= 0 && waitedMs <= latencyMs,
  "no row is final while a permit or a place in a queue is held": (
    { questions, misled },
    { permit, line },
    { index },
  ) => misled || (!permit && line === "none" && questions[index]?.command.type !== "enter_bulkhead"),
};

/** What an execution may still learn of a key after a halt, without any dispatch of its own. */
const KNOWN_OTHERWISE = ["in_doubt", "reconciled"];

/** The status of a row from what really happened (S3.9, S3.10). */
function statusOf({ effects }: Account, effect: Effect | "hold" | undefined, { reason }: ActionReport): ActionStatus {
  const unknown = effect === "none" ? "failed" : "unknown";
  if (effects.includes("applied")) return "success";
  if (effects.includes("unknown")) return unknown;
  if (effects.length > 0) return "failed";
  if (reason === "replayed" || reason === "reconciled") return "success";
  if (reason === "in_doubt") return unknown;
  return SKIPS.has(reason) ? "skipped" : "denied";
}

export function checkRow(model: Model, account: Account, row: ActionReport): void {
  hold(model.trail, ROW, model, account, row);
}

/** Nothing is to be dispatched for a HOLD, and the deadline may come before the failure is known. */
const STOPPED = ["prior_action_failed", "hold", "deadline_exceeded"];

/** What has to be so of a report (S10). */
const REPORT: Facts<[Model, ExecutionReport]> = {
  "S5.3 rows are in plan order": (_, { actions }) => actions.every(({ index }, at) => index === at),
  "S5.2 one after the other: whatever follows a failure is skipped, under onFailure stop": ({ machine }, report) => {
    const { maxConcurrency, onFailure } = machine.policy;
    if (maxConcurrency > 1 || onFailure !== "stop" || machine.facts.verdict || machine.halt || machine.broken)
      return true;
    const first = report.actions.findIndex(({ status }) => FAILING.has(status));
    return first === -1 || report.actions.slice(first + 1).every(({ reason }) => STOPPED.includes(reason));
  },
  "S10 the status sums the rows up": ({ machine }, { actions, status }) =>
    actions.length === 0 || machine.facts.verdict !== undefined || status === overall(actions),
  "S10 the counts are those of the rows and attempts": (_, report) => {
    const { actions, attempts } = report;
    const count = (status: ActionStatus) => actions.filter((row) => row.status === status).length;
    const successes = attempts.filter(({ status }) => status === "success").length;
    return (
      report.attemptCount === attempts.length &&
      report.successCount === successes &&
      report.failedCount === attempts.length - successes &&
      report.skippedCount === count("skipped") &&
      report.deniedCount === (actions.length === 0 && report.status === "denied" ? 1 : count("denied")) &&
      report.unknownCount === count("unknown") &&
      report.replayedCount === actions.filter(({ replayed }) => replayed).length
    );
  },
  "S10 every dispatch is an attempt of the report": ({ accounts }, { attempts }) =>
    accounts.every(({ dispatches }, index) =>
      attempts.filter(({ actionIndex }) => actionIndex === index).every(({ attemptNumber }, at) => attemptNumber === at)
        ? attempts.filter(({ actionIndex }) => actionIndex === index).length === dispatches
        : false,
    ),
  "S10 an abnormal end is fail-closed, a normal one of untroubled attempts is not": ({ misled }, report) => {
    const ended = report.actions.filter(({ status }) => status !== "success" && status !== "skipped");
    if (misled || ended.some(({ reason }) => TERMINAL_REASONS[reason])) return report.failClosed;
    return !report.failClosed || report.attempts.some(({ status, errorCode }) => troubled(status, errorCode));
  },
  "S2.4 haltLatencyMs is there when there was a halt, and not negative": ({ machine, halted }, { haltLatencyMs }) =>
    halted === (haltLatencyMs !== undefined) && (haltLatencyMs ?? 0) >= 0 && machine.finishedAt >= machine.lastRowAt,
};

/** An exception, a timeout or an invalid result occurred, whatever became of it. */
function troubled(status: string, errorCode: string | undefined): boolean {
  return status !== "failed" || ["execution_exception", "timeout", "invalid_result"].includes(errorCode ?? "");
}

/** S10 */
function overall(rows: readonly ActionReport[]): string {
  const others = rows.filter(({ reason }) => reason !== "hold").map(({ status }) => status);
  if (others.includes("unknown")) return "unknown";
  if (others.length > 0 && others.every((status) => status === "success")) return "success";
  if (others.includes("success")) return "partial";
  return (["failed", "denied", "skipped"] as const).find((status) => others.includes(status)) ?? "skipped";
}

export function checkReport(model: Model, report: ExecutionReport): void {
  hold(model.trail, REPORT, model, report);
}

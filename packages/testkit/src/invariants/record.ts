import { type ActionReport, type ExecutionEvent, type ExecutionReport, isEocError, reportFromEvents } from "@eoc/core";
import { canonicalJson } from "@eoc/decision-schema/read";
import type { Run } from "./run.js";
import type { Find } from "./violation.js";

const PAIRS: Readonly<Record<string, string>> = {
  "execution.started": "execution.finished",
  "action.started": "action.finished",
  "wait.started": "wait.finished",
  "attempt.started": "attempt.finished",
  "reconcile.started": "reconcile.finished",
};
const STARTS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(PAIRS).map(([start, end]) => [end, start]),
);

/** What may still happen when the report has been handed out (S4.5). */
const AFTERWARDS: ReadonlySet<ExecutionEvent["type"]> = new Set([
  "attempt.settled_late",
  "key.completed",
  "key.released",
  "key.unknown",
  "listener.failed",
]);

/** INV-EXE-1: events are complete and in order, and the report is what they add up to. */
export function checkRecord(run: Run, find: Find): void {
  checkSequence(run, find);
  checkPairs(run, find);
  checkRows(run, find);
  checkCounts(run.report, find);
  checkFold(run, find);
}

function checkSequence({ events, report }: Run, find: Find): void {
  let lastMs = Number.NEGATIVE_INFINITY;
  let finished = false;
  for (const [index, event] of events.entries()) {
    const { seq, type, atMs, executionId } = event;
    if (seq !== index)
      find("S8.1", `the event in place ${index} has the number ${seq}: numbers are dense, from 0`, event);
    if (executionId !== report.executionId)
      find("S8.1", "an event belongs to another execution than the report", event);
    if (atMs < lastMs) find("S4.7", `time goes back by ${lastMs - atMs} ms`, event);
    lastMs = Math.max(lastMs, atMs);
    if ((index === 0) !== (type === "execution.started")) {
      find("S8.1", index === 0 ? `the first event is ${type}` : "execution.started is not the first event", event);
    }
    if (finished && !AFTERWARDS.has(type)) find("S8.1", `${type} comes after execution.finished`, event);
    finished ||= type === "execution.finished";
  }
}

/** One end for every start, and no end without one. */
function checkPairs({ events }: Run, find: Find): void {
  const open = new Map<string, ExecutionEvent>();
  const onlyOnce = new Set<string>();
  for (const event of events) {
    const start = STARTS[event.type];
    if (event.type in PAIRS) {
      const key = subject(event.type, event);
      if (open.has(key)) find("S8.1", `${event.type} although it had started and not ended`, event);
      if (event.type !== "wait.started" && event.type !== "reconcile.started" && onlyOnce.has(key)) {
        find("S8.1", `${event.type} for the second time`, event);
      }
      open.set(key, event);
      onlyOnce.add(key);
    } else if (start !== undefined && !open.delete(subject(start, event))) {
      find("S8.1", `${event.type} without ${start}`, event);
    }
  }
  for (const event of open.values()) find("S8.1", `${event.type} has no ${PAIRS[event.type]}`, event);
}

function subject(type: string, event: ExecutionEvent): string {
  const action = "actionIndex" in event ? event.actionIndex : "";
  // An attempt may have started or not when its wait ends.
  const attempt = type !== "wait.started" && "attemptNumber" in event ? event.attemptNumber : "";
  return `${type} ${action} ${attempt}`;
}

/** S5.3: exactly one row for every action of the plan. */
export function checkRows({ plan, report, story }: Run, find: Find): void {
  if (report.actions.length !== plan.actions.length) {
    find("S5.3", `the plan has ${plan.actions.length} actions, the report ${report.actions.length} rows`);
  }
  for (const [index, row] of report.actions.entries()) {
    const planned = plan.actions[index];
    if (planned === undefined) continue;
    if (row.index !== index || row.id !== planned.id || row.action !== planned.action) {
      find("S5.3", "the row is not that of the plan's action in this place", { actionIndex: index });
    }
  }
  // A context that forbids everything is obeyed before the policy is read, with which the plan is made.
  const isForbidden = report.reason === "kill_switch" && story.halt === undefined;
  if (report.planHash !== plan.planHash && !isForbidden) find("S5.3", "the report is of another plan");
  if (story.started !== undefined && story.started.actionCount !== report.actions.length) {
    find(
      "S5.3",
      `${story.started.actionCount} actions were begun with, ${report.actions.length} are reported`,
      story.started,
    );
  }
}

/** S10: the counters and the status are what rows and attempts say. */
export function checkCounts(report: ExecutionReport, find: Find): void {
  const { actions, attempts } = report;
  const rows = (status: ActionReport["status"]) => actions.filter((row) => row.status === status).length;
  const successes = attempts.filter(({ status }) => status === "success").length;
  const counts = {
    successCount: successes,
    failedCount: attempts.length - successes,
    attemptCount: attempts.length,
    skippedCount: rows("skipped"),
    deniedCount: actions.length === 0 && report.status === "denied" ? 1 : rows("denied"),
    unknownCount: rows("unknown"),
    replayedCount: actions.filter(({ replayed }) => replayed).length,
  };
  for (const [name, count] of Object.entries(counts)) {
    const reported = report[name as keyof typeof counts];
    if (reported !== count) find("S10", `${name} is ${reported}; rows and attempts make it ${count}`);
  }
  for (const { index, attemptCount } of actions) {
    const made = attempts.filter(({ actionIndex }) => actionIndex === index).length;
    if (attemptCount !== made) {
      find("S10", `the row counts ${attemptCount} attempts, the report has ${made}`, { actionIndex: index });
    }
  }
  const status = overallStatus(actions);
  if (actions.length > 0 && report.status !== status)
    find("S10", `the status is ${report.status}; the rows make it ${status}`);
}

function overallStatus(rows: readonly ActionReport[]): string {
  const statuses = rows.filter(({ reason }) => reason !== "hold").map(({ status }) => status);
  if (statuses.includes("unknown")) return "unknown";
  if (statuses.includes("success")) return statuses.every((status) => status === "success") ? "success" : "partial";
  return ["failed", "denied"].find((status) => statuses.some((other) => other === status)) ?? "skipped";
}

/** S8.1: the report is rebuilt from the events. */
function checkFold({ events, report, story }: Run, find: Find): void {
  const { started, finished } = story;
  if (started === undefined || finished === undefined) {
    find("S8.1", `the events have no ${started === undefined ? "execution.started" : "execution.finished"}`);
    return;
  }
  if (finished.totalLatencyMs !== finished.atMs - started.atMs) {
    find(
      "S10",
      `totalLatencyMs is ${finished.totalLatencyMs}, the events span ${finished.atMs - started.atMs} ms`,
      finished,
    );
  }
  // No event carries it: it says that events are missing.
  const { recordError: _, ...reported } = report;
  try {
    for (const path of differences(plain(reportFromEvents(events)), plain(reported))) {
      find("S8.1", `the report differs from what its events add up to, at ${path}`);
    }
  } catch (error) {
    if (!isEocError(error)) throw error;
    find("S8.1", error.message); // An end is missing.
  }
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

/** Paths at which two plain values differ. */
function differences(a: unknown, b: unknown, path = ""): string[] {
  if (typeof a === "object" && typeof b === "object" && a !== null && b !== null) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].flatMap((key) =>
      differences((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `${path}/${key}`),
    );
  }
  if (a === undefined || b === undefined) return a === b ? [] : [path];
  return canonicalJson(a) === canonicalJson(b) ? [] : [path];
}

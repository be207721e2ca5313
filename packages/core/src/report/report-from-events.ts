import { EocError } from "../errors.js";
import type { ExecutionEvent } from "./events.js";
import type { ActionReport, ExecutionAttempt, ExecutionReport } from "./execution-report.js";
import { count, noCounters } from "./summary.js";

/**
 * Rebuilds the report of an execution from its events (S8.1): equal to the one that `execute` gave, but for values and
 * for `recordError` of the report, which no event carries. Events after `execution.finished` change nothing.
 * @throws EocError `invalid_option` when `execution.started`, `execution.finished`, or the end of an action or of an attempt is missing
 */
export function reportFromEvents(events: Iterable<ExecutionEvent>): ExecutionReport {
  const rows: ActionReport[] = [];
  const attempts = new Map<string, ExecutionAttempt>();
  /** Attempts of which reconcile is being asked: their rows are not written yet. */
  const asked = new Set<string>();
  let started: (ExecutionEvent & { type: "execution.started" }) | undefined;
  let finished: (ExecutionEvent & { type: "execution.finished" }) | undefined;
  for (const event of events) {
    if (finished !== undefined) break;
    switch (event.type) {
      case "execution.started":
        started = event;
        break;
      case "execution.finished":
        finished = event;
        break;
      case "action.finished": {
        const { seq: _seq, type: _type, atMs: _at, executionId: _id, actionIndex: index, ...row } = event;
        rows[index] = { ...row, index };
        break;
      }
      case "attempt.finished": {
        const { seq: _seq, type: _type, atMs: _at, executionId: _id, ...attempt } = event;
        attempts.set(keyOf(event), attempt);
        break;
      }
      case "reconcile.started":
        asked.add(keyOf(event));
        break;
      case "reconcile.finished":
        asked.delete(keyOf(event));
        reconcile(attempts.get(keyOf(event)), event);
        break;
      case "attempt.settled_late":
        if (event.status !== "unknown" && asked.has(keyOf(event))) settleLate(attempts.get(keyOf(event)), event);
        break;
      default:
    }
  }
  if (started === undefined) return lack("execution.started");
  if (finished === undefined) return lack("execution.finished");
  for (let index = 0; index < started.actionCount; index++) {
    const row = rows[index] ?? lack("action.finished", index);
    for (let number = 0; number < row.attemptCount; number++)
      if (!attempts.has(`${index}/${number}`)) lack("attempt.finished", index);
  }
  return assemble(started, finished, rows, [...attempts.values()]);
}

function lack(type: ExecutionEvent["type"], actionIndex?: number): never {
  const missing = actionIndex === undefined ? type : `${type} of action ${actionIndex}`;
  throw new EocError("invalid_option", `the events have no ${missing}`, {
    issues: [{ path: "events", expected: `an event of type ${missing}` }],
  });
}

function assemble(
  started: ExecutionEvent & { type: "execution.started" },
  finished: ExecutionEvent & { type: "execution.finished" },
  rows: ActionReport[],
  attempts: ExecutionAttempt[],
): ExecutionReport {
  attempts.sort((a, b) => a.actionIndex - b.actionIndex || a.attemptNumber - b.attemptNumber);
  const { seq: _seq, type: _type, atMs: _at, executionId, ...summary } = finished;
  const counters = noCounters();
  count(rows, attempts, counters);
  return { executionId, actions: rows, attempts, startedAtMs: started.atMs, ...counters, ...summary };
}

function keyOf(event: { actionIndex: number; attemptNumber: number }): string {
  return `${event.actionIndex}/${event.attemptNumber}`;
}

function reconcile(
  attempt: ExecutionAttempt | undefined,
  { verdict, whileRunning }: ExecutionEvent & { type: "reconcile.finished" },
): void {
  if (attempt === undefined) return;
  if (verdict === "applied") attempt.status = "success";
  // What the executor said itself goes before what reconcile was told while it still ran.
  else if (verdict === "not_applied" && !whileRunning && attempt.status === "unknown") attempt.status = "failed";
}

/** The executor settled while reconcile was being asked. */
function settleLate(
  attempt: ExecutionAttempt | undefined,
  event: ExecutionEvent & { type: "attempt.settled_late" },
): void {
  if (attempt === undefined) return;
  attempt.status = event.status;
  attempt.late = true;
  delete attempt.errorCode;
  if (event.errorCode !== undefined) attempt.errorCode = event.errorCode;
  if (event.errorType !== undefined) attempt.errorType = event.errorType;
}

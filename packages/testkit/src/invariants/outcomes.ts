import { type ActionReport, TERMINAL_REASONS, type TerminalReason } from "@eoc/core";
import type { Run } from "./run.js";
import type { ActionStory, AttemptStory } from "./story.js";
import type { Find } from "./violation.js";

const SKIPS: ReadonlySet<TerminalReason> = new Set(["not_allowed", "hold", "no_actions", "prior_action_failed"]);
const APPLIED: ReadonlySet<TerminalReason> = new Set(["completed", "reconciled", "replayed"]);

/** Codes of attempts after which a report is fail-closed; an executor may also give them, or one of its own, when it throws. */
const ABNORMAL: ReadonlySet<string | undefined> = new Set(["execution_exception", "timeout", "invalid_result"]);

/** INV-EXE-3: nothing is claimed, repeated or begun on the strength of what is not known. */
export function checkOutcomes(run: Run, find: Find): void {
  for (const action of run.story.actions) {
    for (const [index, attempt] of action.attempts.entries()) {
      checkIntent(attempt, find);
      const next = action.attempts[index + 1];
      if (next !== undefined) checkRepeat(action, attempt, next, find);
    }
  }
  for (const row of run.report.actions) checkRow(run, row, find);
  checkFailClosed(run, find);
}

/** S8.2: the intent comes first, and stands. */
function checkIntent({ number, intended, withdrawn, started }: AttemptStory, find: Find): void {
  const before = (events: readonly { seq: number }[]) => events.filter(({ seq }) => seq < started!.seq).length;
  if (before(intended) === 0) find("S8.2", `attempt ${number} was dispatched without an intent before it`, started);
  else if (before(intended) <= before(withdrawn))
    find("S8.2", `attempt ${number} was dispatched on an intent that had been withdrawn`, started);
}

/** S3.1 to S3.3: what may follow an attempt. */
function checkRepeat({ planned }: ActionStory, attempt: AttemptStory, next: AttemptStory, find: Find): void {
  const { number, finished, reconciled } = attempt;
  const { started } = next;
  if (finished === undefined) return;
  if (finished.status === "success") find("S3.1", `dispatched again although attempt ${number} had succeeded`, started);
  if (reconciled?.verdict === "applied" && reconciled.seq < started!.seq) {
    find("S3.3", `dispatched again although reconcile had found attempt ${number} applied`, started);
  }
  if (finished.status === "failed") {
    if (finished.late && planned.effect === "once") {
      find("S4.3", `a once-only action was dispatched again after the late answer of attempt ${number}`, started);
    }
    return;
  }
  if (finished.status !== "unknown") return;
  const proven = reconciled?.verdict === "not_applied" && reconciled.seq < started!.seq && !reconciled.whileRunning;
  if (proven) return;
  if (planned.effect === "once") {
    find(
      "S3.2",
      `a once-only action was dispatched again although the outcome of attempt ${number} is not known`,
      started,
    );
  } else if (finished.errorCode === "invalid_result" || finished.errorCode === "aborted") {
    find("S3.1", `dispatched again after attempt ${number} ended ${finished.errorCode}`, started);
  }
}

/** S3: what a row says fits its attempts. */
export function checkRow({ plan, policy, report }: Run, row: ActionReport, find: Find): void {
  const place = { actionIndex: row.index };
  const planned = plan.actions[row.index];
  const attempts = report.attempts.filter(({ actionIndex }) => actionIndex === row.index);
  const last = attempts.at(-1);
  const applied = APPLIED.has(row.reason);
  if (applied !== (row.status === "success")) find("S3.8", `status ${row.status} with the reason ${row.reason}`, place);
  if (row.replayed !== (row.reason === "replayed"))
    find("S7.2", `replayed is ${row.replayed} with the reason ${row.reason}`, place);
  if (row.reason === "completed" && last?.status !== "success") {
    find("S3.1", "completed, but its last attempt did not succeed", place);
  }
  if (row.reason === "replayed" && attempts.length > 0) find("S7.2", "replayed, and dispatched all the same", place);
  if (row.reason === "retries_exhausted" && attempts.length !== 1 + policy.retry.maxRetries) {
    find("S3.4", `out of retries after ${attempts.length} dispatches of ${1 + policy.retry.maxRetries}`, place);
  }
  if (attempts.some(({ status }) => status === "success") && row.status !== "success") {
    find("S3.1", `an attempt succeeded, the row says ${row.status}`, place);
  }
  if (applied) return;
  const isOpen = row.reason === "in_doubt" || attempts.some(({ status }) => status === "unknown");
  const expected = isOpen ? (planned?.effect === "none" ? "failed" : "unknown") : undefined;
  if (expected !== undefined && row.status !== expected) {
    find("S3.9", `the outcome is not known, the row says ${row.status} and must say ${expected}`, place);
  } else if (expected === undefined && row.status === "unknown") {
    find("S3.9", "the row says unknown, but every outcome is known", place);
  }
  if (expected !== undefined) return;
  const known = attempts.length > 0 ? "failed" : SKIPS.has(row.reason) ? "skipped" : "denied";
  if (row.status !== known) find("S3.10", `the row says ${row.status} and must say ${known} (${row.reason})`, place);
}

/** S10: abnormal ends are marked, others are not. */
export function checkFailClosed({ report }: Run, find: Find): void {
  const stopped = report.actions.filter(({ status }) => status !== "success" && status !== "skipped");
  const indexes = new Set(stopped.map(({ index }) => index));
  const attempts = report.attempts.filter(({ actionIndex }) => indexes.has(actionIndex));
  const suspects = attempts.filter(
    ({ errorCode, errorType }) =>
      ABNORMAL.has(errorCode) || (errorType !== undefined && errorType !== "NotAppliedError"),
  );
  const byReason =
    stopped.some(({ reason }) => TERMINAL_REASONS[reason]) ||
    (report.reason !== undefined && report.actions.length === 0 && TERMINAL_REASONS[report.reason]);
  const isAbnormal =
    byReason || attempts.some(({ status, errorCode }) => status === "unknown" && errorCode !== "aborted");
  if (isAbnormal && !report.failClosed) find("S10", "something abnormal happened, and failClosed is false");
  if (report.failClosed && !isAbnormal && suspects.length === 0 && report.reason !== "protocol_error") {
    find("S10", "failClosed is true, and nothing abnormal happened");
  }
}
